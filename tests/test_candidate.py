from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from conftest import NOW, make_context, make_experiment
from hookline.candidate import (
    compare,
    promoted,
    rolled_back,
    to_text,
    with_candidate,
    without_candidate,
)
from hookline.errors import BadInput, Refused
from hookline.experiment import decide
from hookline.policies.base import Array
from hookline.policies.uniform import Uniform
from hookline.stats import radius
from hookline.types import Arm, Candidate, Context, Experiment, Outcome

UCB = Candidate(policy="ucb", params={"width": 1.0}, share=0.1)
RATES = {"control": 0.2, "a": 0.3, "b": 0.5}


class Leaning(Uniform):
    """A policy that gives an arm, by its index, nine times the weight of each other."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        return 1.0 + 8.0 * (np.arange(len(arms)) == self.index)

    def value(self, experiment: Experiment) -> float:
        """What a visitor is worth under it in truth."""
        weights = self.probabilities(make_context(), "", experiment.arms)
        return float(weights @ [RATES[arm.id] for arm in experiment.arms])


TO_CONTROL, TO_A, TO_B = Leaning(0), Leaning(1), Leaning(2)


def tried(share: float = 0.0, **changes: object) -> Experiment:
    return with_candidate(make_experiment(**changes), replace(UCB, share=share), UCB.params)


def outcomes(
    experiment: Experiment, policy: Leaning, candidate: Leaning, count: int, seed: int = 0
) -> list[Outcome]:
    """What visitors do who click as often as `RATES` says."""
    rng = np.random.default_rng(seed)
    made: list[Outcome] = []
    for n in range(count):
        context = make_context(f"v{seed}-{n}", at=NOW)
        decision = decide(experiment, context, policy, "s", candidate)
        clicks = int(rng.random() < RATES[decision.arm_id])
        made.append(Outcome(decision=decision, exposed=True, clicks=clicks, click_settled=True))
    return made


# --- the way of a candidate ----------------------------------------------------------------------


def test_with_candidate_fills_in_what_was_not_asked_for() -> None:
    asked = Candidate(policy="horizon_thompson", share=0.2)
    made = with_candidate(make_experiment(), asked, {"horizon": 500.0})
    assert made.candidate == replace(asked, params={"horizon": 500.0})
    assert replace(made, candidate=None) == make_experiment()


def test_naming_the_candidate_again_changes_its_share_only() -> None:
    again = with_candidate(tried(), Candidate(policy="ucb", share=0.3), {"width": 9.0})
    assert again.candidate == replace(UCB, share=0.3)
    watching = promoted(again)
    back_a_little = with_candidate(watching, Candidate(policy="thompson", share=0.2), {})
    assert back_a_little.candidate == Candidate(policy="thompson", share=0.2, former=True)


def test_promoted_and_rolled_back_is_where_it_was() -> None:
    before = tried(0.2)
    after = promoted(before)
    assert (after.policy, after.policy_params) == ("ucb", {"width": 1.0})
    assert after.candidate == Candidate(policy="thompson", params={}, share=0.0, former=True)
    back = rolled_back(after)
    assert back == replace(before, candidate=replace(UCB, share=0.0))


def test_rolled_back_during_a_canary_only_takes_its_share() -> None:
    assert rolled_back(tried(0.2)) == tried(0.0)


def test_without_candidate_is_as_it_was_before() -> None:
    assert without_candidate(tried()) == make_experiment()


@pytest.mark.parametrize("share", [-0.01, 0.51, 1.0, float("nan"), float("inf")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="share must be from 0"):
        tried(share)
    with pytest.raises(BadInput, match="share must be from 0"):
        with_candidate(tried(), Candidate(policy="ucb", share=share), {})


def test_steps_that_make_no_sense_say_why() -> None:
    bare, ours = make_experiment(), Candidate(policy="thompson")
    with pytest.raises(Refused, match="runs under thompson"):
        with_candidate(bare, ours, {})
    with pytest.raises(BadInput, match="own policy"):
        with_candidate(bare, replace(ours, params={"spread": 0.3}), {})
    with pytest.raises(Refused, match="has the candidate ucb; drop it first"):
        with_candidate(tried(), Candidate(policy="lola"), {})
    for step in (promoted, rolled_back, without_candidate):
        with pytest.raises(Refused, match="has no candidate"):
            step(bare)
        with pytest.raises(Refused, match="is concluded"):
            step(replace(tried(), status="concluded"))
    with pytest.raises(Refused, match="is concluded"):
        with_candidate(make_experiment(status="concluded"), UCB, {})
    with pytest.raises(Refused, match="only watches"):
        rolled_back(tried(0.0))
    with pytest.raises(Refused, match="roll back to return"):
        promoted(promoted(tried()))


# --- what it would earn --------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_compare_finds_what_either_would_earn(share: float) -> None:
    experiment = tried(share)
    found = compare(experiment, outcomes(experiment, TO_CONTROL, TO_B, 4_000))
    for estimate, policy in (
        (found.candidate_value, TO_B),
        (found.policy_value, TO_CONTROL),
    ):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < policy.value(experiment) < estimate.high
        assert estimate.high - estimate.low < 0.2
    assert found.lift.low is not None
    assert found.lift.low > 0
    assert found.lift.n == 4_000


def test_compare_is_unbiased() -> None:
    """Over many short tests the estimates' mean is the truth, within their own error."""
    experiment = tried(0.1)
    found = [compare(experiment, outcomes(experiment, TO_A, TO_B, 300, seed)) for seed in range(40)]
    for policy, values in (
        (TO_A, [each.policy_value.estimate for each in found]),
        (TO_B, [each.candidate_value.estimate for each in found]),
    ):
        known = np.array([value for value in values if value is not None])
        assert len(known) == 40
        error = known.std(ddof=1) / np.sqrt(len(known))
        assert abs(known.mean() - policy.value(experiment)) < 4 * error


