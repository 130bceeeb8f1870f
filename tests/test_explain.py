from conftest import NOW, make_context, make_experiment
from hookline.candidate import promoted
from hookline.experiment import decide
from hookline.explain import Trace, to_text
from hookline.policies import make_policy
from hookline.types import Candidate, Context, Copy, Decision, Episode, Experiment

WATCHED = make_experiment(candidate=Candidate(policy="ucb"))


def trace(experiment: Experiment, decision: Decision) -> Trace:
    copy = Copy(
        id=decision.arm_id, product_id="p1", channel_id="onsite_banner", parts={"headline": "x"},
        created_at=NOW,
    )  # fmt: skip
    return Trace(
        decision=decision,
        experiment=experiment,
        arm=next(arm for arm in experiment.arms if arm.id == decision.arm_id),
        copy_record=copy,
        product=None,
        outcome=None,
        events=[],
    )


def decided(experiment: Experiment, context: Context) -> Decision:
    policy, candidate = make_policy("thompson", {}), make_policy("ucb", {})
    return decide(experiment, context, policy, "s", candidate if experiment.candidate else None)


def test_to_text_tells_of_the_visit_and_of_what_came_before() -> None:
    context = make_context(
        visit_id="s1",
        referrer="search",
        query="warm boots",
        position=2,
        past=(Episode(hours=30.25, arm_id="a", cell=3), Episode(hours=2.0, arm_id="gone", cell=-1)),
    )
    text = to_text(trace(WATCHED, decided(WATCHED, context)))
    for words in ("s1", "search", "warm boots", "page of visit     3", "a, 30.2 h ago; gone, 2.0"):
        assert words in text


def test_to_text_leaves_out_what_is_not_known() -> None:
    plain = make_experiment()
    text = to_text(trace(plain, decided(plain, make_context())))
    for words in ("visit  ", "came from", "searched for", "shown before", "candidate"):
        assert words not in text


def test_to_text_tells_what_the_candidate_would_have_done() -> None:
    text = to_text(trace(WATCHED, decided(WATCHED, make_context())))
    assert "ucb only watched; it gave the arm served 0.3333" in text
    canary = make_experiment(candidate=Candidate(policy="ucb", share=0.25))
    text = to_text(trace(canary, decided(canary, make_context())))
    assert "ucb decided 25% of the policy's traffic" in text
    assert "thompson only watched" in to_text(
        trace(promoted(WATCHED), decided(promoted(WATCHED), make_context()))
    )
