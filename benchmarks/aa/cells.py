"""What is played how often, in blocks that are kept on disk, several at the same time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from benchmarks.aa.coverage import ARMS, VISITORS, covered
from benchmarks.aa.identical import THEIRS, identical
from benchmarks.aa.world import WORLDS
from hookline.policies import POLICIES
from hookline.types import content_hash

LINES: Final = (2, 5, 20)
RUNS: Final[Mapping[int, int]] = {10_000: 1_000, 100_000: 200, 1_000_000: 60}
"""Visitors → tests of identical lines, under a policy that is cheap to teach."""
DEAR: Final[Mapping[str, Mapping[int, tuple[int, int, int]]]] = {
    "actor_critic": {10_000: (1_000, 1_000, 1_000), 100_000: (100, 100, 100), 1_000_000: (5, 5, 5)},
    "ppo": {10_000: (500, 300, 200), 100_000: (20, 10, 5)},
    THEIRS: {100_000: (300, 300, 300)},
}
"""The same by number of lines, under those that learn visitor by visitor: `ppo` takes 8 to 35
seconds for 100,000 visitors. And where GrowthBook's own bandit is played."""
COVERED: Final[Mapping[str, int]] = {"ppo": 120}
"""Policy → runs of each world, where it is not `COVERED_USUALLY`."""
COVERED_USUALLY: Final = 400
QUICK: Final = 200
"""A quick run plays the 200th part, 3 runs at least, of what has 10,000 visitors."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One kind of test.

    Attributes:
        policy: Who serves.
        world: Name of the world, empty where lines are identical.
        arms: Number of lines.
        visitors: Of one test.
        runs: Number of tests.
    """

    policy: str
    world: str = ""
    arms: int = ARMS
    visitors: int = VISITORS
    runs: int


Values = dict[str, list[float]]
"""What is measured → one value a run."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some runs of one cell: `count` of them, from `first` on."""

    cell: Cell
    seed: int
    first: int
    count: int

    @property
    def key(self) -> str:
        """What the block is kept by; how many runs its cell has in all does not matter."""
        cell = {name: value for name, value in asdict(self.cell).items() if name != "runs"}
        return content_hash(cell, self.seed, self.first, self.count)


def cells(*, quick: bool) -> list[Cell]:
    """Everything that is played, the costly first."""
    found = [
        Cell(policy=policy, arms=arms, visitors=visitors, runs=runs)
        for policy in (*POLICIES, THEIRS)
        for visitors in sorted(RUNS, reverse=True)
        for arms, runs in zip(LINES, _runs(policy, visitors), strict=True)
        if runs
    ]
    found += [
        Cell(policy=policy, world=world, runs=COVERED.get(policy, COVERED_USUALLY))
        for policy in POLICIES
        for world in WORLDS
    ]
    if quick:
        few = [cell for cell in found if cell.visitors == VISITORS]
        return [replace(cell, runs=max(cell.runs // QUICK, 3)) for cell in few]
    return sorted(found, key=lambda cell: -cell.visitors)


def _runs(policy: str, visitors: int) -> tuple[int, int, int]:
    if policy in DEAR:
        return DEAR[policy].get(visitors, (0, 0, 0))
    return RUNS[visitors], RUNS[visitors], RUNS[visitors]


def blocks_of(cell: Cell, seed: int) -> list[Block]:
    """The cell's runs in blocks of some seconds each."""
    most = max(1, 200_000 // cell.visitors)
    return [
        Block(cell=cell, seed=seed, first=first, count=min(most, cell.runs - first))
        for first in range(0, cell.runs, most)
    ]


def played(
    blocks: Sequence[Block], processes: int, cache: Path | None
) -> Iterator[tuple[Block, Values]]:
    """The values of each block, as they come.

    Args:
        blocks: What to play.
        processes: How many at the same time; 1 plays them here and now.
        cache: File of JSON lines that blocks are taken from, and added to; None keeps none.
    """
    kept = _kept(cache)
    yield from ((block, kept[block.key]) for block in blocks if block.key in kept)
    for block, values in _fresh([block for block in blocks if block.key not in kept], processes):
        if cache:
            with cache.open("a", encoding="utf-8") as file:
                # a line of its own, also after one that was cut short
                file.write("\n" + json.dumps({"block": block.key, "values": values}))
        yield block, values


def _fresh(blocks: Sequence[Block], processes: int) -> Iterator[tuple[Block, Values]]:
    if processes < 2:
        yield from ((block, _play(block)) for block in blocks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        asked = {pool.submit(_play, block): block for block in blocks}
        yield from ((asked[done], done.result()) for done in as_completed(asked))


def _play(block: Block) -> Values:
    """One list of values a rule or interval."""
    cell, values = block.cell, Values()
    for run in range(block.first, block.first + block.count):
        found = (
            covered(cell.policy, cell.world, (block.seed, run))
            if cell.world
            else identical(cell.policy, cell.arms, cell.visitors, (block.seed, run))
        )
        for name, value in found.items():
            values.setdefault(name, []).append(float(value))
    return values


def _kept(cache: Path | None) -> dict[str, Values]:
    """Key → values of the blocks on disk; empty lines and those cut short are left out."""
    kept = dict[str, Values]()
    if cache and cache.exists():
        for line in cache.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            kept[row["block"]] = row["values"]
    return kept
