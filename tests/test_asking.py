"""Asking a writer: order, requests at once, and the purse."""

import threading
import time
from typing import ClassVar

import pytest

from hookline.asking import Answer, Purse, Request, answers, tallies
from hookline.brief import make_brief
from hookline.channels import CHANNELS
from hookline.errors import BadInput, WriterFailed
from hookline.types import Attributes, Audience, Brand, Brief, Draft, Product, Tally
from hookline.writers.base import Writer

BRIEF = make_brief(
    product=Product(id="mug", title="Tin Mug"),
    audience=Audience(id="all", name="Everybody"),
    channel=CHANNELS["onsite_banner"],
    brand=Brand(id="acme", name="Acme"),
    attributes=Attributes(),
)


class Clerk(Writer):
    """Writes the seed as a headline, for a price; some seeds take long, some fail."""

    name: ClassVar[str] = "clerk"

    def __init__(self, *, price: float = 0.0, slow: int = -1, fails: int = -1) -> None:
        self.price, self.slow, self.fails = price, slow, fails
        self.asked: list[int] = []
        self.together = self.most = 0
        self._lock = threading.Lock()

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        with self._lock:
            self.asked.append(seed)
            self.together += 1
            self.most = max(self.most, self.together)
        time.sleep(0.05 if seed == self.slow else 0.005)
        with self._lock:
            self.together -= 1
        if seed == self.fails:
            raise WriterFailed("out of ink")
        draft = Draft(
            parts={"headline": str(seed)}, writer="clerk", prompt="", seed=seed,
            tokens_in=10, tokens_out=5, cost_usd=self.price,
        )  # fmt: skip
        return (draft,) * n


def requests(count: int, n: int = 1) -> list[Request]:
    return [Request(brief=BRIEF, n=n, seed=seed) for seed in range(count)]


def seeds(found: list[Answer]) -> list[int | None]:
    return [answer.drafts[0].seed if answer.drafts else None for answer in found]


def test_answers_come_in_the_order_of_requests_however_long_each_takes() -> None:
    clerk = Clerk(slow=0)
    found = list(answers(requests(6), clerk, Purse(None), at_once=3))
    assert seeds(found) == [0, 1, 2, 3, 4, 5]
    assert clerk.most == 3


def test_no_more_requests_are_under_way_than_allowed() -> None:
    clerk = Clerk()
    assert seeds(list(answers(requests(4), clerk, Purse(None), at_once=1))) == [0, 1, 2, 3]
    assert clerk.most == 1


def test_an_answer_is_given_before_those_behind_it_are_there() -> None:
    clerk = Clerk()
    found = answers(requests(9), clerk, Purse(None), at_once=2)
    next(found)
    assert len(clerk.asked) <= 3
    found.close()
    assert len(clerk.asked) <= 3


def test_a_writer_that_fails_is_one_answer_and_a_mistake_is_raised() -> None:
    found = list(answers(requests(3), Clerk(fails=1), Purse(None), at_once=2))
    assert [answer.failure for answer in found] == ["", "out of ink", ""]

    class Broken(Clerk):
        def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(answers(requests(3), Broken(), Purse(None), at_once=2))


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_budget_holds_and_says_who_was_not_asked(at_once: int) -> None:
    """At .25 an answer, a budget of 1.1 buys four."""
    clerk, purse = Clerk(price=0.25), Purse(1.1)
    found = list(answers(requests(8), clerk, purse, at_once=at_once))
    assert seeds(found) == [0, 1, 2, 3, None, None, None, None]
    assert [answer.asked for answer in found] == [True] * 4 + [False] * 4
    assert sorted(clerk.asked) == [0, 1, 2, 3]
    assert purse.spent_usd == 1.0


def test_a_budget_spent_to_the_cent_buys_no_more() -> None:
    assert seeds(list(answers(requests(4), Clerk(price=0.5), Purse(1.0), at_once=4))) == [
        0, 1, None, None,
    ]  # fmt: skip


def test_a_budget_does_not_hold_back_a_writer_that_costs_nothing() -> None:
    clerk = Clerk()
    assert None not in seeds(list(answers(requests(9), clerk, Purse(0.01), at_once=3)))
    assert clerk.most == 3


def test_the_first_request_on_a_budget_goes_alone() -> None:
    """Its price is what the others are let out by."""
    clerk = Clerk(price=5.0)
    found = list(answers(requests(6), clerk, Purse(1.0), at_once=6))
    assert clerk.asked == [0]
    assert [answer.asked for answer in found] == [True, *[False] * 5]


def test_numbers_out_of_range_are_bad_input() -> None:
    with pytest.raises(BadInput, match="budget"):
        Purse(0.0)
    with pytest.raises(BadInput, match="at once"):
        list(answers(requests(1), Clerk(), Purse(None), at_once=0))


def test_tallies_count_drafts_by_who_wrote_them() -> None:
    own = Draft(parts={}, writer="a", prompt="", seed=0, tokens_in=3, tokens_out=2, cost_usd=0.5)
    others = Draft(parts={}, writer="b", prompt="", seed=0)
    taken = [
        ("a", Answer(drafts=(own, own, others))),
        ("a", Answer(failure="out of ink")),
        ("a", Answer(asked=False)),
        ("b", Answer(drafts=(others,))),
    ]
    assert tallies(taken, ["a", "b", "b"]) == {
        "a": Tally(
            requests=2, failures=1, drafts=2, kept=1, tokens_in=6, tokens_out=4, cost_usd=1.0
        ),
        "b": Tally(requests=1, drafts=2, kept=2),
    }
