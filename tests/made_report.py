"""An experiment whose outcomes are made to order, and the report on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from hookline.report import analyze
from hookline.types import (
    Arm,
    Audience,
    Context,
    Decision,
    Experiment,
    ExperimentReport,
    Outcome,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
PRICE = 30.0


def experiment(arms: int = 3, **changes: object) -> Experiment:
    base = Experiment(
        id="e1",
        name="Rain jacket · e-mail",
        product_id="p1",
        channel_id="email",
        arms=tuple(
            Arm(id=f"a{k}", text=f"Line {k} [b]", parts={"subject": f"Line {k}"}, control=k == 0)
            for k in range(arms)
        ),
        audiences=(
            Audience(id="hikers", name="Hikers", when={"interest": ("hiking",)}),
            Audience(id="all", name="All others"),
        ),
        policy="thompson",
        horizon=4_000,
        status="running",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def outcomes(
    test: Experiment,
    n: int,
    rates: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    seed: int = 0,
    shares: Sequence[float] | None = None,
) -> list[Outcome]:
    """Settled outcomes under a policy with fixed shares; every clicker's fifth orders."""
    rng, count = np.random.default_rng(seed), len(test.arms)
    pi = np.array(shares or [1 / count] * count)
    marginal = test.uniform / count + (1 - test.holdout - test.uniform) * pi
    marginal[0] += test.holdout
    logged = {arm.id: p for arm, p in zip(test.arms, marginal.tolist(), strict=True)}
    made: list[Outcome] = []
    for i, arm in enumerate(rng.choice(count, n, p=marginal).tolist()):
        audience = test.audiences[i % 2].id
        rate = rates[audience][arm] if isinstance(rates, Mapping) else rates[arm]
        clicked = rng.random() < rate
        ordered = clicked and i % 5 == 0
        decision = Decision(
            id=f"{test.id}-{i}",
            experiment_id=test.id,
            arm_id=test.arms[arm].id,
            propensity=float(marginal[arm]),
            probabilities=logged,
            slice="policy",
            reason="policy",
            context=Context(visitor_id=f"v{i}", at=START + timedelta(minutes=i)),
            audience_id=audience,
        )
        made.append(
            Outcome(
                decision=decision,
                exposed=True,
                clicks=int(clicked),
                orders=int(ordered),
                revenue=PRICE * ordered,
                click_settled=True,
                order_settled=True,
            )
        )
    return made


def report(test: Experiment, made: Sequence[Outcome]) -> ExperimentReport:
    return analyze(test, made, {arm.id: 0.25 for arm in test.arms}, writing_usd=0.5).report
