"""Does the writer get better by tuning, in which objectives, and at what price?

    python -m benchmarks.tune --json OUT            every way, and 5 rounds of tests in 2 shops
    python -m benchmarks.tune --json OUT --quick    a little of one way and one shop

Two worlds. In the first a reward model is learned from real headline tests, the house model tuned
by it in many ways, all of the same effort, and its drafts for held-out products judged by a second
model of other tests that nothing was paid by. In the second, a simulated shop, writing, testing and
tuning go round, and what counts is the true rates. Needs torch (`pip install
'hookline[train]'`).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from importlib.util import find_spec
from math import exp, hypot
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import numpy as np
from rich.progress import Progress
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from benchmarks.tune import loop
from benchmarks.tune.found import BASE, Found, Scale, found_of
from benchmarks.tune.judged import ALIKE, DIVERSITY, Judged
from benchmarks.tune.runs import EVERY, WAYS, Effort
from benchmarks.tune.worlds import HEADLINES
from hookline.tune.house.pursued import steps_of
from hookline.tune.train.curves import curves

MULTI, ONCE = WAYS[0].name, WAYS[1].name
_QUICK: Final = (MULTI,)

FULL: Final = Scale(
    tests=100_000,
    effort=Effort(briefs=1000, steps=80),
    taught=3000,
    judged=70,
    shop=loop.Size(rounds=5, visits=6_000, effort=Effort(briefs=400, steps=0)),
    worlds=2,
)
QUICK: Final = Scale(
    tests=150,
    effort=Effort(briefs=10, steps=2),
    taught=20,
    judged=9,
    shop=loop.Size(rounds=1, visits=2_500, effort=Effort(briefs=10, steps=0), judges=50, briefs=9),
    worlds=1,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 where every bar holds, or where it can't run, 1 where one fails."""
    parser = arguments("benchmarks.tune", (__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder of the tunings, to go on in")
    parser.add_argument("--only", nargs="*", help="ways to tune (all); `shop` for the loop")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    options = parser.parse_args(argv)
    console = terminal()
    if not HEADLINES.exists() or find_spec("torch") is None:
        console.print(f"{HEADLINES} or torch is absent: nothing measured")
        return 0
    scale: Scale = QUICK if options.quick else FULL
    out: Path = options.out or Path(mkdtemp(prefix="hookline-tune-"))
    names = options.only or [*(_QUICK if options.quick else (way.name for way in WAYS)), "shop"]
    ways = [way for way in WAYS if way.name in names]
    worlds = range(scale.worlds if "shop" in names else 0)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        own = [pool.submit(found_of, way, scale, out, options.seed) for way in (BASE, *ways)]
        shops = [pool.submit(loop.play, world, scale.shop, out / "shop") for world in worlds]
        with Progress(console=console) as progress:
            task = progress.add_task("tuning", total=len(own) + len(shops))
            for done in as_completed([*own, *shops]):
                progress.advance(task)
                if isinstance(found := done.result(), Found):
                    console.print(f"{found.way.name}: {found.judged.lift:+.1%}")
        base, *found = [each.result() for each in own]
        rounds = [each.result() for each in shops]
    by_name = {each.way.name: each for each in found}
    bars = [*_bars(by_name, base), *_shop_bars(rounds)]
    for table in _tables([base, *found]):
        console.print(table)
    if rounds:
        console.print(_rounds(rounds))
    if options.json and MULTI in by_name:
        drawing = curves(steps_of(by_name[MULTI].tuned.paid), steps=WAYS[0].rounds)
        options.json.with_suffix(".svg").write_text(str(drawing), encoding="utf-8")
    result = {
        "ways": {each.way.name: _shown(each) for each in (base, *found)},
        "shop": [[asdict(turn) for turn in turns] for turns in rounds],
    }
    return finish(console, bars, out=options.json, seed=options.seed, result=result)


# --- the answer --------------------------------------------------------------------------------


def _bars(found: Mapping[str, Found], base: Found) -> list[Bar]:
    bars: list[Bar] = []
    if MULTI in found:
        bars += _multi_bars(found[MULTI], base.judged)
    if ONCE in found:
        bars += _ablation_bars(found)
    if alone := found.get("conversion alone"):
        bars += _collapse_bars(alone.judged, base.judged)
    return [*bars, *_dial_bars(found)]


def _multi_bars(multi: Found, base: Judged) -> list[Bar]:
    now = multi.judged
    bars = [
        _least("predicted conversion over the base's, held-out model", now.lift, 0.125),
        _least("lower end of its interval", now.low, 0.0),
    ]
    for name in DIVERSITY:
        value, wanted = getattr(now, name), getattr(base, name)
        bars.append((_most if name in ALIKE else _least)(f"{name} of 8 drafts", value, wanted))
    return [
        *bars,
        _least("call to action as asked", now.cta, 0.95),
        _most("mean error of sentiment", now.sentiment_error, 0.1),
        _told("attributes as asked, less the base's", now.attributes - base.attributes),
        _told("fluency, less the base's, nats a piece", now.fluency - base.fluency),
        _least("drafts that guards pass", now.passed, base.passed),
        _most("drafts with an unfounded claim", now.unfounded, base.unfounded),
        _most("claims a draft that press", now.pressing, base.pressing),
        _most("self-repetition of 8 drafts", now.repetition, base.repetition),
        _told("rounds before the watch stopped it", multi.tuned.steps),
    ]


def _ablation_bars(found: Mapping[str, Found]) -> list[Bar]:
    """What each objective is for is worse without it."""
    with_all = found[ONCE]
    bars: list[Bar] = []
    for name in (*EVERY, "guards"):
        without = found.get(f"without {name}")
        if without is not None:
            edge = _worth(with_all, name) - _worth(without, name)
            bars.append(Bar(name=f"{name}: what it adds", value=edge, target="> 0", holds=edge > 0))
    return bars


def _worth(found: Found, name: str) -> float:
    """How well a way does in what an objective is for; higher is better."""
    now = found.judged
    return {
        "conversion": now.lift,
        "diversity": now.off_diagonal,
        "sentiment": -now.sentiment_error,
        "cta": now.cta,
        "attributes": now.attributes,
        "fluency": now.fluency,
        "guards": now.passed,
    }[name]


def _collapse_bars(alone: Judged, base: Judged) -> list[Bar]:
    """That tuning for conversion alone gives up the rest."""
    bars: list[Bar] = []
    for name in DIVERSITY:
        ratio = getattr(alone, name) / getattr(base, name)
        ratio = 1 / ratio if name in ALIKE else ratio
        bars.append(_below(f"conversion alone: variety by {name}, over the base's", ratio))
    passed, pressing = alone.passed / base.passed, alone.pressing - base.pressing
    return [
        *bars,
        _below("conversion alone: drafts that guards pass, over the base's", passed),
        Bar(
            name="conversion alone: claims a draft that press, less the base's",
            value=pressing,
            target="> 0",
            holds=pressing > 0,
        ),
        _told("conversion alone: unfounded claims", alone.unfounded),
    ]


def _dial_bars(found: Mapping[str, Found]) -> list[Bar]:
    """That the paper's dial trades conversion for diversity, step by step."""
    ways = [each for each in found.values() if each.way.dial is not None]
    if len(ways) < 2:
        return []
    order = sorted(ways, key=lambda each: each.way.dial or 0.0)
    rises = np.diff([each.judged.off_diagonal for each in order])
    falls = np.diff([each.judged.lift for each in order])
    return [
        Bar(
            name="least step of diversity, λ .2 to .8",
            value=float(rises.min()),
            target="> 0",
            holds=bool((rises > 0).all()),
        ),
        Bar(
            name="largest step of predicted conversion, λ .2 to .8",
            value=float(falls.max()),
            target="< 0",
            holds=bool((falls < 0).all()),
        ),
    ]


def _shop_bars(rounds: Sequence[Sequence[loop.Turn]]) -> list[Bar]:
    """True rates after the last round, over all shops."""
    if not rounds:
        return []
    last = [turns[-1] for turns in rounds]
    bars: list[Bar] = []
    for name, goal in (("clicks", 0.125), ("orders", 0.083)):
        mean = float(np.mean([getattr(turn, name) for turn in last]))
        error = hypot(*(getattr(turn, f"{name}_error") for turn in last)) / len(last)
        low = exp(mean - 1.96 * error) - 1
        bars.append(_least(f"true {name} over the base's, goal", exp(mean) - 1, goal))
        bars.append(Bar(name=f"true {name}, lower end", value=low, target="> 0", holds=low > 0))
    return bars


def _least(name: str, value: float, least: float) -> Bar:
    return Bar(name=name, value=value, target=f">= {least:.4g}", holds=value >= least)


def _most(name: str, value: float, most: float) -> Bar:
    return Bar(name=name, value=value, target=f"<= {most:.4g}", holds=value <= most)


def _below(name: str, ratio: float) -> Bar:
    return Bar(name=name, value=ratio, target="< 1", holds=ratio < 1)


def _told(name: str, value: float) -> Bar:
    return Bar(name=name, value=value, target="for information")


def _tables(found: Sequence[Found]) -> list[Table]:
    """What drafts are worth and how varied they are; whether they are as asked, and sound."""
    heads = ("lift", "95 %", "D", "Vendi", "s-BLEU", "compr.", "repet.")
    worth = Table("way", *heads, title="drafts for held-out products")
    asked = Table("way", "cta", "attr.", "sent.", "passed", "false", "press", "fluency", "seconds")
    for each in found:
        now = each.judged
        worth.add_row(
            each.way.name + (" (stopped)" if each.tuned.why else ""),
            f"{now.lift:+.1%}",
            f"{now.low:+.1%} to {now.high:+.1%}",
            *(f"{getattr(now, name):.3f}" for name in DIVERSITY),
            f"{now.repetition:.2f}",
        )
        asked.add_row(
            each.way.name,
            f"{now.cta:.3f}",
            f"{now.attributes:.3f}",
            f"{now.sentiment_error:.3f}",
            f"{now.passed:.3f}",
            f"{now.unfounded:.3f}",
            f"{now.pressing:.2f}",
            f"{now.fluency:.2f}",
            f"{each.seconds:.0f}",
        )
    return [worth, asked]


def _rounds(rounds: Sequence[Sequence[loop.Turn]]) -> Table:
    table = Table("shop", "round", "lines", "true clicks", "true orders", "", title="closed loop")
    for world, turns in enumerate(rounds):
        for number, turn in enumerate(turns, start=1):
            table.add_row(
                str(world),
                str(number),
                str(turn.lessons),
                f"{exp(turn.clicks) - 1:+.1%} ±{1.96 * turn.clicks_error:.1%}",
                f"{exp(turn.orders) - 1:+.1%} ±{1.96 * turn.orders_error:.1%}",
                turn.why,
            )
    return table


def _shown(found: Found) -> dict[str, object]:
    return {
        **asdict(found.judged),
        "steps": found.tuned.steps,
        "seconds": found.seconds,
        "stopped": found.tuned.why,
        "paid": [asdict(paid) for paid in found.tuned.paid],
    }


if __name__ == "__main__":
    sys.exit(main())
