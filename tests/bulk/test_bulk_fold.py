"""Parts of the fold: carried means, the carried split, and Hookline's own export."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOW, make_context, make_experiment
from hookline.bulk import Question, analyse_log, decision_lines
from hookline.bulk.means import RunningMeans
from hookline.bulk.split import SplitFold, WeightFold
from hookline.bulk.stretch import Stretch
from hookline.report.evidence import duel, score, weigh
from hookline.report.table import tabulate
from hookline.stats import ALPHA, running_means, sample_ratio
from hookline.types import Decision, Experiment, Outcome
from made_log import Array, Integers


@given(
    seed=st.integers(0, 1_000),
    segments=st.integers(1, 4),
    cuts=st.lists(st.integers(1, 59), max_size=4, unique=True),
)
@settings(max_examples=40)
def test_carried_means_are_the_running_means_of_all_at_once(
    seed: int, segments: int, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    arms, strata = rng.integers(3, size=60), rng.integers(segments, size=60)
    rewards = rng.normal(3.0, 2.0, size=60)
    carried = RunningMeans(3, segments)
    found = np.empty((60, 3))
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 60], strict=True):
        stretch = made_stretch(arms[start:stop], strata[start:stop], segments)
        found[start + stretch.order] = carried.take(rewards[start:stop], stretch).T
    assert found == pytest.approx(running_means(rewards, arms, 3, strata), rel=1e-10, abs=1e-12)


def made_stretch(arms: Integers, segments: Integers, count: int) -> Stretch:
    even = np.full((3, len(arms)), 1 / 3)
    return Stretch(
        arms=arms,
        segments=segments,
        segment_count=count,
        propensities=even[0],
        probabilities=even,
        shares=None,
        available=even > 0,
    )


@given(seed=st.integers(0, 1_000), cut=st.integers(1, 999), tilt=st.sampled_from([1.0, 1.3]))
@settings(max_examples=20)
def test_the_carried_split_is_the_split_of_all_at_once(seed: int, cut: int, tilt: float) -> None:
    arms, probabilities = drawn(seed, 1_000, tilt)
    fold = SplitFold(("a", "b", "c"))
    for rows in (slice(cut), slice(cut, None)):
        fold.take(arms[rows], probabilities[rows].T)
    found, whole = fold.answer(), sample_ratio(arms, probabilities)
    assert found.p_value == pytest.approx(whole.p_value, rel=1e-9)
    assert found.flagged is whole.flagged
    assert tuple(found.expected.values()) == pytest.approx(whole.expected)


def drawn(seed: int, n: int, tilt: float) -> tuple[Integers, Array]:
    """Arms, the first drawn `tilt` times as often as its odds in the log."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((4.0, 4.0, 4.0), size=n)
    true = probabilities * [tilt, 1.0, 1.0]
    true /= true.sum(axis=1, keepdims=True)
    return (rng.random(n)[:, None] > np.cumsum(true, axis=1)).sum(axis=1), probabilities


@pytest.mark.parametrize(("tilt", "flagged"), [(1.0, False), (2.0, True)])
def test_inverse_propensities_average_1_where_the_log_is_right(tilt: float, flagged: bool) -> None:
    arms, probabilities = drawn(0, 20_000, tilt)
    fold = WeightFold(("a", "b", "c"), 10_000)
    for rows in (slice(5_000), slice(5_000, None)):
        own = probabilities[rows][np.arange(len(arms[rows])), arms[rows]]
        fold.take(arms[rows], own, np.ones((3, len(own)), dtype=np.bool_))
    assert fold.answer().flagged is flagged


def test_a_split_between_no_decisions_or_one_arm_is_not_tested() -> None:
    assert SplitFold(("a", "b")).answer().reason == "nobody was given an arm yet"
    certain = SplitFold(("a", "b"))
    certain.take(np.zeros(9, dtype=np.int64), np.tile([[1.0], [0.0]], 9))
    assert certain.answer().reason == "no decision could have gone to more than one arm"
    assert certain.answer().flagged is None


def outcomes(experiment: Experiment, count: int) -> list[Outcome]:
    rng = np.random.default_rng(5)
    ids, made = [arm.id for arm in experiment.arms], list[Outcome]()
    for i in range(count):
        share = 0.25 + 0.3 * i / count
        probabilities = dict(zip(ids, (0.7 - share, share, 0.3), strict=True))
        place = int(rng.choice(3, p=list(probabilities.values())))
        clicked = bool(rng.random() < (0.10, 0.15, 0.12)[place])
        decision = Decision(
            id=f"d{i}",
            experiment_id=experiment.id,
            arm_id=ids[place],
            propensity=probabilities[ids[place]],
            probabilities=probabilities,
            slice="fallback" if i % 50 == 0 else "policy",
            reason="policy",
            audience_id=("savers", "rest")[i % 2],
            context=make_context(f"v{i}", at=NOW + timedelta(seconds=i)),
        )
        made.append(
            Outcome(
                decision=decision,
                exposed=i % 40 != 1,
                clicks=2 * clicked,
                orders=int(clicked),
                revenue=20.0 + i % 7 if clicked else 0.0,
                click_settled=True,
                order_settled=i < 0.9 * count,
            )
        )
    return made


def test_an_exported_experiment_gives_what_its_report_rests_on(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    experiment = replace(make_experiment(), holdout=0.1, uniform=0.15, horizon=4_000)
    made = outcomes(experiment, 4_000)
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(decision_lines(experiment, made)))
    found = analyse_log(
        [str(path)],
        Question(
            horizon=experiment.horizon,
            control=experiment.control.id,
            holdout=experiment.holdout,
            uniform=experiment.uniform,
        ),
    )
    table = tabulate(experiment, made)
    for metric in ("clicks", "orders", "revenue"):
        scored = score(table, metric)
        for place, arm in enumerate(experiment.arms[1:], 1):
            wanted = duel(scored, place, 0).lift(experiment.horizon, ALPHA / 2)
            lift = found.metrics[metric].arms[arm.id].lift
            assert (lift.n, lift.reason) == (wanted.n, wanted.reason)
            assert (lift.estimate, lift.low, lift.high) == pytest.approx(
                (wanted.estimate, wanted.low, wanted.high), rel=1e-9
            )
        whole = weigh(experiment, scored, 0)
        policy = found.metrics[metric].policy
        assert (policy.lift.low, policy.lift.high) == pytest.approx(
            (whole.lift().low, whole.lift().high), rel=1e-9
        )
        assert (policy.gain.low, policy.gain.high) == pytest.approx(
            (whole.total_gain().low, whole.total_gain().high), rel=1e-9
        )
    assert found.left_out["orders not settled"] > 0


def test_what_was_not_drawn_is_exported_without_a_probability() -> None:
    experiment = make_experiment()
    fallback, drawn_one = outcomes(experiment, 2)
    drawn_one = replace(drawn_one, order_settled=False)
    lost = replace(drawn_one, decision=replace(drawn_one.decision, arm_id="gone"))
    rows = [json.loads(line) for line in decision_lines(experiment, [fallback, drawn_one, lost])]
    assert [row["propensity"] for row in rows] == [None, drawn_one.decision.propensity, None]
    assert rows[1]["probabilities"] == dict(drawn_one.decision.probabilities)
    assert rows[1]["orders"] is None
    assert rows[1]["clicks"] is not None
