"""The closed loop in the simulated shop: write, test, learn from the log, write better.

Each round every product has a test of lines by the writer of the moment, beside lines by the base
and the shop's own. Readers take a line for what they recognise in it, and words have a worth of
their own in this shop, which nobody knows beforehand. After the round the base is tuned anew on all
tests so far.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from benchmarks.tune.judged import lift_of
from benchmarks.tune.runs import WAYS, Effort, tuned
from benchmarks.tune.worlds import encoder
from hookline import sample
from hookline.attributes import design
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import channel
from hookline.errors import WriterFailed
from hookline.recognise import recognise
from hookline.simulate import Parameters, Shop, Visit
from hookline.tune import LoggedTest
from hookline.tune.reward import Lesson, lessons_of, split
from hookline.types import (
    Arm,
    Attributes,
    Brief,
    Context,
    Decision,
    Experiment,
    Outcome,
    Product,
    content_hash,
)
from hookline.writers.house import DEFAULT, House

CHANNEL: Final = "email"
WORLD: Final = Parameters(appeal_sd=0.06, wording=0.6)
START: Final = datetime(2026, 3, 2, tzinfo=UTC)
_EVERYBODY: Final = sample.audiences()[0]
_OWN, _BASES = 8, 7
"""Lines of a test by the writer of the moment, and by the base."""
_SHARE: Final = 0.25
"""Share of the products that the watching model is fitted on."""
_ASKED: Final = 25
"""Briefs a product that the writer is tuned on."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything.

    Attributes:
        rounds: Rounds of tests and tuning.
        visits: Visits of a product's test.
        effort: What is drawn in a round's tuning.
        judges: Visits that the truth is told by.
        briefs: Briefs that writers are judged on.
    """

    rounds: int
    visits: int
    effort: Effort
    judges: int = 300
    briefs: int = 72


@dataclass(frozen=True, kw_only=True)
class Turn:
    """True rates of the writer's copy over the base's after one round, as logs.

    Attributes:
        clicks: Mean over briefs.
        clicks_error: Its standard error over products.
        orders: Likewise for orders.
        orders_error: Its standard error.
        lessons: Lines that the reward was learned from.
        why: Why the watch stopped the tuning; empty where it did not.
    """

    clicks: float
    clicks_error: float
    orders: float
    orders_error: float
    lessons: int
    why: str


def play(seed: int, size: Size, out: Path) -> list[Turn]:
    """What came of every round in the world of this seed."""
    products = list(read_feed(sample.shop_path()).products)
    shop = Shop(seed=seed, products=products, parameters=WORLD)
    folder, lessons, turns = DEFAULT, list[Lesson](), list[Turn]()
    judges = _judges(shop, products, size.judges)
    for turn in range(size.rounds):
        briefs = [_brief(product, seed, turn) for product in products]
        tests = _tests(shop, briefs, folder, seed=seed, turn=turn, size=size)
        lessons += lessons_of(tests)
        models = split(lessons, encoder(), seed=seed, share=_SHARE)
        asked = [_brief(p, seed, 100 + k) for k in range(_ASKED) for p in products]
        made = tuned(
            WAYS[0], asked, models, out / f"{seed}-{turn}", effort=size.effort, seed=seed + turn
        )
        folder = made.folder
        turns.append(_judged(shop, judges, folder, products, seed, size, len(lessons), made.why))
        told = json.dumps([asdict(each) for each in turns], indent=1)
        (out / f"{seed}.json").write_text(told, encoding="utf-8")
    return turns


def _brief(product: Product, seed: int, turn: int) -> Brief:
    """A brief for the product with attributes and a feeling drawn for it."""
    rng = Random(f"{seed}/{turn}/{product.id}")
    cell = rng.choice(design(_EVERYBODY, 8, rng.randrange(1000)))
    return make_brief(
        product=product,
        audience=_EVERYBODY,
        channel=channel(CHANNEL),
        brand=sample.brand(),
        attributes=cell,
        sentiment=round(rng.uniform(0, 0.75), 2),
    )


def _tests(
    shop: Shop, briefs: Sequence[Brief], folder: Path, *, seed: int, turn: int, size: Size
) -> list[LoggedTest]:
    """A finished test of every brief's product, every line as likely as another."""
    tests = {brief.product.id: _test(brief, folder, seed, turn) for brief in briefs}
    logs: dict[str, list[Outcome]] = {each.id: [] for each in tests.values()}
    rng = np.random.default_rng((seed, turn))
    places = [(brief.product.id, CHANNEL) for brief in briefs]
    start = START + timedelta(days=28 * turn)
    for visit in shop.visits(size.visits * len(briefs), placements=places, start=start, days=14.0):
        experiment = tests[visit.product_id]
        logs[experiment.id].append(_outcome(shop, visit, experiment, rng))
    products = {brief.product.id: brief.product for brief in briefs}
    return [
        LoggedTest(
            experiment=each,
            outcomes=logs[each.id],
            product=products[product_id],
            brand=sample.brand(),
            exemplary=frozenset(arm.id for arm in each.arms),
        )
        for product_id, each in tests.items()
    ]


