"""Is a slate as varied as what people test, and what does each step of the creativity dial cost?

    python -m benchmarks.slates --json OUT            40 products of each catalog
    python -m benchmarks.slates --json OUT --quick    8 products of each

For each product on each of two channels the phrasebook writes eight drafts for each of eight cells
of attributes, as `generate` has it do; what passes the guards is the pool, and eight copies are
chosen from it. What they promise is the shipped text prior's word, what they say the shipped static
encoder's. Beside the library's ways of choosing stand maximal marginal relevance, what differs most
word by word (what Hookline did before), and chance. A way that chooses by cosines has the better of
one that doesn't where cosines are the measure, so ways are compared by words (self-BLEU) too: the
predicted clicks that each reaches at the same diversity.

The reference are real headline tests of eight or more lines that people wrote about one story,
eight of each drawn. A channel's copy is longer than a headline and its headline shorter, so both
are held against them; the table gives the words.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np
from rapidfuzz import fuzz
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from hookline import sample
from hookline.attributes import design
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import channel
from hookline.diversity import Array, Diversity, cosines, measure, off_diagonal, self_bleu, vendi
from hookline.errors import WriterFailed
from hookline.guards import GUARDS, check_all, guards_named
from hookline.headstart import promised
from hookline.past import read_past_tests
from hookline.perceive.encoders import Encoder, encoder_named
from hookline.prior import TextPrior
from hookline.slate import (
    LEVELS,
    REACH,
    FrontPoint,
    Mode,
    Pool,
    Tried,
    choose,
    front,
    front_chart,
    propose,
    valued,
)
from hookline.types import Product
from hookline.writers import Phrasebook

DATA = Path("../shared/data")
CATALOGS = (
    DATA / "catalog_magento_luma" / "configurable_products.csv.gz",
    DATA / "catalog_bestbuy" / "ecommerce.json.gz",
    DATA / "catalog_icecat" / "icecat_products_19k.jsonl.gz",
)
HUMAN = DATA / "upworthy" / "headlines.csv.gz"
CHANNELS = ("email", "push")
PRODUCTS, QUICK_PRODUCTS = 40, 8
SLATE = 8
DIALS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
USUAL = 0.5
"""The dial as the settings have it."""
FINE = tuple(step / 20 for step in range(21))
LITERAL_FINE = tuple(step / 100 for step in range(15)) + FINE[3:]
"""The literal mode does all of its turning below .1."""

Way = Callable[[Pool, Sequence[str], float, Random], list[int]]
"""Pool, its texts, the dial and chance → which are kept."""
MEASURES = ("off_diagonal", "vendi", "self_bleu", "compression_ratio", "self_repetition")
ALIKE = frozenset({"self_bleu", "compression_ratio", "self_repetition"})
"""Measures of which less is more varied."""


Row = dict[str, float | str]
"""A line of the table."""


@dataclass(frozen=True, kw_only=True)
class Lot:
    """One pool with the texts it stands for."""

    catalog: str
    channel: str
    texts: tuple[str, ...]
    hooks: tuple[str, ...]
    pool: Pool


# --- ways of choosing --------------------------------------------------------------------------


def _in_mode(mode: Mode) -> Way:
    def way(pool: Pool, texts: Sequence[str], dial: float, rng: Random) -> list[int]:
        del texts, rng
        return choose(pool.promise, pool.vectors, SLATE, creativity=dial, mode=mode)

    return way


def marginal_relevance(pool: Pool, texts: Sequence[str], dial: float, rng: Random) -> list[int]:
    """By promise less the largest cosine with what is kept (Carbonell and Goldstein 1998)."""
    del texts, rng
    alike, own = cosines(pool.vectors), (1 - dial) * pool.promise / REACH
    kept: list[int] = []
    for _ in range(SLATE):
        nearest = alike[kept].max(axis=0) if kept else np.zeros(len(own))
        gain = own - dial * nearest + 1e-9 * pool.promise
        gain[kept] = -np.inf
        kept.append(int(gain.argmax()))
    return kept


def most_different(pool: Pool, texts: Sequence[str], dial: float, rng: Random) -> list[int]:
    """The first, then each time the one whose words are least like those kept."""
    del pool, dial, rng
    kept, left = [0], list(range(1, len(texts)))
    while len(kept) < SLATE:
        nearest = [max(fuzz.token_sort_ratio(texts[i], texts[j]) for j in kept) for i in left]
        kept.append(left.pop(nearest.index(min(nearest))))
    return kept


def by_chance(pool: Pool, texts: Sequence[str], dial: float, rng: Random) -> list[int]:
    """Any of them."""
    del pool, dial
    return rng.sample(range(len(texts)), SLATE)


WAYS: dict[str, Way] = {
    "dpp": _in_mode("dpp"),
    "mmr": marginal_relevance,
    "literal": _in_mode("literal"),
    "most different": most_different,
    "chance": by_chance,
}
DIALLED = ("dpp", "mmr", "literal")
HOOKS = "dpp, hooks alone"


# --- the run -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came of it.

    Attributes:
        bars: The figures that were asked for.
        result: All figures, JSON-able.
        drawing: The fronts as SVG.
    """

    bars: list[Bar]
    result: dict[str, object]
    drawing: str


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 where every bar holds, or where there is no data, 1 where one fails."""
    parser = arguments("benchmarks.slates", (__doc__ or "").splitlines()[0])
    options = parser.parse_args(argv)
    console = terminal()
    if gone := absent():
        console.print(f"{gone[0]} is absent: nothing measured")
        return 0
    found = compared(QUICK_PRODUCTS if options.quick else PRODUCTS, options.seed, console)
    if options.json:
        options.json.with_suffix(".svg").write_text(found.drawing, encoding="utf-8")
    return finish(console, found.bars, out=options.json, seed=options.seed, result=found.result)


def absent() -> list[Path]:
    """The files that the benchmark reads and that are not there."""
    return [path for path in (*CATALOGS, HUMAN) if not path.exists()]


def compared(count: int, seed: int, console: Console) -> Compared:
    """Every way's slates and people's, of `count` products of each catalog."""
    encoder, rng = encoder_named("static"), Random(seed)
    lots = _lots(count, encoder, TextPrior.load(), seed, console)
    written = _human(rng)
    people = _measured(written, encoder)
    rows = _rows(lots, encoder, rng)
    fronts = {mode: _front(lots, mode) for mode in ("dpp", "literal")}
    reached = _reached(lots, rng)
    schedule = _schedule(seed)
    _print(console, rows, people, reached)
    drawn = front_chart(fronts, references={"people": people["off_diagonal"]})
    result: dict[str, object] = {
        "pools": len(lots),
        "pool_size": float(np.mean([len(lot.texts) for lot in lots])),
        "human_tests": len(written),
        "human": people,
        "slates": rows,
        "fronts": {name: [asdict(p) for p in points] for name, points in fronts.items()},
        "lift_at_equal_diversity": reached,
        "schedule": schedule,
    }
    bars = _bars(rows, people, fronts["dpp"], reached, schedule)
    return Compared(bars=bars, result=result, drawing=str(drawn))


def _lots(count: int, encoder: Encoder, prior: TextPrior, seed: int, console: Console) -> list[Lot]:
    """The pools that are large enough to choose from."""
    lots: list[Lot] = []
    with Progress(console=console) as bar:
        task = bar.add_task("writing", total=len(CATALOGS) * count)
        for path in CATALOGS:
            products = read_feed(path).products
            for product in Random(seed).sample(products, min(count, len(products))):
                for channel_id in CHANNELS:
                    copies = _written(product, channel_id, seed)
                    if len(copies) > SLATE:
                        lots.append(_lot(path, channel_id, copies, encoder, prior))
                bar.advance(task)
    return lots


def _lot(
    path: Path,
    channel_id: str,
    copies: Sequence[Mapping[str, str]],
    encoder: Encoder,
    prior: TextPrior,
) -> Lot:
    """The pool that these copies make, and their hooks alone."""
    hooks = [spot.name for spot in channel(channel_id).fields if spot.role == "hook"]
    texts = tuple(" | ".join(parts.values()) for parts in copies)
    return Lot(
        catalog=path.parent.name.removeprefix("catalog_"),
        channel=channel_id,
        texts=texts,
        hooks=tuple(" ".join(parts[name] for name in hooks) for parts in copies),
        pool=Pool(promise=promised(prior, texts), vectors=encoder.encode(texts)),
    )


def _written(product: Product, channel_id: str, seed: int) -> list[Mapping[str, str]]:
    """Copy for one product that passes the guards, over-generated for eight cells."""
    writer, guards = Phrasebook(), guards_named(GUARDS)
    audience, brand = sample.audiences()[0], sample.brand()
    texts: list[str] = []
    copies: list[Mapping[str, str]] = []
    for cell in design(audience, SLATE, seed):
        brief = make_brief(
            product=product,
            audience=audience,
            channel=channel(channel_id),
            brand=brand,
            attributes=cell,
        )
        try:
            drafts = writer.write(brief, writer.oversample, seed)
        except WriterFailed:
            continue
        for draft in drafts:
            if all(verdict.ok for verdict in check_all(guards, draft.parts, brief, texts)):
                texts.append(" | ".join(draft.parts.values()))
                copies.append(draft.parts)
    return copies


def _human(rng: Random) -> list[list[str]]:
    """Eight lines of every headline test that has as many."""
    tests = read_past_tests(HUMAN).tests
    spans = zip(tests.starts.tolist(), tests.starts[1:].tolist(), strict=False)
    return [rng.sample(tests.texts[a:b], SLATE) for a, b in spans if b - a >= SLATE]


def _rows(lots: Sequence[Lot], encoder: Encoder, rng: Random) -> list[Row]:
    """What each way's slates come to at three dials, on average; the default's hooks alone too."""
    rows: list[Row] = []
    for name, way in WAYS.items():
        for dial in (0.2, USUAL, 0.8) if name in DIALLED else (USUAL,):
            chosen = [(lot, way(lot.pool, lot.texts, dial, rng)) for lot in lots]
            lift = float(np.mean([valued(lot.pool, places)[1] for lot, places in chosen]))
            slates = [[lot.texts[place] for place in places] for lot, places in chosen]
            rows.append({"way": name, "dial": dial, "lift": lift, **_measured(slates, encoder)})
            if name == "dpp":
                hooks = [[lot.hooks[place] for place in places] for lot, places in chosen]
                told = _measured(hooks, encoder)
                rows.append({"way": HOOKS, "dial": dial, "lift": lift, **told})
    return rows


def _measured(slates: Sequence[Sequence[str]], encoder: Encoder) -> dict[str, float]:
    """Mean of every measure, and of the words of a text."""
    found = [measure(texts, encoder.encode(texts)) for texts in slates]
    words = float(np.mean([len(text.split()) for texts in slates for text in texts]))
    return _means(found) | {"words": words}


def _means(found: Sequence[Diversity]) -> dict[str, float]:
    return {name: float(np.mean([getattr(each, name) for each in found])) for name in MEASURES}


def _front(lots: Sequence[Lot], mode: Mode) -> tuple[FrontPoint, ...]:
    return front([lot.pool for lot in lots], SLATE, dials=(0.0, 0.1, *DIALS, 0.9, 1.0), mode=mode)


def _reached(lots: Sequence[Lot], rng: Random) -> dict[str, dict[str, float]]:
    """Measure → way → mean predicted lift at five diversities that every way reaches.

    A way's lift at a diversity is that of its best dial which reaches it.
    """
    sizes: dict[str, Callable[[Lot, list[int]], float]] = {
        "off_diagonal": lambda lot, places: off_diagonal(lot.pool.vectors[places]),
        "vendi": lambda lot, places: vendi(lot.pool.vectors[places]),
        "self_bleu": lambda lot, places: 1 - self_bleu([lot.texts[place] for place in places]),
    }
    curves: dict[str, dict[str, Array]] = {}
    for name in DIALLED:
        rows: list[list[float]] = []
        for dial in LITERAL_FINE if name == "literal" else FINE:
            found: list[tuple[float, ...]] = []
            for lot in lots:
                places = WAYS[name](lot.pool, lot.texts, dial, rng)
                told = (size(lot, places) for size in sizes.values())
                found.append((valued(lot.pool, places)[1], *told))
            rows.append(np.mean(found, axis=0).tolist())
        table = np.array(rows)
        curves[name] = {
            measure_: table[:, [place, 0]] for place, measure_ in enumerate(sizes, start=1)
        }
    return {measure_: _at_equal({n: c[measure_] for n, c in curves.items()}) for measure_ in sizes}


def _at_equal(curves: dict[str, Array]) -> dict[str, float]:
    """Way → mean lift over a grid of diversities, from curves of (diversity, lift)."""
    low = max(float(curve[:, 0].min()) for curve in curves.values())
    high = min(float(curve[:, 0].max()) for curve in curves.values())
    grid = [low + (high - low) * step / 6 for step in range(1, 6)]
    return {
        name: float(np.mean([curve[curve[:, 0] >= level - 1e-12, 1].max() for level in grid]))
        for name, curve in curves.items()
    }


def _schedule(seed: int) -> dict[str, float]:
    """A schedule in a made-up shop: conversion over the control peaks at .6 and drops at .8."""
    truth = dict(zip(LEVELS, (1.0, 1.03, 1.07, 1.12, 1.15, 1.0, 0.8), strict=True))
    rng, shown, rate = np.random.default_rng(seed), 5_000, 0.05
    late: list[float] = []
    under: list[bool] = []
    for turn in range(12):
        log: list[Tried] = []
        for step in range(60):
            dial = propose(log, start=0.4, seed=1000 * turn + step)
            won = rng.binomial(shown, [rate * truth[dial], rate])
            log.append(
                Tried(
                    creativity=dial,
                    visitors=shown,
                    conversions=int(won[0]),
                    control_visitors=shown,
                    control_conversions=int(won[1]),
                )
            )
        late += [truth[each.creativity] for each in log[30:]]
        under += [truth[each.creativity] < 0.95 for each in log]
    return {
        "start": truth[0.4],
        "late": float(np.mean(late)),
        "best": max(truth.values()),
        "share_below_floor": float(np.mean(under)),
    }


# --- the answer --------------------------------------------------------------------------------


def _bars(
    rows: Sequence[Row],
    people: Mapping[str, float],
    points: Sequence[FrontPoint],
    reached: dict[str, dict[str, float]],
    schedule: dict[str, float],
) -> list[Bar]:
    return [
        *_human_bars(rows, people),
        *_monotone_bars([point for point in points if 0.2 <= point.creativity <= 0.8]),
        *_front_bars(reached),
        *_baseline_bars(rows, points),
        Bar(
            name="schedule: slates below the floor",
            value=schedule["share_below_floor"],
            target="<= 0.05",
            holds=schedule["share_below_floor"] <= 0.05,
        ),
        Bar(
            name="schedule: conversion over control, second half",
            value=schedule["late"],
            target=f">= {schedule['start']:.2f}, the start's",
            holds=schedule["late"] >= schedule["start"],
        ),
    ]


def _human_bars(rows: Sequence[Row], people: Mapping[str, float]) -> list[Bar]:
    bars: list[Bar] = []
    for way in ("dpp", HOOKS):
        own = _row(rows, way, USUAL)
        for name in ("off_diagonal", "vendi", "self_bleu", "compression_ratio"):
            value, wanted = float(own[name]), people[name]
            less = name in ALIKE
            bars.append(
                Bar(
                    name=f"{name} of 8, {'whole copies' if way == 'dpp' else 'hooks alone'}",
                    value=value,
                    target=f"{'<=' if less else '>='} {wanted:.4g}, people's headlines",
                    holds=value <= wanted if less else value >= wanted,
                )
            )
    return bars


def _monotone_bars(points: Sequence[FrontPoint]) -> list[Bar]:
    rises = np.diff([point.diversity for point in points])
    falls = np.diff([point.lift for point in points])
    return [
        Bar(
            name="least step of diversity, dial .2 to .8",
            value=float(rises.min()),
            target="> 0",
            holds=bool((rises > 0).all()),
        ),
        Bar(
            name="largest step of predicted clicks, dial .2 to .8",
            value=float(falls.max()),
            target="< 0",
            holds=bool((falls < 0).all()),
        ),
    ]


def _front_bars(reached: dict[str, dict[str, float]]) -> list[Bar]:
    """The way that is the default reaches at least as much as the others, on the whole."""
    gaps = {
        rival: float(np.mean([found["dpp"] - found[rival] for found in reached.values()]))
        for rival in ("mmr", "literal")
    }
    return [
        Bar(
            name=f"lift at equal diversity, dpp less {rival}, 3 measures",
            value=gap,
            target=">= 0",
            holds=gap >= 0,
        )
        for rival, gap in gaps.items()
    ]


def _baseline_bars(rows: Sequence[Row], points: Sequence[FrontPoint]) -> list[Bar]:
    """What the default way promises at the diversity that ways without a dial have."""
    bars: list[Bar] = []
    order = sorted(points, key=lambda point: point.diversity)
    for name in ("most different", "chance"):
        row = _row(rows, name, USUAL)
        own = np.interp(
            float(row["off_diagonal"]), [p.diversity for p in order], [p.lift for p in order]
        )
        gap = float(own) - float(row["lift"])
        bars.append(
            Bar(
                name=f"lift at its diversity, dpp less {name}",
                value=gap,
                target="> 0",
                holds=gap > 0,
            )
        )
    return bars


def _row(rows: Sequence[Row], way: str, dial: float) -> Row:
    return next(row for row in rows if (row["way"], row["dial"]) == (way, dial))


def _print(
    console: Console,
    rows: Sequence[Row],
    people: Mapping[str, float],
    reached: dict[str, dict[str, float]],
) -> None:
    heads = ("lift", "D", "Vendi", "self-BLEU", "compr.", "repet.", "words")
    table = Table("way", "dial", *heads, title=f"slates of {SLATE}")
    for row in rows:
        numbers = [f"{row[name]:.3f}" for name in MEASURES]
        table.add_row(
            str(row["way"]), f"{row['dial']:g}", f"{row['lift']:+.1%}", *numbers,
            f"{row['words']:.1f}",
        )  # fmt: skip
    numbers = [f"{people[name]:.3f}" for name in MEASURES]
    table.add_row("people's headlines", "", "", *numbers, f"{people['words']:.1f}")
    console.print(table)
    even = Table("at equal", *DIALLED, title="mean predicted lift")
    for name, found in reached.items():
        even.add_row(name, *(f"{found[way]:+.2%}" for way in DIALLED))
    console.print(even)


if __name__ == "__main__":
    sys.exit(main())
