"""What slates came to, from a test's outcomes."""

from dataclasses import replace

from conftest import NOW, make_arm, make_context, make_experiment
from hookline.slate import Tried, tried_in
from hookline.types import Decision, Outcome, Slice

TEST = make_experiment(
    arms=(make_arm("control", control=True), make_arm("a"), make_arm("b"), make_arm("c"))
)
DIALS = {"a": 0.2, "b": 0.8, "c": 0.8}


def outcome(arm: str, slice_: Slice, *, clicks: int = 0, orders: int = 0) -> Outcome:
    decision = Decision(
        id="d", experiment_id="boots", arm_id=arm, propensity=0.25, probabilities={arm: 0.25},
        slice=slice_, reason=slice_, context=make_context(at=NOW),
    )  # fmt: skip
    return Outcome(
        decision=decision, exposed=True, clicks=clicks, orders=orders, click_settled=True
    )


def test_tried_in_counts_even_draws_by_dial() -> None:
    seen = [
        outcome("control", "holdout", clicks=1),
        outcome("control", "uniform"),
        outcome("control", "policy", clicks=1),
        outcome("a", "uniform"),
        outcome("a", "policy", clicks=1),
        outcome("b", "uniform", clicks=2),
        outcome("c", "uniform"),
    ]
    one = Tried(
        creativity=0.2, visitors=1, conversions=0, control_visitors=2, control_conversions=1
    )
    two = replace(one, creativity=0.8, visitors=2, conversions=1)
    assert tried_in(TEST, seen, DIALS) == [one, two]


def test_tried_in_leaves_out_the_unsettled_the_unseen_and_human_lines() -> None:
    sound = outcome("a", "uniform", clicks=1)
    odd = [replace(sound, exposed=False), replace(sound, click_settled=False)]
    assert tried_in(TEST, odd, DIALS) == []
    assert tried_in(TEST, [sound], {}) == []


def test_tried_in_counts_orders_where_money_is_the_objective() -> None:
    test = replace(TEST, objective="revenue")
    sold = replace(outcome("a", "uniform", clicks=1, orders=3), order_settled=True)
    (found,) = tried_in(test, [sold, replace(sold, orders=0)], DIALS)
    assert (found.visitors, found.conversions) == (2, 1)
