"""Weights: constraints find theirs, fixed ones stay, and gated copy is never worth it."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.tune.duals import LEAST_SCALE, MARGIN, Fixed, Mix, Weights
from hookline.tune.objectives import FloatArray
from hookline.types import dumps, loads

GROUPS = np.repeat(np.arange(4), 8)
ALL = np.ones(32, dtype=np.bool_)
FINITE = st.floats(-50, 50)


def values_of(seed: int, **means: float) -> dict[str, FloatArray]:
    rng = np.random.default_rng(seed)
    return {name: mean + rng.standard_normal(32) for name, mean in means.items()}


def play(weights: Weights, *, slope: float, rounds: int, seed: int) -> tuple[Weights, list[float]]:
    """A writer with one number x, climbed by the score-function gradient of its group's reward.

    Conversion is −(x − 2)², `near` is −slope · x and `far` x + 10.
    """
    rng = np.random.default_rng(seed)
    x, path = 0.0, list[float]()
    for _ in range(rounds):
        noise = rng.standard_normal(32)
        drawn = x + 0.3 * noise
        values = {"conversion": -((drawn - 2) ** 2), "near": -slope * drawn, "far": drawn + 10}
        reward = weights.combine(values, ALL, GROUPS)
        means = (np.bincount(GROUPS, reward) / 8)[GROUPS]
        x += 0.2 * float(np.mean((reward - means) * noise))
        weights = weights.update(values, ALL, GROUPS)
        path.append(x)
    return weights, path


@settings(max_examples=4)
@given(edge=st.floats(0.2, 1.6), slope=st.floats(0.5, 2.0), seed=st.integers(0, 99))
def test_a_constraint_that_binds_ends_at_its_bound_and_a_slack_one_weighs_nothing(
    edge: float, slope: float, seed: int
) -> None:
    bounds = {"near": -slope * edge, "far": 5.0}
    start = Weights(goals={"conversion": 1.0}, bounds=bounds, rate=0.03)
    end, path = play(start, slope=slope, rounds=1_500, seed=seed)
    assert np.mean(path[-400:]) == pytest.approx(edge, abs=0.1)
    assert 0.05 < end.weights["near"] < end.cap
    assert end.weights["far"] == 0.0


def test_without_the_constraint_the_goal_is_reached() -> None:
    free = Weights(goals={"conversion": 1.0}, bounds={"far": 5.0}, rate=0.03)
    _, path = play(free, slope=1.0, rounds=1_500, seed=0)
    assert np.mean(path[-400:]) == pytest.approx(2.0, abs=0.1)


@given(mean=FINITE, bound=FINITE, seed=st.integers(0, 9))
def test_a_weight_moves_towards_its_bound_and_stays_between_nothing_and_the_cap(
    mean: float, bound: float, seed: int
) -> None:
    values = values_of(seed, conversion=0.0, cta=mean)
    weights = Weights(
        goals={"conversion": 1.0}, bounds={"cta": bound}, multipliers={"cta": 1.0}, cap=2.0
    )
    after = weights.update(values, ALL, GROUPS).weights["cta"]
    short = bound - float(values["cta"].mean())
    assert 0.0 <= after <= 2.0
    assert (after - 1.0) * short >= 0


def test_one_that_cannot_be_met_stops_at_the_cap() -> None:
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 9.0}, cap=3.0)
    for seed in range(40):
        weights = weights.update(values_of(seed, conversion=0.0, cta=0.0), ALL, GROUPS)
    assert weights.weights == {"conversion": 1.0, "cta": 3.0}


@given(factor=st.floats(0.1, 1000), seed=st.integers(0, 9))
def test_the_unit_of_an_objective_does_not_matter(factor: float, seed: int) -> None:
    plain = values_of(seed, conversion=0.0, cta=0.0)
    scaled = {**plain, "conversion": factor * plain["conversion"]}
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.5}, multipliers={"cta": 0.7})
    assert weights.combine(scaled, ALL, GROUPS) == pytest.approx(
        weights.combine(plain, ALL, GROUPS)
    )


def test_an_objective_that_never_varies_does_not_blow_up() -> None:
    values = {**values_of(0, conversion=0.0), "cta": np.ones(32)}
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.95}, multipliers={"cta": 1.0})
    weights = weights.update(values, ALL, GROUPS)
    assert weights.scales.scale("cta") == LEAST_SCALE
    reward = weights.combine(values, ALL, GROUPS)
    share = weights.weights["conversion"] / sum(weights.weights.values())
    scale = weights.scales.scale("conversion")
    assert np.ptp(reward) == pytest.approx(share * np.ptp(values["conversion"]) / scale)


def test_a_bound_far_away_moves_a_weight_by_the_rate_and_no_more() -> None:
    values = {**values_of(0, conversion=0.0), "cta": np.zeros(32)}
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.95}, rate=0.1)
    assert weights.update(values, ALL, GROUPS).weights["cta"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "mix",
    [
        Weights(goals={"conversion": 1.0}, bounds={"cta": 0.0}, multipliers={"cta": 1.0}),
        Fixed(fixed={"conversion": 1.0, "cta": 1.0}),
    ],
)
def test_what_a_guard_rejects_is_worth_less_than_all_of_its_group(mix: Mix) -> None:
    values, ok = values_of(3, conversion=0.0, cta=0.0), ALL.copy()
    ok[[1, 9, 10]] = False
    values["conversion"][1] = 100.0
    reward = mix.combine(values, ok, GROUPS)
    for group in (0, 1):
        own = group == GROUPS
        assert reward[own & ~ok].max() <= reward[own & ok].min() - MARGIN
    free = mix.combine(values, ALL, GROUPS)
    assert reward[ok] == pytest.approx(free[ok])


def test_only_copy_that_passes_counts_towards_a_bound() -> None:
    values, ok = values_of(4, conversion=0.0), GROUPS > 0
    values["cta"] = np.where(ok, 1.0, 0.0)
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.95})
    assert weights.update(values, ok, GROUPS).weights["cta"] == 0.0
    assert weights.update(values, ALL, GROUPS).weights["cta"] > 0.0


def test_a_batch_that_nothing_passes_teaches_nothing() -> None:
    values = values_of(5, conversion=0.0, cta=0.0)
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.5})
    assert weights.update(values, ~ALL, GROUPS) is weights
    fixed = Fixed(fixed={"cta": 1.0})
    assert fixed.update(values, ~ALL, GROUPS) is fixed


def test_weights_are_saved_and_gone_on_with_exactly() -> None:
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.5})
    for seed in range(3):
        weights = weights.update(values_of(seed, conversion=0.0, cta=0.0), ALL, GROUPS)
    again = loads(dumps(weights), Weights)
    assert again == weights
    batch = values_of(7, conversion=1.0, cta=0.0)
    assert again.update(batch, ALL, GROUPS) == weights.update(batch, ALL, GROUPS)
    fixed = Fixed.paper(0.3).update(values_of(1, conversion=0.0, diversity=0.0), ALL, GROUPS)
    assert loads(dumps(fixed), Fixed) == fixed


def best(dial: float, values: Mapping[str, FloatArray], *, literal: bool = False) -> int:
    mix = Fixed.paper(dial, literal=literal).update(values, ALL, GROUPS)
    return int(mix.combine(values, ALL, GROUPS).argmax())


def test_the_papers_dial_goes_from_what_sells_to_what_differs() -> None:
    values = values_of(6, conversion=0.0, diversity=0.0)
    dials = np.linspace(0, 1, 11).tolist()
    chosen = [best(dial, values) for dial in dials]
    assert chosen[0] == values["conversion"].argmax()
    assert chosen[-1] == values["diversity"].argmax()
    assert (np.diff(values["diversity"][chosen]) >= 0).all()
    assert (np.diff(values["conversion"][chosen]) <= 0).all()


def test_taken_literally_diversity_rules_at_nearly_every_dial() -> None:
    values = values_of(6, conversion=0.0, diversity=0.0)
    values = {"conversion": 0.2 * values["conversion"], "diversity": 0.3 * values["diversity"]}
    assert best(0.2, values, literal=True) == values["diversity"].argmax()
    assert best(0.2, values) != values["diversity"].argmax()
    odds = 0.03 / 0.97 * np.exp(values["conversion"])
    expected = 0.2 * values["diversity"] + 0.8 * odds / (1 + odds)
    literal = Fixed.paper(0.2, literal=True)
    assert literal.combine(values, ALL, GROUPS) == pytest.approx(expected)


def test_values_that_are_missing_or_no_numbers_are_refused() -> None:
    weights = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.5})
    values = values_of(0, conversion=0.0)
    with pytest.raises(BadInput, match="cta is weighed but not among the values: conversion"):
        weights.combine(values, ALL, GROUPS)
    for wrong in (np.nan, np.inf):
        bad = {**values, "cta": np.full(32, wrong)}
        with pytest.raises(BadInput, match="cta has 32 of 32 values that are no finite number"):
            weights.update(bad, ALL, GROUPS)
    with pytest.raises(BadInput, match="cta has 3 values for 32 candidates"):
        weights.combine({**values, "cta": np.ones(3)}, ALL, GROUPS)
    with pytest.raises(BadInput, match="32 gates for 3 candidates"):
        weights.combine(values, ALL, GROUPS[:3])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"goals": {}}, "at least one goal"),
        ({"goals": {"cta": 1.0}}, "can be one of them"),
        ({"goals": {"conversion": 0.0}}, "above 0"),
        ({"rate": 0.0}, "rate"),
        ({"cap": -1.0}, "cap"),
    ],
)
def test_weights_out_of_range_are_refused(wrong: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"goals": {"conversion": 1.0}, "bounds": {"cta": 0.9}, **wrong}
    with pytest.raises(ValueError, match=said):
        Weights(**given)  # pyright: ignore[reportArgumentType]


def test_fixed_weights_out_of_range_are_refused() -> None:
    for wrong in ({}, {"cta": 0.0}, {"cta": 1.0, "conversion": -1.0}):
        with pytest.raises(ValueError, match="at least 0"):
            Fixed(fixed=wrong)
    with pytest.raises(BadInput, match="from 0 to 1"):
        Fixed.paper(1.5)


# --- weights of one large batch -----------------------------------------------------------------


def opposed(seed: int, groups: int = 60) -> tuple[dict[str, FloatArray], np.ndarray, np.ndarray]:
    """What sells less the nearer it is, in groups of 8."""
    rng = np.random.default_rng(seed)
    conversion = rng.standard_normal(8 * groups)
    near = -conversion + 0.5 * rng.standard_normal(8 * groups)
    return (
        {"conversion": conversion, "near": near},
        np.ones(8 * groups, dtype=np.bool_),
        np.repeat(np.arange(groups), 8),
    )


@given(seed=st.integers(0, 20))
def test_settled_weights_are_nothing_where_there_is_room_and_the_cap_where_there_is_none(
    seed: int,
) -> None:
    values, ok, groups = opposed(seed)
    found = [
        Weights(goals={"conversion": 1.0}, bounds={"near": bound}, cap=3.0)
        .settled(values, ok, groups)
        .weights["near"]
        for bound in (-9.0, -0.8, -0.2, 0.3, 9.0)
    ]
    assert found[0] == 0.0
    assert found[-1] == 3.0
    assert found == sorted(found)
    assert 0.0 < found[2] < 3.0


@given(seed=st.integers(0, 20))
def test_settled_weights_meet_the_bound_in_what_is_drawn_for_the_reward(seed: int) -> None:
    values, ok, groups = opposed(seed)
    weights = Weights(goals={"conversion": 1.0}, bounds={"near": -0.3}, cap=10.0)
    settled = weights.settled(values, ok, groups, nats=1.0)
    reward = settled.combine(values, ok, groups) * (1 + settled.weights["near"])

    def drawn(steep: float) -> tuple[float, float]:
        """Mean of `near`, and nats a group, of copies drawn e^(steep · reward) times as often."""
        rows = np.exp(steep * reward).reshape(-1, 8)
        share = rows / rows.sum(axis=1, keepdims=True)
        nats = float((share * np.log(8 * share)).sum(axis=1).mean())
        return float((share * values["near"].reshape(-1, 8)).sum(axis=1).mean()), nats

    near = min((drawn(steep) for steep in np.linspace(0.1, 8, 400)), key=lambda d: abs(d[1] - 1.0))
    assert near[0] == pytest.approx(-0.3, abs=0.05)


def test_what_guards_reject_settles_nothing() -> None:
    values, ok, groups = opposed(1)
    weights = Weights(goals={"conversion": 1.0}, bounds={"near": -0.3})
    ok[::5] = False
    strange = {name: np.where(ok, each, 50.0) for name, each in values.items()}
    assert weights.settled(strange, ok, groups) == weights.settled(values, ok, groups)
    assert weights.settled(values, np.zeros_like(ok), groups) == weights


def test_fixed_weights_stay_when_they_settle() -> None:
    values, ok, groups = opposed(2)
    fixed = Fixed(fixed={"conversion": 0.3, "near": 0.7})
    settled = fixed.settled(values, ok, groups)
    assert settled.weights == fixed.weights
    assert settled.scales.scale("near") > LEAST_SCALE