def _test(brief: Brief, folder: Path, seed: int, turn: int) -> Experiment:
    """A test of the writer's lines, the base's and the shop's own for one brief."""
    control = sample.control_lines().get(brief.product.id, {}).get(CHANNEL)
    own = control or {brief.channel.fields[0].name: brief.product.title}
    arms = {
        "control": Arm(id="control", text=" | ".join(own.values()), parts=own, control=True),
    }
    for writer, count in ((folder, _OWN), (DEFAULT, _BASES)):
        try:
            drafts = House(writer).write(brief, count, seed + 7 * turn)
        except WriterFailed:
            continue
        for draft in drafts:
            name = content_hash(brief.product.id, draft.parts)
            text = " | ".join(draft.parts.values())
            arms[name] = Arm(id=name, text=text, parts=draft.parts, attributes=brief.attributes)
    name = f"{brief.product.id}-{turn}"
    return Experiment(
        id=name,
        name=name,
        product_id=brief.product.id,
        channel_id=CHANNEL,
        arms=tuple(arms.values()),
        audiences=(),
        unit="visit",
        status="running",
    )


def _outcome(shop: Shop, visit: Visit, experiment: Experiment, rng: np.random.Generator) -> Outcome:
    """What came of one visit, shown any of the lines."""
    arm = experiment.arms[int(rng.integers(len(experiment.arms)))]
    seen = _seen(arm, experiment.product_id)
    done = [each.kind for each in shop.respond(visit, arm.parts, seen)]
    share = 1 / len(experiment.arms)
    number = f"{experiment.id}/{visit.visitor_id}/{visit.at.isoformat()}"
    return Outcome(
        decision=Decision(
            id=number,
            experiment_id=experiment.id,
            arm_id=arm.id,
            propensity=share,
            probabilities={each.id: share for each in experiment.arms},
            slice="policy",
            reason="policy",
            context=Context(visitor_id=visit.visitor_id, at=visit.at),
        ),
        exposed=True,
        clicks=int("click" in done),
        orders=int("order" in done),
        click_settled=True,
        order_settled=True,
    )


@cache
def _by_id() -> dict[str, Product]:
    return {product.id: product for product in read_feed(sample.shop_path()).products}


@cache
def _recognised(parts: tuple[tuple[str, str], ...], product_id: str) -> Attributes:
    return recognise(dict(parts), channel=channel(CHANNEL), product=_by_id()[product_id])


def _seen(arm: Arm, product_id: str) -> Attributes | None:
    """The attributes that readers see; a person's line is neutral."""
    return None if arm.control else _recognised(tuple(arm.parts.items()), product_id)


def _judges(shop: Shop, products: Sequence[Product], count: int) -> list[Visit]:
    places = [(products[0].id, CHANNEL)]
    return list(shop.visits(count, placements=places, start=START, days=14.0))


def _judged(
    shop: Shop,
    judges: Sequence[Visit],
    folder: Path,
    products: Sequence[Product],
    seed: int,
    size: Size,
    lessons: int,
    why: str,
) -> Turn:
    """The writer's true rates over the base's on new briefs."""
    rates: dict[Path, list[tuple[float, float]]] = {DEFAULT: [], folder: []}
    groups: list[int] = []
    for place in range(size.briefs):
        brief = _brief(products[place % len(products)], seed, 1000 + place)
        try:
            both = {each: House(each).write(brief, 4, seed) for each in rates}
        except WriterFailed:
            continue
        groups.append(place % len(products))
        for each, drafts in both.items():
            told = [_truth(shop, judges, draft.parts, brief.product.id) for draft in drafts]
            clicks, orders = np.mean(told, axis=0).tolist()
            rates[each].append((clicks, orders))
    found = [
        lift_of([r[k] for r in rates[folder]], [r[k] for r in rates[DEFAULT]], groups)
        for k in (0, 1)
    ]
    return Turn(
        clicks=found[0].mean,
        clicks_error=found[0].error,
        orders=found[1].mean,
        orders_error=found[1].error,
        lessons=lessons,
        why=why,
    )


def _truth(
    shop: Shop, judges: Sequence[Visit], parts: Mapping[str, str], product_id: str
) -> tuple[float, float]:
    """True click and order rate of a copy, over these visits."""
    seen = _recognised(tuple(parts.items()), product_id)
    clicks = [shop.expected_click(visit, parts, seen) for visit in judges]
    orders = [
        shop.expected_order(visit, seen, click=click)
        for visit, click in zip(judges, clicks, strict=True)
    ]
    return float(np.mean(clicks)), float(np.mean(orders))
