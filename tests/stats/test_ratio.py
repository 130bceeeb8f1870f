"""Sample-ratio tests: against enumeration, closed forms and archives with known faults."""

import csv
import gzip
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp
from scipy.stats import chisquare

from hookline.stats import (
    Bets,
    RatioTest,
    benjamini_hochberg,
    ratio,
    sample_ratio,
    split_test,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

DATA = Path(__file__).parents[2] / "../shared/data"
ALPHA = 0.01


def drawn(rng: np.random.Generator, probabilities: Array) -> Integers:
    """An arm for each row."""
    reached = probabilities.cumsum(axis=1) < rng.random((len(probabilities), 1))
    return reached.sum(axis=1).clip(0, probabilities.shape[1] - 1)


# --- sequential --------------------------------------------------------------------------------


def history_probabilities(past: Sequence[int]) -> list[float]:
    """Made-up probabilities of three arms that depend on all that was drawn before."""
    score = [1.0 + past.count(arm) + 0.3 * len(past) * (arm == 1) for arm in range(3)]
    score[2] *= len(past) > 1  # added in flight
    return [value / sum(score) for value in score]


def test_sample_ratio_mean_e_value_is_one_whatever_the_policy() -> None:
    """Σ over all histories of their probability times E, the definition of a fair bet."""
    total, reached = 0.0, 0.0
    for path in product(range(3), repeat=6):
        rows = np.array([history_probabilities(path[:i]) for i in range(6)])
        chance = float(np.prod(rows[np.arange(6), path]))
        if chance == 0:
            continue
        found = sample_ratio(np.array(path), rows, alpha=0.5)
        assert found.e_value is not None
        total += chance * found.e_value
        reached += chance
    assert reached == pytest.approx(1, abs=1e-12)
    assert total == pytest.approx(1, abs=1e-12)


def test_sample_ratio_with_fixed_shares_is_the_dirichlet_multinomial_test() -> None:
    """Lindon and Malek's closed form, averaged over the concentrations."""
    shares = np.array([0.6, 0.3, 0.1])
    arms = drawn(np.random.default_rng(3), np.tile([0.5, 0.35, 0.15], (900, 1)))
    counts = np.bincount(arms, minlength=3)
    logs = [
        gammaln(c) - gammaln(c + 900) + (gammaln(c * shares + counts) - gammaln(c * shares)).sum()
        for c in ratio.CONCENTRATIONS
    ]
    exact = logsumexp(logs) - np.log(len(logs)) - counts @ np.log(shares)
    found = sample_ratio(arms, np.tile(shares, (900, 1)))
    assert found.log_e_value == pytest.approx(float(exact), abs=1e-8)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_sample_ratio_anytime_p_value_never_rises(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), 400)
    arms = drawn(rng, p)
    early, late = sample_ratio(arms[:cut], p[:cut]), sample_ratio(arms, p)
    assert early.p_value is not None
    assert late.p_value is not None
    assert late.p_value <= early.p_value <= 1
    if early.flagged:
        assert late.first_flagged == early.first_flagged


def test_sample_ratio_does_not_mind_how_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(3), 2_000)
    arms = np.where(rng.random(2_000) < 0.2, 0, drawn(rng, p))
    whole = sample_ratio(arms, p)
    monkeypatch.setattr(ratio, "_CELLS", 21)
    pieces = sample_ratio(arms, p)
    assert pieces.first_flagged == whole.first_flagged is not None
    assert pieces.log_e_value == pytest.approx(whole.log_e_value, rel=1e-9)


def test_sample_ratio_keeps_its_level_under_a_policy_that_learns() -> None:
    """600 runs whose probabilities follow what was drawn, looked at after every unit.

    At most alpha of them may raise an alarm at any look; the bound is 4 standard errors above.
    """
    rng = np.random.default_rng(5)
    runs, n, alpha = 600, 400, 0.1
    seen = np.ones((runs, 3))
    p, arms = np.empty((n, runs, 3)), np.empty((n, runs), dtype=np.int64)
    for i in range(n):
        favour = seen ** np.sin(i / 40)
        p[i] = 0.05 / 3 + 0.95 * favour / favour.sum(axis=1, keepdims=True)
        arms[i] = drawn(rng, p[i])
        seen[np.arange(runs), arms[i]] += 1
    alarms = sum(bool(sample_ratio(arms[:, r], p[:, r], alpha=alpha).flagged) for r in range(runs))
    assert alarms <= runs * alpha + 4 * (runs * alpha * (1 - alpha)) ** 0.5


