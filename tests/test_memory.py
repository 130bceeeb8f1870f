"""The memory of past showings: the last few copies of the last visitors, in bounded room."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_arm
from hookline.memory import EPISODES, MOST, Memory
from hookline.perceive import cell_of
from hookline.types import Arm, Context, Decision, Episode

AT = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
WARM, HUMAN = make_arm("warm"), make_arm("human", control=True)


def decided(
    visitor: str = "v", hours: float = 0.0, arm: Arm = WARM, experiment: str = "e"
) -> Decision:
    return Decision(
        id=f"{experiment} {visitor} {hours}",
        experiment_id=experiment,
        arm_id=arm.id,
        propensity=1.0,
        probabilities={arm.id: 1.0},
        slice="policy",
        reason="policy",
        context=Context(visitor_id=visitor, at=AT + hours * HOUR),
    )


def shown(memory: Memory, visitor: str = "v", hours: float = 0.0, arm: Arm = WARM) -> Decision:
    decision = decided(visitor, hours, arm)
    memory.show(decision, arm)
    return decision


def surprises(memory: Memory, visitor: str = "v") -> list[float | None]:
    return [each.surprise for each in memory.recall(visitor, AT)]


def test_recall_gives_what_was_shown_oldest_first() -> None:
    memory = Memory()
    shown(memory, hours=0.0)
    shown(memory, hours=30.5, arm=HUMAN)
    assert memory.recall("v", AT + 31 * HOUR) == (
        Episode(31.0, "warm", cell_of(WARM.attributes)),
        Episode(0.5, "human", -1),
    )
    assert memory.recall("stranger", AT) == ()
    assert "v" in memory
    assert "stranger" not in memory
    assert len(memory) == 1


def test_recall_is_pure() -> None:
    memory = Memory(visitors=2)
    shown(memory, "a")
    shown(memory, "b")
    first = memory.recall("a", AT + HOUR)
    assert memory.recall("a", AT + HOUR) == first
    shown(memory, "c")  # asking does not count as being seen
    assert memory.recall("a", AT + HOUR) == ()


@pytest.mark.parametrize("at", [AT, AT - 400 * 24 * HOUR, datetime(1960, 1, 1, tzinfo=UTC)])
def test_recall_by_a_clock_that_runs_backwards_takes_it_for_just_now(at: datetime) -> None:
    memory = Memory()
    shown(memory, hours=2.0)
    (episode,) = memory.recall("v", at)
    assert episode.hours == 0.0


def test_only_the_latest_showings_are_kept() -> None:
    memory = Memory()
    for hours in range(EPISODES + 5):
        shown(memory, hours=float(hours))
    past = memory.recall("v", AT + (EPISODES + 5) * HOUR)
    assert [each.hours for each in past] == [float(EPISODES - place) for place in range(EPISODES)]
    old = decided(hours=0.0)
    memory.settle(old, 1.0)
    memory.correct(old, -1.0)
    assert memory.recall("v", AT + (EPISODES + 5) * HOUR) == past


def test_who_was_not_shown_anything_for_longest_is_dropped() -> None:
    memory = Memory(visitors=2)
    for visitor in "abac":
        shown(memory, visitor)
    assert [visitor in memory for visitor in "abc"] == [True, False, True]
    assert len(memory) == 2
    assert len(memory.recall("a", AT)) == 2


def test_an_outcome_is_unknown_until_it_is_settled() -> None:
    memory = Memory()
    decision = shown(memory)
    assert surprises(memory) == [None]
    memory.correct(decision, 1.0)  # nothing settled that could change
    assert surprises(memory) == [None]
    memory.settle(decision, 0.0)
    (score,) = surprises(memory)
    assert score is not None
    assert score < 0


def usual(memory: Memory, rate: float, pays: float = 1.0, arm: Arm = WARM) -> None:
    """Settles many outcomes of other visitors, a share of whom pay."""
    for number in range(1000):
        reward = pays * ((number * rate) % 1 < rate)
        memory.settle(shown(memory, f"other {number}", arm=arm), reward)


@pytest.mark.parametrize("pays", [1.0, 40.0])
def test_a_score_is_about_1_for_a_success_and_minus_the_usual_rate_for_none(pays: float) -> None:
    memory = Memory()
    usual(memory, 0.1, pays)
    memory.settle(shown(memory, hours=0.0), pays)
    memory.settle(shown(memory, hours=1.0), 0.0)
    assert surprises(memory) == [pytest.approx(1.0, abs=0.1), pytest.approx(-0.11, abs=0.03)]


def test_a_success_with_a_poor_copy_says_more_of_the_visitor_than_one_with_a_good_copy() -> None:
    """Its outcome is measured against what that copy brings, not against the test as a whole."""
    memory = Memory()
    usual(memory, 0.4)
    usual(memory, 0.02, arm=HUMAN)
    memory.settle(shown(memory, "good"), 0.0)
    memory.settle(shown(memory, "poor", arm=HUMAN), 0.0)
    (good,), (poor,) = surprises(memory, "good"), surprises(memory, "poor")
    assert good is not None
    assert poor is not None
    assert good < 10 * poor < 0


@pytest.mark.parametrize("first", [0.0, 1.0])
def test_correct_moves_the_score_to_about_where_it_would_have_been(first: float) -> None:
    late, right = Memory(), Memory()
    for memory in (late, right):
        usual(memory, 0.1)
    decision = shown(late)
    late.settle(decision, first)
    late.correct(decision, 1.0 - 2 * first)
    right.settle(shown(right), 1.0 - first)
    (found,), (wanted,) = surprises(late), surprises(right)
    assert found == pytest.approx(wanted, abs=0.15)


def test_two_showings_of_one_copy_are_told_apart_by_time() -> None:
    memory = Memory()
    one, two = shown(memory, hours=0.0), shown(memory, hours=5.0)
    memory.settle(two, 1.0)
    assert surprises(memory)[0] is None
    memory.settle(one, 0.0)
    first, second = surprises(memory)
    assert first is not None
    assert second is not None
    assert first < 0 < second


def test_experiments_do_not_share_what_is_usual() -> None:
    memory, alone = Memory(), Memory()
    usual(memory, 0.5)
    for each in (memory, alone):
        other = replace(decided(), experiment_id="another")
        each.show(other, WARM)
        each.settle(other, 1.0)
    assert surprises(memory) == surprises(alone)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
def test_scores_are_bounded_whatever_the_money(rewards: list[float]) -> None:
    memory = Memory()
    for hours, reward in enumerate(rewards):
        decision = shown(memory, hours=float(hours))
        memory.settle(decision, reward)
        memory.correct(decision, -3 * reward)
    assert all(each is not None and abs(each) <= MOST for each in surprises(memory))


def test_settling_again_brings_the_score_back_and_counts_once() -> None:
    memory = Memory(visitors=1500)
    usual(memory, 0.1)
    decision = shown(memory)
    before = dict(memory._usual)
    memory.settle(decision, 1.0, again=True)
    assert memory._usual == before
    assert surprises(memory) == [pytest.approx(1.0, abs=0.1)]


def test_outcomes_of_who_is_not_kept_teach_what_is_usual_and_no_more() -> None:
    memory = Memory()
    decision = decided()
    memory.settle(decision, 1.0)
    memory.correct(decision, -1.0)
    assert len(memory) == 0
    assert memory._usual


def test_forget_erases_one_visitor_for_good() -> None:
    memory = Memory()
    decision = shown(memory, "a")
    shown(memory, "b")
    memory.forget("a")
    memory.settle(decision, 1.0)
    assert memory.recall("a", AT) == ()
    assert "a" not in memory
    assert len(memory.recall("b", AT)) == 1
    memory.forget("nobody")


def test_room_is_bounded() -> None:
    """In bytes a visitor, whatever was shown how often, and no more visitors than were allowed."""
    memory = Memory(visitors=500)
    for number in range(2000):
        for hours in range(EPISODES + 3 if number % 2 else 1):
            shown(memory, f"visitor-{number:08}", float(hours))
    kept = memory._past
    assert len(kept) == 500
    assert max(map(len, kept.values())) == 14 * EPISODES
    room = sys.getsizeof(kept) + sum(
        sys.getsizeof(name) + sys.getsizeof(past) for name, past in kept.items()
    )
    assert room / len(kept) < 300 + 14 * EPISODES