def test_compare_counts_what_was_seen_in_each_others_place() -> None:
    """After a promotion the former candidate's rows still speak of the same two policies."""
    before = tried(0.2)
    after = promoted(before)
    first = outcomes(before, TO_CONTROL, TO_B, 1_500)
    then = outcomes(after, TO_B, TO_CONTROL, 1_500, seed=1)
    found = compare(after, [*first, *then])
    assert found.lift.n == 3_000
    assert (found.policy, found.candidate, found.former) == ("ucb", "thompson", True)
    for estimate, policy in ((found.policy_value, TO_B), (found.candidate_value, TO_CONTROL)):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < policy.value(before) < estimate.high
    assert found.lift.high is not None
    assert found.lift.high < 0


def test_compare_leaves_out_what_says_nothing_of_the_two() -> None:
    experiment = tried()
    rows = outcomes(experiment, TO_CONTROL, TO_B, 40)
    other = with_candidate(make_experiment(), replace(UCB, params={"width": 2.0}), {"width": 2.0})
    mixed = [
        *outcomes(make_experiment(), TO_CONTROL, TO_B, 50, seed=1),
        *outcomes(other, TO_CONTROL, TO_B, 50, seed=2),
        *(replace(row, exposed=False) for row in rows[:10]),
        *(replace(row, click_settled=False) for row in rows[10:20]),
        *rows[20:],
    ]
    found = compare(experiment, mixed)
    assert found.lift.n == 20
    assert "needs 100" in found.lift.reason
    assert found.lift.estimate is None


def test_compare_needs_a_candidate_and_traffic_for_it() -> None:
    with pytest.raises(Refused, match="no candidate to compare"):
        compare(make_experiment(), [])
    assert compare(tried(), []).candidate_value.n == 0
    held = tried(holdout=0.5, uniform=0.5)
    nothing = compare(held, outcomes(held, TO_CONTROL, TO_B, 200))
    assert "no share" in nothing.candidate_value.reason


def test_compare_counts_events_as_far_as_a_policy_would_have_had_them() -> None:
    """A shadow that wants what hardly anybody is shown has little to go by, and says so."""
    experiment = tried(holdout=0.5, uniform=0.0)
    rare, usual = Leaning(2), Leaning(0)
    rare.floor = usual.floor = 0.0
    few = [
        row
        for row in outcomes(experiment, usual, rare, 400)
        if row.decision.arm_id != "b" or not row.clicks
    ]
    found = compare(experiment, few)
    assert "20 events" in found.candidate_value.reason
    assert found.policy_value.estimate is not None


def test_compare_is_no_surer_than_chance_allows() -> None:
    """A candidate for what is seldom shown is not believed to be bad as long as little was seen."""
    experiment = tried(holdout=0.5, uniform=0.0)
    rows = outcomes(experiment, TO_CONTROL, TO_B, 3_000)
    clicks = [row.decision.arm_id == "b" and row.clicks for row in rows]
    lucky = np.cumsum(clicks) % 3 > 0  # two of three clicks on "b" have not come
    few = [
        row for row, gone, click in zip(rows, lucky, clicks, strict=True) if not (gone and click)
    ]
    ids = [arm.id for arm in experiment.arms]
    shown = np.array([[row.decision.probabilities[arm] for arm in ids] for row in few])
    wanted = np.array(
        [row.decision.shadow.probabilities["b"] for row in few if row.decision.shadow]
    )
    weight = (wanted**2 / shown[:, ids.index("b")]).mean()
    sd = np.sqrt(weight * np.var([row.clicks for row in few]))
    found = compare(experiment, few).candidate_value
    assert found.estimate is not None
    assert found.high is not None
    assert found.high - found.estimate >= radius(sd, len(few), 0.05, experiment.horizon)


def test_to_text_says_who_is_who() -> None:
    experiment = tried(0.1)
    text = to_text(compare(experiment, outcomes(experiment, TO_CONTROL, TO_B, 2_000)))
    assert "The candidate ucb decides 10% of the policy's traffic." in text
    assert "under thompson" in text
    assert "over 2000 decisions" in text
    early = to_text(compare(promoted(experiment), []))
    assert "The candidate thompson, the policy before the promotion, only watches." in early
    assert "unknown (needs 100" in early
