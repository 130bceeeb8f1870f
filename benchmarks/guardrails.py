"""How often a guard metric takes out a line that does no harm, and how soon one that does.

    python -m benchmarks.guardrails --json out.json            300 runs of each kind
    python -m benchmarks.guardrails --json out.json --quick    60 runs

Four lines of which a policy shows one to 70 % of 12,000 visitors; everybody looks 30 times, and a
line counts as taken out once its harm is proven at any look. The rates are those of rare events:
2 in 1,000 visitors leave a list, 1 in 100 gives an order back or clicks. Scores, intervals and the
rule are the report's (`report.guardrails`). On identical lines whatever is taken out is an error,
and the bar is the rule's risk of 5 %. With one challenger at four times the rate of refunds, the
share of runs that took it out and the median visitors by then are for information.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its matrices are small

import sys
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from rich.progress import Progress
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from hookline.report.evidence import Scored, duel
from hookline.report.guardrails import harm_of
from hookline.stats import scores
from hookline.types import GuardMetric, Guardrail

VISITORS: Final = 12_000
LOOKS: Final = 30
RISK: Final = 0.05
SHARES: Final = np.array([0.1, 0.7, 0.1, 0.1])
"""Share of the visitors that each line is drawn for, the control first."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of test.

    Attributes:
        metric: What is watched.
        rate: Chance of it with the control.
        times: What the last challenger multiplies it by; 1 where all lines are the same.
    """

    metric: GuardMetric
    rate: float
    times: float = 1.0


KINDS: Final = (
    Kind(metric="unsubscribes", rate=0.002),
    Kind(metric="refunds", rate=0.01),
    Kind(metric="clicks", rate=0.002),
    Kind(metric="clicks", rate=0.01),
    Kind(metric="refunds", rate=0.01, times=4.0),
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of all runs of one kind.

    Attributes:
        kind: Which.
        runs: How many.
        sound: Share of runs in which a line that does no harm was taken out.
        harmful: The same of the line that does; 0 where there is none.
        visitors: Median visitors of the test when it was; None where it never was.
    """

    kind: Kind
    runs: int
    sound: float
    harmful: float
    visitors: float | None


def main() -> int:
    """Runs it; 1 where a bar does not hold."""
    options = arguments("benchmarks.guardrails", __doc__ or "").parse_args()
    console, runs = terminal(), 60 if options.quick else 300
    found: list[Found] = []
    with Progress(console=console) as progress:
        task = progress.add_task("guard metrics", total=len(KINDS) * runs)
        for kind in KINDS:
            taken: list[dict[int, int]] = []
            for run in range(runs):
                taken.append(taken_out(kind, seed=(options.seed, run)))
                progress.advance(task)
            found.append(_summed(kind, taken))
    table = Table("kind", "runs", "no harm, taken out", "harm, taken out", "after visitors")
    for each in found:
        table.add_row(
            _label(each.kind), str(each.runs), f"{each.sound:.1%}",
            f"{each.harmful:.1%}" if each.kind.times > 1 else "", f"{each.visitors or '':}",
        )  # fmt: skip
    console.print(table)
    bars = [
        Bar(
            name=f"{_label(each.kind)}: no harm, taken out",
            value=each.sound,
            target=f"<= {RISK}",
            holds=each.sound <= RISK,
        )
        for each in found
    ]
    result = {"visitors": VISITORS, "looks": LOOKS, "kinds": [asdict(each) for each in found]}
    return finish(console, bars, out=options.json, seed=options.seed, result=result)


def taken_out(kind: Kind, *, seed: tuple[int, int]) -> dict[int, int]:
    """Place of each line that some look proved harmful → visitors by then."""
    rng = np.random.default_rng(seed)
    count = len(SHARES)
    arms = rng.choice(count, VISITORS, p=SHARES)
    rates = np.full(count, kind.rate)
    rates[-1] *= kind.times
    rewards = (rng.random(VISITORS) < rates[arms]).astype(np.float64)
    probabilities = np.tile(SHARES, (VISITORS, 1))
    nobody = np.zeros(VISITORS, dtype=np.int64)
    psi = scores(rewards, arms, probabilities, nobody)
    rail, out = Guardrail(metric=kind.metric), dict[int, int]()
    for look in range(1, LOOKS + 1):
        seen = VISITORS * look // LOOKS
        scored = Scored(
            psi=psi[:seen],
            arms=arms[:seen],
            audiences=nobody[:seen],
            probabilities=probabilities[:seen],
            chosen=np.ones(seen, dtype=np.bool_),
            rewards=rewards[:seen],
            limits=(0, 1),
        )
        for line in set(range(1, count)) - set(out):
            harm = harm_of(rail, duel(scored, line, 0), VISITORS, RISK / (count - 1))
            if harm.low is not None and harm.low > 0:
                out[line] = seen
    return out


def _summed(kind: Kind, taken: list[dict[int, int]]) -> Found:
    bad = {len(SHARES) - 1} if kind.times > 1 else set[int]()
    when = [out[line] for out in taken for line in bad & set(out)]
    return Found(
        kind=kind,
        runs=len(taken),
        sound=float(np.mean([bool(set(out) - bad) for out in taken])),
        harmful=len(when) / len(taken),
        visitors=float(np.median(when)) if when else None,
    )


def _label(kind: Kind) -> str:
    words = f"{kind.metric}, {kind.rate:.1%}"
    return words if kind.times == 1 else f"{words}, one line {kind.times:g} times that"


if __name__ == "__main__":
    sys.exit(main())
