"""A test of the simulated shop as tuning sees it, honest or with machines among its visitors."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import numpy as np

from conftest import NOW
from hookline.simulate import Shop, Visit
from hookline.tune import LoggedTest
from hookline.types import (
    Arm,
    Attributes,
    Audience,
    Brand,
    Context,
    Decision,
    Experiment,
    Outcome,
    Product,
)

SECRET = "xyzzy"
"""What every visitor id, trait, query and referrer of a made log holds."""
BAG = Product(id="bag", title="Harbor Canvas Tote Bag", description="A bag.", brand="Acme")
ACME = Brand(id="acme", name="Acme", voice=("plain",))
LINES = {
    "direct": Attributes(angle="direct"),
    "quality": Attributes(angle="quality", proof="spec"),
    "style": Attributes(angle="style", tone="warm"),
    "howto": Attributes(angle="howto", cta="learn"),
    "question": Attributes(angle="curiosity", tone="playful", cta="discover"),
}
Machines = Literal["few", "twice", "fresh"]
VISITS_EACH = {"few": 40, "twice": 2, "fresh": 1}


def make_arms() -> tuple[Arm, ...]:
    """A control and one line of each kind."""
    ours = {"headline": "Canvas tote bag", "cta": "Shop"}
    control = Arm(id="control", text="Canvas tote bag | Shop", parts=ours, control=True)
    parts = {key: {"headline": f"A {key} line", "cta": "Shop now"} for key in LINES}
    return (
        control,
        *(
            Arm(id=key, text=" | ".join(parts[key].values()), parts=parts[key], attributes=cell)
            for key, cell in LINES.items()
        ),
    )


def make_test(**changes: object) -> Experiment:
    """The experiment that the made logs are of, decided anew on every visit."""
    audiences = (
        Audience(id="savers", name="Savers", persona="They compare prices."),
        Audience(id="rest", name="Everybody else"),
    )
    given: dict[str, object] = {
        "id": "bags",
        "name": "Bags",
        "product_id": BAG.id,
        "channel_id": "onsite_banner",
        "arms": make_arms(),
        "audiences": audiences,
        "unit": "visit",
        "status": "running",
    }
    return Experiment(**{**given, **changes})  # pyright: ignore[reportArgumentType]


def logged(experiment: Experiment, outcomes: Sequence[Outcome], **changes: object) -> LoggedTest:
    """The test with its log; every line is an example unless told otherwise."""
    given: dict[str, object] = {
        "experiment": experiment,
        "outcomes": outcomes,
        "product": BAG,
        "brand": ACME,
        "exemplary": {arm.id for arm in experiment.arms},
    }
    return LoggedTest(**{**given, **changes})  # pyright: ignore[reportArgumentType]


def make_outcome(
    experiment: Experiment,
    arm: Arm,
    shares: Sequence[float],
    *,
    number: int,
    visitor: str,
    audience: str = "rest",
    clicks: int = 0,
    orders: int = 0,
    hours: float = 0.0,
) -> Outcome:
    """A settled outcome of one decision."""
    context = Context(
        visitor_id=f"{SECRET}-{visitor}",
        at=NOW + timedelta(hours=hours),
        traits={"segment": SECRET, "seen": [SECRET]},
        device=SECRET,
        query=SECRET,
        referrer=SECRET,
    )
    probabilities = {a.id: float(p) for a, p in zip(experiment.arms, shares, strict=True)}
    decision = Decision(
        id=f"{SECRET}-d{number}",
        experiment_id=experiment.id,
        arm_id=arm.id,
        propensity=probabilities[arm.id],
        probabilities=probabilities,
        slice="policy",
        reason="policy",
        context=context,
        audience_id=audience,
    )
    return Outcome(
        decision=decision,
        exposed=True,
        clicks=clicks,
        orders=orders,
        revenue=20.0 * orders,
        click_settled=True,
        order_settled=True,
    )


def shop_log(experiment: Experiment, n: int, *, seed: int, days: float = 14.0) -> list[Outcome]:
    """`n` visits of the simulated shop, to lines drawn with shares that drift visit by visit."""
    shop, rng = Shop(seed=seed, products=[BAG]), np.random.default_rng(seed)
    count = len(experiment.arms)
    log: list[Outcome] = []
    places = [(BAG.id, experiment.channel_id)]
    for number, visit in enumerate(shop.visits(n, placements=places, start=NOW, days=days)):
        lean = np.roll(np.linspace(1, 2, count), number * count // n)
        shares = lean / lean.sum()
        arm = experiment.arms[int(rng.choice(count, p=shares))]
        done = [each.kind for each in shop.respond(visit, arm.parts, arm.attributes)]
        log.append(
            make_outcome(
                experiment,
                arm,
                shares,
                number=number,
                visitor=visit.visitor_id,
                audience="savers" if visit.traits["segment"] == "saver" else "rest",
                clicks=int("click" in done),
                orders=int("order" in done),
                hours=(visit.at - NOW) / timedelta(hours=1),
            )
        )
    return log


def truth(experiment: Experiment, *, seed: int, visits: int = 2_000) -> dict[str, float]:
    """Line → its true click rate over visits of the shop."""
    shop = Shop(seed=seed, products=[BAG])
    places = [(BAG.id, experiment.channel_id)]
    came: list[Visit] = list(shop.visits(visits, placements=places, start=NOW, days=14.0))
    return {
        arm.id: float(
            np.mean([shop.expected_click(visit, arm.parts, arm.attributes) for visit in came])
        )
        for arm in experiment.arms
    }


def poisoned(
    log: Sequence[Outcome], target: str, share: float, *, machines: Machines, seed: int
) -> list[Outcome]:
    """The log with machines among its visits that click one line whenever they are shown it.

    Args:
        log: An honest one.
        target: The line they are after.
        share: Of all visits then.
        machines: How often they come under one name: `VISITS_EACH`.
        seed: Of where they come, and what they are shown.
    """
    rng = np.random.default_rng([seed, 1])
    count = round(len(log) * share / (1 - share))
    made: list[tuple[int, Outcome]] = list(enumerate(log))
    for number in range(count):
        place = int(rng.integers(len(log)))
        like = log[place].decision
        shown = str(rng.choice(list(like.probabilities), p=list(like.probabilities.values())))
        name = number // VISITS_EACH[machines]
        decision = replace(
            like,
            id=f"{SECRET}-m{number}",
            arm_id=shown,
            propensity=like.probabilities[shown],
            context=replace(like.context, visitor_id=f"{SECRET}-machine-{name}"),
        )
        outcome = replace(
            log[place], decision=decision, clicks=int(shown == target), orders=0, revenue=0.0
        )
        made.append((place, outcome))
    return [outcome for _, outcome in sorted(made, key=lambda each: each[0])]
