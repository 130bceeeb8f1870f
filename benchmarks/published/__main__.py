"""Do published results come out of Hookline's statistics, and do its forecasts come true?

    python -m benchmarks.published --json out.json            some 4 minutes of CPU
    python -m benchmarks.published --json out.json --quick    a sample of tests, 20 seconds of it

With OPENBLAS_NUM_THREADS=1 in the environment, as its matrices are small. The data are public and
not part of this repository; `--data` says where they lie, and without them nothing is measured.
Published values are those that the `SOURCE.md` beside each file gives:

    Hillstrom     MineThatData E-Mail Analytics Challenge (2008): visits 10.62 / 15.14 / 18.28 %,
                  orders .57 / .88 / 1.25 % with no e-mail, the women's, the men's
    Karlan-List   Does Price Matter in Charitable Giving? (2007, AER 97(5)): response 1.79 and
                  2.20 %, $.81 and $.97 a letter, without and with a matched gift
    cookie_cats   a mobile game's test with a known sample-ratio mismatch
    Upworthy      Matias et al. (2021, Scientific Data), exploratory tests; an update of June 2024
                  names the weeks in which a cache broke the draw

**The mailings**: every arm against the control at one planned look, with CUPED, and with the
report's own interval that holds at every look: AIPW scores from the probabilities of the draw,
people in a random order of arrival, looked at 40 times and more. "Told after" is the share of the
people after whom that interval first left out 0, median over orders; in brackets, in how many.

**Power**: the mailing's people are drawn again, with replacement, in the number that `z_units` and
`sequence_units` ask for: does a test of that size find the effect as often as forecast (80 %)?

**Upworthy**: how many tests a rule for the split flags in the broken weeks and outside; how many
of the others have a winner at one look (Holm), in the report's verdict at any of 40 looks, and by
a z-test at each, on the real clicks and on clicks dealt out anew, where every claim is false. The
archive has no control, so a package is made it by lot, and impressions arrive in random order. They
are impressions, not readers. Then each test is cut in two: what is the best package's lead in the
first half, plain and shrunk, worth in the second?

The largest gap to scipy, and where installed statsmodels and tea-tasting, is measured on the same
data. scipy sums in another order, and p-values of 1e-113 carry that far.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from rich.progress import Progress

from benchmarks.common import arguments, finish, terminal
from benchmarks.published.archive import classic_splits, sequential_splits, winners
from benchmarks.published.data import (
    HeadlineTest,
    cookie_cats,
    headline_tests,
    hillstrom,
    karlan_list,
    missing,
)
from benchmarks.published.effects import effects, levels
from benchmarks.published.halves import halves
from benchmarks.published.others import agreements
from benchmarks.published.planned import forecasts
from benchmarks.published.table import Found, bars_of, show
from hookline.stats import split_test

Answer = TypeVar("Answer")

DATA: Final = Path(__file__).parents[2] / "../shared/data"
"""Beside the checkout."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything.

    Attributes:
        orders: Orders of arrival of each mailing.
        once: Tests of one look for each effect whose power is forecast.
        throughout: The same that are looked at throughout.
        splits: Upworthy's tests whose impressions go through the sequential ratio test.
        looked_at: Upworthy's tests that are looked at 40 times, and again with clicks dealt anew.
    """

    orders: int
    once: int
    throughout: int
    splits: int
    looked_at: int


FULL: Final = Size(orders=100, once=2_000, throughout=300, splits=5_000, looked_at=600)
QUICK: Final = Size(orders=5, once=300, throughout=20, splits=400, looked_at=80)
QUESTIONS: Final = 7


def main(argv: Sequence[str] | None = None) -> int:
    """Measures all, prints it and writes it as JSON; 1 where a bar does not hold."""
    parser = arguments("benchmarks.published", "Find published results again.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data")
    args = parser.parse_args(argv)
    console = terminal()
    if absent := missing(args.data):
        console.print(f"nothing measured: {args.data} lacks {', '.join(absent)}")
        return 0
    began = time.monotonic()
    with Progress(console=console) as progress:
        task = progress.add_task("questions", total=QUESTIONS)
        size = QUICK if args.quick else FULL
        found = measure(args.data, size, args.seed, lambda: progress.advance(task))
    show(console, found)
    result = {"quick": args.quick, "seconds": time.monotonic() - began, **asdict(found)}
    return finish(console, bars_of(found), out=args.json, seed=args.seed, result=result)


def measure(data: Path, size: Size, seed: int, done: Callable[[], None]) -> Found:
    """The answers to all questions.

    Args:
        data: Folder of the public data.
        size: How much of everything.
        seed: Of all draws.
        done: Told after each of the `QUESTIONS`.
    """

    def told(answer: Answer) -> Answer:
        done()
        return answer

    mailings, tests = [hillstrom(data), karlan_list(data)], headline_tests(data)
    sound = [test for test in tests if not test.broken]
    few = some(sound, size.looked_at)
    split = {each.name: split_test(each.counts, each.shares.tolist()) for each in mailings}
    sizes = {"runs": size.once, "long_runs": size.throughout, "seed": seed}
    return Found(
        levels=[level for each in mailings for level in levels(each)],
        effects=told(
            [one for each in mailings for one in effects(each, orders=size.orders, seed=seed)]
        ),
        agreements=told(agreements(mailings, tests)),
        forecasts=told([one for each in mailings for one in forecasts(each, **sizes)]),
        single={**split, "cookie_cats": split_test(cookie_cats(data))},
        splits=told(
            [classic_splits(tests), sequential_splits(some(tests, size.splits), seed=seed)]
        ),
        winners=[told(winners(few, shuffled=shuffled, seed=seed)) for shuffled in (False, True)],
        halves=told(halves(sound, seed=seed)),
    )


def some(tests: Sequence[HeadlineTest], count: int) -> list[HeadlineTest]:
    """That many of the tests, evenly spread over the archive; all where there are fewer."""
    places = np.linspace(0, len(tests) - 1, min(count, len(tests))).astype(int)
    return [tests[place] for place in places]


if __name__ == "__main__":
    sys.exit(main())
