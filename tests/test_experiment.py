from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW, make_arm, make_context, make_experiment
from hookline.errors import BadInput, Refused
from hookline.experiment import (
    TRANSITIONS,
    advance,
    arms_of,
    audience_of,
    check,
    decide,
    decision_id,
)
from hookline.policies import POLICIES, Policy
from hookline.policies.base import Array
from hookline.policies.uniform import Uniform
from hookline.types import (
    Arm,
    Audience,
    Candidate,
    Context,
    Copy,
    CopyStatus,
    Experiment,
    ExperimentStatus,
    Trait,
)

THOMPSON = POLICIES["thompson"]()


class Faulty(Uniform):
    """A policy that breaks."""

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        raise ZeroDivisionError


class Fond(Uniform):
    """A policy that gives nearly all to the last arm."""

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        return np.arange(len(arms)) == len(arms) - 1


class Misshapen(Uniform):
    """A policy that gives one probability too many."""

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        return np.ones(len(arms) + 1)


def canary(share: float, **changes: object) -> Experiment:
    return check(make_experiment(candidate=Candidate(policy="uniform", share=share), **changes))


def copy(name: str, status: CopyStatus = "approved") -> Copy:
    return Copy(
        id=name, product_id="p1", channel_id="sms", parts={"text": name}, status=status,
        created_at=NOW,
    )  # fmt: skip


def test_arms_of_puts_the_control_first() -> None:
    arms = arms_of([copy("a"), copy("b"), copy("c")], "b")
    assert [arm.id for arm in arms] == ["b", "a", "c"]
    assert [arm.control for arm in arms] == [True, False, False]


@pytest.mark.parametrize(
    ("copies", "word"),
    [
        ([copy("a"), copy("b", "draft")], "draft, not approved"),
        ([copy("b")], "control"),
        ([copy("a")], "challengers"),
    ],
)
def test_arms_of_refuses_what_cannot_be_tested(copies: list[Copy], word: str) -> None:
    with pytest.raises(Refused, match=word):
        arms_of(copies, "a")


