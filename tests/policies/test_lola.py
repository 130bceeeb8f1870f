"""LOLA as its authors publish it, against the formula written out arm by arm."""

from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_arm, make_context
from hookline.errors import BadInput
from hookline.policies import make_policy
from hookline.policies.lola import lola_index
from hookline.policies.tally import TallyState
from hookline.types import Forecast, dumps

Count = tuple[int, int]


def published(
    counts: list[Count], guesses: list[float], width: float, auxiliary: float
) -> list[float]:
    """LLM-2UCBs of each arm with these visitors and clicks, one arm after the other."""
    t = sum(n for n, _ in counts)
    indices: list[float] = []
    for (n, clicks), p in zip(counts, guesses, strict=True):
        both = (auxiliary * p + clicks) / (auxiliary + n)
        both += width * sqrt(log(t + 2) / (auxiliary + n))
        own = clicks / n + width * sqrt(log(t + 2) / n) if n else float("inf")
        indices.append(min(own, both))
    return indices


counted = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(
    lambda pair: (max(pair), min(pair))
)
arms_of_tests = st.lists(st.tuples(counted, st.floats(1e-4, 0.5)), min_size=2, max_size=6)


@settings(max_examples=80)
@given(arms_of_tests, st.floats(0, 10), st.floats(1, 1e6))
def test_index_is_the_papers(
    arms: list[tuple[Count, float]], width: float, auxiliary: float
) -> None:
    counts, guesses = [count for count, _ in arms], [guess for _, guess in arms]
    visitors, clicks = np.array(counts, dtype=np.float64).T
    found = lola_index(clicks, visitors, np.array(guesses), width=width, auxiliary=auxiliary)
    np.testing.assert_allclose(found, published(counts, guesses, width, auxiliary), rtol=1e-9)


def test_index_has_the_papers_constants_by_default() -> None:
    counts, guesses = [(900, 12), (1500, 40)], [0.02, 0.015]
    visitors, clicks = np.array(counts, dtype=np.float64).T
    found = lola_index(clicks, visitors, np.array(guesses))
    np.testing.assert_allclose(found, published(counts, guesses, 0.08, 1000.0), rtol=1e-12)


def test_index_takes_the_lower_of_two_bounds() -> None:
    """A good guess is overruled by an arm's own poor record, a good record by a poor guess."""
    poor_record = lola_index(np.array([0.0, 0]), np.array([2000.0, 0]), np.array([0.5, 0.0]))
    assert poor_record[0] == pytest.approx(0.08 * sqrt(log(2002) / 2000))
    poor_guess = lola_index(np.array([20.0, 0]), np.array([20.0, 0]), np.array([0.0, 0.0]))
    assert poor_guess[0] == pytest.approx(20 / 1020 + 0.08 * sqrt(log(22) / 1020))


def test_an_unseen_arm_has_its_guess_and_a_bonus_that_grows_with_all_visitors() -> None:
    for seen in (0.0, 10.0, 1e5):
        found = lola_index(np.array([0.0, 0]), np.array([seen, 0]), np.array([0.02, 0.03]))
        assert found[1] == pytest.approx(0.03 + 0.08 * sqrt(log(seen + 2) / 1000))


def test_index_broadcasts_over_tests() -> None:
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 2000, (4, 3)).astype(np.float64)
    clicks, guess = np.floor(shown * 0.02), rng.uniform(0.001, 0.05, (4, 3))
    rows = [lola_index(clicks[row], shown[row], guess[row]) for row in range(4)]
    np.testing.assert_array_equal(lola_index(clicks, shown, guess), rows)


def shares(counts: list[Count], means: list[float | None], **params: float) -> list[float]:
    """The policy's probabilities, with no floor."""
    policy = make_policy("lola", {"floor": 0.0, **params})
    sums = {f"a{k}": (n, float(clicks), float(clicks)) for k, (n, clicks) in enumerate(counts)}
    policy.load(dumps(TallyState(arms=sums)).decode())
    arms = [
        replace(
            make_arm(f"a{k}", control=k == 0),
            forecast=None if mean is None else Forecast(mean=mean, sd=0.2),
        )
        for k, mean in enumerate(means)
    ]
    return policy.probabilities(make_context(), "", arms).tolist()


@settings(max_examples=40)
@given(st.lists(st.tuples(counted, st.floats(-1, 1)), min_size=2, max_size=5))
def test_the_policy_plays_the_highest_index(arms: list[tuple[Count, float]]) -> None:
    counts, means = [count for count, _ in arms], [mean for _, mean in arms]
    index = np.array(published(counts, [0.03 * exp(mean) for mean in means], 0.2, 300.0))
    found = shares(counts, [*means], level=0.03, width=0.2, auxiliary=300.0)
    played = np.flatnonzero(found)
    assert np.all(index[played] >= index.max() * (1 - 1e-9))
    assert sum(found) == pytest.approx(1)


def test_the_policy_begins_with_the_best_forecast() -> None:
    assert shares([(0, 0)] * 3, [0.1, 0.3, -0.2]) == [0.0, 1.0, 0.0]


def test_the_policy_shares_ties_and_takes_no_forecast_for_a_typical_line() -> None:
    assert shares([(0, 0)] * 3, [0.0, None, -0.1]) == [0.5, 0.5, 0.0]


def test_more_of_what_a_guess_is_worth_holds_on_to_it_longer() -> None:
    counts, means = [(200, 1), (200, 6)], [0.3, 0.0]
    assert shares([*counts], [*means], auxiliary=100.0) == [0.0, 1.0]
    assert shares([*counts], [*means], auxiliary=1e6, width=0.5) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "value"), [("level", 0.0), ("width", -1.0), ("auxiliary", 0.0), ("auxiliary", 1e10)]
)
def test_a_parameter_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"{name} must lie in"):
        make_policy("lola", {name: value})


def test_a_clone_keeps_every_argument() -> None:
    given_ = {"level": 0.3, "width": 0.5, "auxiliary": 20.0, "floor": 0.03}
    clone = make_policy("lola", given_).clone()
    assert {name: getattr(clone, name) for name in given_} == given_