def test_sample_ratio_sees_what_plain_counts_hide() -> None:
    """A ramp from 10 to 90 %, where an arm loses a tenth of its visitors: found, by the log."""
    rng = np.random.default_rng(2)
    share = np.linspace(0.1, 0.9, 30_000)
    p = np.column_stack([share, 1 - share])
    arms = drawn(rng, p)
    kept = (arms == 0) | (rng.random(30_000) > 0.1)
    sound, broken = sample_ratio(arms, p), sample_ratio(arms[kept], p[kept])
    assert sound.flagged is False
    assert broken.flagged is True
    assert broken.first_flagged is not None
    assert 100 < broken.first_flagged < kept.sum()
    assert sum(broken.observed) == broken.n == kept.sum()
    assert sum(broken.expected) == pytest.approx(kept.sum())


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 400), max_size=4),
)
def test_bets_carried_over_batches_are_those_of_all_units_at_once(
    seed: int, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), 400)
    arms = drawn(rng, p)
    whole, path = Bets.none(3).after(arms, p.T)
    carried, paths = Bets.none(3), list[Array]()
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 400], strict=True):
        carried, part = carried.after(arms[start:stop], p[start:stop].T)
        paths.append(part)
    assert np.concatenate(paths) == pytest.approx(path, rel=1e-9, abs=1e-12)
    assert carried.peak == pytest.approx(whole.peak, rel=1e-9, abs=1e-12)
    assert (carried.n, carried.p_value) == (400, pytest.approx(whole.p_value))
    found = sample_ratio(arms, p)
    assert (found.log_e_value, found.p_value) == (path[-1], whole.p_value)


def test_bets_on_nobody_are_what_they_were() -> None:
    bets, path = Bets.none(2).after(np.empty(0, np.int64), np.empty((2, 0)))
    assert (bets.n, bets.p_value, len(path)) == (0, 1.0, 0)


EVEN = np.full((50, 2), 0.5)
ARMS = np.arange(50, dtype=np.int64) % 2


@pytest.mark.parametrize(
    ("arms", "probabilities", "reason"),
    [
        (ARMS[:0], EVEN[:0], "nobody was given an arm yet"),
        (0 * ARMS, np.ones((50, 1)), "needs two arms"),
        (ARMS, EVEN * [1.0, np.nan], "missing or below 0"),
        (ARMS, EVEN * [1.0, np.inf], "missing or below 0"),
        (ARMS, EVEN + np.array([0.6, -0.6]), "missing or below 0"),
        (ARMS, EVEN * 0.9, "don't sum to 1"),
        (ARMS, np.tile([1.0, 0.0], (50, 1)), "25 units got an arm whose logged probability is 0"),
        (0 * ARMS, np.tile([1.0, 0.0], (50, 1)), "no unit could have got more than one arm"),
    ],
)
def test_sample_ratio_says_why_it_can_not_tell(
    arms: Integers, probabilities: Array, reason: str
) -> None:
    found = sample_ratio(arms, probabilities)
    assert reason in found.reason
    assert (found.p_value, found.flagged, found.e_value) == (None, None, None)
    assert np.isfinite(found.expected).all()


@pytest.mark.parametrize("arms", [ARMS[:10], ARMS + 1, ARMS - 1])
def test_sample_ratio_refuses_arms_that_do_not_fit(arms: Integers) -> None:
    with pytest.raises(ValueError, match="arm"):
        sample_ratio(arms, EVEN)


def test_sample_ratio_e_value_of_a_gross_fault_is_infinite_not_an_error() -> None:
    found = sample_ratio(np.zeros(5_000, dtype=np.int64), np.full((5_000, 2), 0.5))
    assert found.e_value == np.inf
    assert found.p_value == 0
    assert found.first_flagged is not None
    assert found.first_flagged < 60


# --- classic -----------------------------------------------------------------------------------