@pytest.mark.parametrize(
    "changes",
    [
        {"holdout": 0.6}, {"holdout": -0.1}, {"uniform": 0.95}, {"horizon": 0},
        {"click_hours": 0.0}, {"order_hours": 1e11},
        {"order_hours": float("inf")}, {"currency": "usd"},
        {"id": "a/b"}, {"id": ""}, {"name": " "}, {"horizon": 10**12},
        {"click_hours": 30.0}, {"holdout": float("nan")},
        {"arms": (make_arm("a", control=True), make_arm("a"))},
        {"candidate": Candidate(policy="ucb", share=0.6)},
        {"candidate": Candidate(policy="ucb", share=-0.1)},
        {"candidate": Candidate(policy="ucb", share=float("nan"))},
        {"candidate": Candidate(policy="thompson")},
    ],
)  # fmt: skip
def test_check_refuses_numbers_that_make_no_sense(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        check(make_experiment(**changes))


@pytest.mark.parametrize("status", TRANSITIONS)
@pytest.mark.parametrize("to", TRANSITIONS)
def test_advance_follows_the_life_cycle(status: ExperimentStatus, to: ExperimentStatus) -> None:
    experiment = make_experiment(status=status)
    if to in TRANSITIONS[status]:
        assert advance(experiment, to, NOW).status == to
    else:
        with pytest.raises(Refused, match=status):
            advance(experiment, to, NOW)


def test_advance_notes_the_first_start_only() -> None:
    fresh = make_experiment(status="review", started_at=None)
    started = advance(fresh, "running", NOW)
    assert started.started_at == NOW
    later = NOW.replace(year=2027)
    assert advance(advance(started, "paused", later), "running", later).started_at == NOW


def test_audience_of_takes_the_first_that_fits(experiment: Experiment) -> None:
    assert audience_of(make_context(traits={"segment": "saver"}), experiment.audiences) == "savers"
    assert (
        audience_of(make_context(traits={"segment": ["x", "saver"]}), experiment.audiences)
        == "savers"
    )
    assert audience_of(make_context(), experiment.audiences) == "rest"
    assert audience_of(make_context(), experiment.audiences[:1]) == ""


def test_decide_is_the_same_for_the_same_visitor_and_not_for_another_seed() -> None:
    experiment = make_experiment()
    visitors = [make_context(f"v{n}") for n in range(200)]
    first = [decide(experiment, each, THOMPSON, "s") for each in visitors]
    assert first == [decide(experiment, each, THOMPSON, "s") for each in visitors]
    other = [decide(replace(experiment, seed=1), each, THOMPSON, "s").arm_id for each in visitors]
    assert [each.arm_id for each in first] != other


def test_decide_draws_as_often_as_it_says() -> None:
    experiment = make_experiment(holdout=0.2, uniform=0.3)
    made = [decide(experiment, make_context(f"v{n}"), THOMPSON, "") for n in range(6_000)]
    for arm in ("control", "a", "b"):
        expected = made[0].probabilities[arm]
        seen = sum(each.arm_id == arm for each in made) / len(made)
        assert abs(seen - expected) < 4 * np.sqrt(expected * (1 - expected) / len(made))
    slices = Counter(each.slice for each in made)
    assert abs(slices["holdout"] / len(made) - 0.2) < 4 * np.sqrt(0.16 / len(made))
    assert all(each.arm_id == "control" for each in made if each.slice == "holdout")


@given(holdout=st.floats(0, 0.5), uniform=st.floats(0, 0.5), seed=st.integers(0, 9), name=st.text())
def test_decide_logs_exact_propensities(
    holdout: float, uniform: float, seed: int, name: str
) -> None:
    experiment = check(make_experiment(holdout=holdout, uniform=uniform, seed=seed))
    decision = decide(experiment, make_context(name), THOMPSON, "")
    assert sum(decision.probabilities.values()) == pytest.approx(1)
    assert decision.propensity == decision.probabilities[decision.arm_id] > 0
    shares = THOMPSON.probabilities(make_context(name), "", experiment.arms)
    for arm, share in zip(experiment.arms, shares.tolist(), strict=True):
        expected = uniform / 3 + (1 - holdout - uniform) * share + holdout * arm.control
        assert decision.probabilities[arm.id] == pytest.approx(expected)


def test_decide_fails_towards_control() -> None:
    experiment = make_experiment(holdout=0.0, uniform=0.0)
    for n in range(50):
        decision = decide(experiment, make_context(f"v{n}"), Faulty(), "")
        assert (decision.arm_id, decision.reason) == ("control", "policy_fault")
    assert decide(experiment, make_context(), None, "").reason == "no_policy"
    paused = decide(replace(experiment, status="paused"), make_context(), THOMPSON, "")
    assert (paused.arm_id, paused.slice, paused.reason) == ("control", "fallback", "not_running")


def test_decide_never_serves_an_inactive_arm() -> None:
    arms = (make_arm("control", control=True), replace(make_arm("a"), active=False), make_arm("b"))
    experiment = make_experiment(arms=arms)
    made = {decide(experiment, make_context(f"v{n}"), THOMPSON, "").arm_id for n in range(200)}
    assert made == {"control", "b"}


def test_decision_id_is_one_a_visitor_in_each_experiment() -> None:
    first, later = make_context(), make_context(device="mobile", at=NOW.replace(year=2027))
    assert decision_id(make_experiment(), first) == decision_id(make_experiment(), later)
    assert decision_id(make_experiment(), first) != decision_id(make_experiment(id="x"), first)
    assert decision_id(make_experiment(), first) != decision_id(
        make_experiment(), make_context("v2")
    )


@pytest.mark.parametrize(("value", "spelled"), [(True, "true"), (5.0, "5"), (2.5, "2.5")])
def test_audience_of_compares_traits_as_json_spells_them(value: Trait, spelled: str) -> None:
    audience = Audience(id="vip", name="VIP", when={"vip": (spelled,)})
    assert audience_of(make_context(traits={"vip": value}), [audience]) == "vip"


def test_policies_are_what_the_table_says() -> None:
    assert all(issubclass(each, Policy) and each.name == name for name, each in POLICIES.items())


# --- decisions per visit -------------------------------------------------------------------------


def test_decision_id_is_one_a_visit_where_visits_are_decided() -> None:
    experiment = make_experiment(unit="visit")
    first = make_context(visit_id="monday")
    later = make_context(visit_id="monday", at=NOW + timedelta(hours=1), device="mobile")
    assert decision_id(experiment, first) == decision_id(experiment, later)
    assert decision_id(experiment, first) != decision_id(experiment, make_context(visit_id="x"))
    assert decision_id(experiment, first) != decision_id(experiment, replace(first, visitor_id="w"))
    assert decision_id(experiment, first) != decision_id(make_experiment(), first)


def test_decision_id_takes_the_second_for_a_visit_without_id() -> None:
    experiment = make_experiment(unit="visit")
    first = decision_id(experiment, make_context())
    within = make_context(at=NOW + timedelta(milliseconds=999))
    assert first == decision_id(experiment, within)
    assert first != decision_id(experiment, make_context(at=NOW + timedelta(seconds=1)))
    named = make_context(visit_id=str(int(NOW.timestamp())))
    assert first != decision_id(experiment, named), "an id that looks like a time is an id"


def test_decide_draws_every_visit_on_its_own() -> None:
    experiment = make_experiment(unit="visit", holdout=0.2, uniform=0.3)
    visits = [make_context(visit_id=f"s{n}") for n in range(6_000)]
    made = [decide(experiment, each, THOMPSON, "") for each in visits]
    for arm in ("control", "a", "b"):
        expected = made[0].probabilities[arm]
        seen = sum(each.arm_id == arm for each in made) / len(made)
        assert abs(seen - expected) < 4 * np.sqrt(expected * (1 - expected) / len(made))
    assert {each.slice for each in made} == {"holdout", "uniform", "policy"}


# --- a candidate beside the policy ---------------------------------------------------------------


@given(
    share=st.floats(0, 0.5), holdout=st.floats(0, 0.5), uniform=st.floats(0, 0.5), name=st.text()
)
def test_decide_logs_the_propensity_of_both_policies_together(
    share: float, holdout: float, uniform: float, name: str
) -> None:
    experiment = canary(share, holdout=holdout, uniform=uniform)
    decision = decide(experiment, make_context(name), THOMPSON, "", Fond())
    assert sum(decision.probabilities.values()) == pytest.approx(1)
    assert decision.propensity == decision.probabilities[decision.arm_id] > 0
    own = THOMPSON.probabilities(make_context(name), "", experiment.arms)
    rival = Fond().probabilities(make_context(name), "", experiment.arms)
    mixed = (1 - share) * own + share * rival
    for arm, weight in zip(experiment.arms, mixed.tolist(), strict=True):
        expected = uniform / 3 + (1 - holdout - uniform) * weight + holdout * arm.control
        assert decision.probabilities[arm.id] == pytest.approx(expected)
    assert decision.shadow is not None
    assert decision.shadow.share == share
    assert list(decision.shadow.probabilities.values()) == rival.tolist()


def test_decide_draws_as_often_as_it_says_under_a_canary() -> None:
    experiment = canary(0.4, holdout=0.1, uniform=0.1)
    made = [decide(experiment, make_context(f"v{n}"), THOMPSON, "", Fond()) for n in range(6_000)]
    for arm in ("control", "a", "b"):
        expected = made[0].probabilities[arm]
        seen = sum(each.arm_id == arm for each in made) / len(made)
        assert abs(seen - expected) < 4 * np.sqrt(expected * (1 - expected) / len(made))
    served = sum(each.reason == "candidate" for each in made) / len(made)
    assert abs(served - 0.32) < 4 * np.sqrt(0.32 * 0.68 / len(made))


def test_a_shadow_changes_nobodys_line_and_a_canary_only_its_own() -> None:
    alone, shadow, tenth, half = (make_experiment(), canary(0.0), canary(0.1), canary(0.5))
    moved = 0
    for n in range(600):
        context = make_context(f"v{n}")
        without = decide(alone, context, THOMPSON, "s")
        watched = decide(shadow, context, THOMPSON, "s", Fond())
        assert replace(watched, shadow=None) == without
        few, many = (decide(each, context, THOMPSON, "s", Fond()) for each in (tenth, half))
        assert few.reason != "candidate" or many.reason == "candidate"
        for each in (few, many):
            assert each.arm_id == without.arm_id or each.reason == "candidate"
        moved += few.arm_id != without.arm_id
    assert moved


@pytest.mark.parametrize("broken", [Faulty(), Misshapen()])
def test_a_faulty_candidate_leaves_all_to_the_policy(broken: Policy) -> None:
    experiment, alone = canary(0.5), make_experiment()
    reasons = Counter[str]()
    for n in range(100):
        decision = decide(experiment, make_context(f"v{n}"), THOMPSON, "", broken)
        without = decide(alone, make_context(f"v{n}"), THOMPSON, "")
        assert (decision.arm_id, decision.probabilities) == (without.arm_id, without.probabilities)
        assert decision.shadow is not None
        assert decision.shadow.share == 0
        reasons[decision.reason] += 1
    assert reasons["candidate_fault"] > 50
    assert not reasons["candidate"] + reasons["policy"]


def test_a_candidate_serves_on_when_the_policy_breaks() -> None:
    experiment = canary(0.5, holdout=0.0, uniform=0.0)
    made = [decide(experiment, make_context(f"v{n}"), Faulty(), "", Fond()) for n in range(200)]
    assert {each.reason for each in made} == {"policy_fault", "candidate"}
    assert all(each.arm_id == "control" for each in made if each.reason == "policy_fault")


def test_a_candidate_that_has_not_learned_yet_has_no_word() -> None:
    experiment = canary(0.5)
    for n in range(50):
        decision = decide(experiment, make_context(f"v{n}"), THOMPSON, "")
        assert decision == decide(make_experiment(), make_context(f"v{n}"), THOMPSON, "")
