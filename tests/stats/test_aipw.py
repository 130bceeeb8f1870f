import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.stats import policy_shares, running_means, scores, value
from hookline.stats.aipw import Array, Integers

PRIOR = 20.0


def by_hand(rewards: Array, arms: Integers, count: int, strata: Integers) -> Array:
    """`running_means` as a loop that looks at one unit after the other."""
    means = np.zeros((len(rewards), count))
    for i in range(len(rewards)):
        past = rewards[:i]
        overall = past.sum() / (i + PRIOR)
        for arm in range(count):
            own = past[arms[:i] == arm]
            wide = (own.sum() + PRIOR * overall) / (len(own) + PRIOR)
            near = past[(arms[:i] == arm) & (strata[:i] == strata[i])]
            means[i, arm] = (near.sum() + PRIOR * wide) / (len(near) + PRIOR)
    return means


def log(rng: np.random.Generator, n: int, count: int) -> tuple[Array, Integers, Array]:
    probabilities = rng.dirichlet(np.ones(count), n) * 0.9 + 0.1 / count
    arms = np.array([rng.choice(count, p=row) for row in probabilities])
    return rng.random(n), arms, probabilities


def test_running_means_equal_a_loop_over_the_past() -> None:
    rng = np.random.default_rng(0)
    rewards, arms, _ = log(rng, 60, 3)
    strata = rng.integers(0, 2, 60)
    assert np.allclose(running_means(rewards, arms, 3, strata), by_hand(rewards, arms, 3, strata))


@given(st.integers(0, 39), st.integers(0, 2**32 - 1))
def test_running_means_never_see_their_own_or_a_later_unit(place: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rewards, arms, _ = log(rng, 40, 3)
    strata = rng.integers(0, 2, 40)
    before = running_means(rewards, arms, 3, strata)[: place + 1]
    changed = rewards.copy()
    changed[place:] += 100
    assert np.array_equal(before, running_means(changed, arms, 3, strata)[: place + 1])


def test_scores_average_to_the_truth_over_every_draw() -> None:
    """Summing over the arm drawn, with its probability, gives the mean reward exactly."""
    truth, probabilities = np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.3, 0.6])
    past = np.array([1.0, 0.0, 1.0])
    total = np.zeros(3)
    for arm in range(3):
        rewards = np.append(past, truth[arm])
        found = scores(rewards, np.array([0, 1, 2, arm]), np.tile(probabilities, (4, 1)))
        total += probabilities[arm] * found[-1]
    assert np.allclose(total, truth)


def test_scores_of_an_arm_that_could_not_be_drawn_are_nan() -> None:
    found = scores(np.array([1.0, 1.0]), np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert np.isnan(found).tolist() == [[False, True], [False, False]]


def test_scores_of_nobody_are_empty() -> None:
    assert scores(np.empty(0), np.empty(0, np.int64), np.empty((0, 2))).shape == (0, 2)


def test_scores_without_a_propensity_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        scores(np.ones(1), np.array([1]), np.array([[1.0, 0.0]]))
    with pytest.raises(ValueError, match="above 0"):
        scores(np.ones(1), np.array([0]), np.array([[np.nan, 1.0]]))
    with pytest.raises(ValueError, match="units need"):
        scores(np.ones(2), np.array([0]), np.array([[1.0, 0.0]]))


@given(
    st.integers(1, 6),
    st.floats(0, 0.5),
    st.floats(0, 0.49),
    st.integers(0, 2**32 - 1),
)
def test_policy_shares_undo_the_mixture(
    count: int, holdout: float, uniform: float, seed: int
) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(count), 5)
    marginal = uniform / count + (1 - holdout - uniform) * shares
    marginal[:, 0] += holdout
    found = policy_shares(marginal, 0, holdout=holdout, uniform=uniform)
    assert found is not None
    assert np.allclose(found, shares, atol=1e-9)


def test_policy_shares_count_only_arms_that_could_be_drawn() -> None:
    marginal = np.array([[0.1 + 0.05 + 0.4, 0.05 + 0.4, 0.0]])
    found = policy_shares(marginal, 0, holdout=0.1, uniform=0.1)
    assert found is not None
    assert np.allclose(found, [[0.5, 0.5, 0.0]])


def test_policy_shares_that_do_not_fit_are_unknown() -> None:
    even = np.array([[0.5, 0.5]])
    assert policy_shares(even, 0, holdout=0.5, uniform=0.5) is None
    assert policy_shares(even, 0, holdout=0.5, uniform=0.3) is None
    assert policy_shares(np.array([[0.5, 0.4]]), 0, holdout=0.0, uniform=0.0) is None


def test_value_of_what_was_served_leaves_ignored_arms_out() -> None:
    found = value(np.array([[1.0, 3.0, np.nan]]), np.array([[0.25, 0.75, 0.0]]))
    assert found.tolist() == [2.5]
    assert np.isnan(value(np.array([[1.0, np.nan]]), np.array([[0.5, 0.5]])))[0]


EVEN = np.full((2, 2), 0.5)
BOTH = np.array([0, 1])


@pytest.mark.parametrize(
    "row", [[0.5, np.nan], [1.5, 0.5], [np.inf, 0.5], [0.5, np.inf], [0.5, -0.5], [0.9, 0.9]]
)
def test_scores_of_what_is_no_probability_are_refused(row: list[float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        scores(np.ones(2), BOTH, np.array([row, [0.5, 0.5]]))


@pytest.mark.parametrize("sum_of_rounding", [1 + 1e-12, 1.0])
def test_scores_bear_probabilities_that_were_rounded(sum_of_rounding: float) -> None:
    rounded = np.array([[sum_of_rounding, 0.0], [0.5, 0.5]])
    assert scores(np.ones(2), BOTH, rounded)[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("reward", [np.nan, np.inf, -np.inf])
def test_a_reward_that_is_missing_is_refused(reward: float) -> None:
    rewards = np.array([reward, 1.0])
    for read in (lambda: scores(rewards, BOTH, EVEN), lambda: running_means(rewards, BOTH, 2)):
        with pytest.raises(ValueError, match="rewards must be finite"):
            read()


@pytest.mark.parametrize("arm", [-1, 2])
def test_an_arm_that_is_none_is_refused(arm: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        scores(np.ones(2), np.array([0, arm]), EVEN)


def test_strata_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="strata"):
        scores(np.ones(2), BOTH, EVEN, np.array([0]))


@pytest.mark.parametrize("row", [[np.nan, 0.5], [np.inf, 0.5], [0.0, 0.0]])
def test_policy_shares_of_what_is_no_probability_are_unknown(row: list[float]) -> None:
    assert policy_shares(np.array([row, [0.5, 0.5]]), 0, holdout=0.1, uniform=0.1) is None


@pytest.mark.parametrize("shares", [(-0.1, 0.0), (0.0, -0.1), (np.nan, 0.0)])
def test_policy_shares_beside_what_is_no_share_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        policy_shares(EVEN, 0, holdout=shares[0], uniform=shares[1])


def test_value_of_a_weight_that_is_missing_is_missing() -> None:
    assert np.isnan(value(np.array([[1.0, 2.0]]), np.array([[0.5, np.nan]])))[0]