@given(st.lists(st.integers(20, 10**6), min_size=2, max_size=8))
def test_split_test_is_scipys(counts: list[int]) -> None:
    found = split_test(counts)
    if found.reason:
        assert "expected" in found.reason
    else:
        assert found.p_value == pytest.approx(chisquare(counts).pvalue, rel=1e-9, abs=1e-300)


def test_split_test_of_unequal_shares_is_scipys() -> None:
    found = split_test([900, 60, 40], [0.9, 0.05, 0.05])
    assert found.p_value == pytest.approx(chisquare([900, 60, 40], [900, 50, 50]).pvalue, rel=1e-12)


def test_split_test_allows_for_counts_that_scatter_more() -> None:
    tight, loose = split_test([5_200, 4_800]), split_test([5_200, 4_800], dispersion=4.0)
    assert tight.flagged
    assert not loose.flagged
    assert loose.p_value == pytest.approx(split_test([1_300, 1_200]).p_value)


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (lambda: split_test([10]), "needs two arms"),
        (lambda: split_test([]), "needs two arms"),
        (lambda: split_test([0, 0]), "needs 5 units expected"),
        (lambda: split_test([50, 2], [1.0, 0.0]), "needs two arms"),
        (lambda: split_test([50, 50, 1], [0.5, 0.5, 0.0]), "planned share of 0 has units"),
    ],
)
def test_split_test_says_why_it_can_not_tell(test: Callable[[], RatioTest], reason: str) -> None:
    found = test()
    assert reason in found.reason
    assert found.flagged is None


@pytest.mark.parametrize(
    "counts", [[10.7, 20.2], [np.inf, 20], [np.nan, 20], [-1, 20], [1e200, 1e200], [10**400, 1]]
)
def test_split_test_of_what_is_no_count_is_refused(counts: list[float]) -> None:
    with pytest.raises(ValueError, match="whole"):
        split_test(counts)  # pyright: ignore[reportArgumentType]


def test_split_test_takes_whole_numbers_of_any_type_and_a_great_many() -> None:
    assert split_test(np.array([5_200.0, 4_800.0])) == split_test([5_200, 4_800])  # pyright: ignore[reportArgumentType]
    many = split_test([2**53, 2**53])
    assert (many.n, many.p_value) == (2**54, 1.0)


@pytest.mark.parametrize("dispersion", [0.9, np.nan, np.inf])
def test_split_test_of_an_impossible_dispersion_is_refused(dispersion: float) -> None:
    with pytest.raises(ValueError, match="dispersion"):
        split_test([5_200, 4_800], dispersion=dispersion)


# --- archives with known faults ----------------------------------------------------------------


def rows_of(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"shared/data/{name} is not there")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_split_test_flags_the_broken_window_of_the_upworthy_archive() -> None:
    """Its June 2024 update: a cache broke randomisation in the weeks 201325 to 201402.

    One rule for an archive and for one test alone: a false-discovery rate of `RATIO_ALPHA`.
    Counts are impressions, so the tests outside scatter a little more than chance: 2 % of them
    have p < .01. They stay below the bar of 1 % because the archive is corrected for its size.
    """
    counts: dict[str, list[int]] = {}
    broken: dict[str, bool] = {}
    for row in rows_of("upworthy/exploratory.csv.gz"):
        test = row["clickability_test_id"]
        counts.setdefault(test, []).append(int(row["impressions"]))
        broken[test] = row["randomization_problem"] == "1"
    found = {test: split_test(arms).p_value for test, arms in counts.items()}
    told = {test: p for test, p in found.items() if p is not None}
    assert len(told) > 4_000
    flagged = benjamini_hochberg(list(told.values())) <= ALPHA
    inside = np.array([broken[test] for test in told])
    assert flagged[inside].mean() >= 0.6
    assert flagged[~inside].mean() <= 0.01


def test_split_test_flags_cookie_cats() -> None:
    """p = .0086: at 1 % and not at .1 %, as known of this data set."""
    versions = [row["version"] for row in rows_of("cookie_cats/cookie_cats.csv.gz")]
    found = split_test([versions.count("gate_30"), versions.count("gate_40")])
    assert found.observed == (44_700, 45_489)
    assert found.flagged
    assert found.p_value == pytest.approx(0.0086, abs=5e-5)
    assert not split_test(found.observed, alpha=0.001).flagged
