"""Briefs → a writer's drafts: several requests at once, in order, until the money is spent.

A writer that waits for a network is asked for many briefs at a time. What comes of a run does not
depend on which answer came first: answers are taken in the order of the requests, and a request
starts only once the answer `at_once` places before it was taken.
"""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from hookline.errors import BadInput, WriterFailed
from hookline.types import Brief, Draft, Tally
from hookline.writers.base import Writer


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a writer is asked for, see `Writer.write`."""

    brief: Brief
    n: int
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of one request.

    Attributes:
        drafts: What was written; empty where the writer failed or was not asked.
        failure: Why the writer gave up; empty if it did not.
        asked: Whether it was asked at all; not where the budget was spent.
    """

    drafts: tuple[Draft, ...] = ()
    failure: str = ""
    asked: bool = True

    @property
    def cost_usd(self) -> float:
        """What the drafts cost, in US dollars."""
        return sum(draft.cost_usd for draft in self.drafts)


class Purse:
    """The money of one run.

    A request starts where it still fits if it and all under way cost as much as the dearest answer
    so far. Before the first answer that is not known, so the first request goes alone. A run can
    pass its budget only by what an answer costs beyond the dearest before it.

    Args:
        budget_usd: Most that the run may cost, in US dollars, above 0; None for no limit.

    Raises:
        BadInput: Where the budget is not above 0.
    """

    def __init__(self, budget_usd: float | None) -> None:
        if budget_usd is not None and not budget_usd > 0:
            raise BadInput(f"the budget of a run must be above 0 USD, not {budget_usd:g}")
        self.budget_usd = budget_usd
        self.spent_usd = 0.0
        self._dearest: float | None = None

    def allows(self, under_way: int) -> bool:
        """Whether another request may start beside so many."""
        if self.budget_usd is None:
            return True
        if self._dearest is None:
            return under_way == 0
        expected = self.spent_usd + (under_way + 1) * self._dearest
        return self.spent_usd < self.budget_usd and expected <= self.budget_usd

    def pay(self, answer: Answer) -> None:
        """Books what an answer cost."""
        self.spent_usd += answer.cost_usd
        if answer.drafts:
            self._dearest = max(self._dearest or 0.0, answer.cost_usd)


def answers(
    requests: Sequence[Request], writer: Writer, purse: Purse, *, at_once: int
) -> Generator[Answer]:
    """An answer to each request, in their order, each as soon as it and those before are there.

    Args:
        requests: What to ask.
        writer: Whom; safe to use from several threads if `at_once` is above 1.
        purse: Says whether there is money left; what is not asked for lack of it is said so.
        at_once: Most requests under way at the same time, at least 1.

    Raises:
        BadInput: Where `at_once` is below 1.
    """
    if at_once < 1:
        raise BadInput(f"at least 1 request must be under way at once, not {at_once}")
    left, under_way = deque(requests), deque[Future[tuple[Draft, ...]]]()
    with ThreadPoolExecutor(at_once, thread_name_prefix="hookline-writer") as pool:

        def start() -> None:
            while left and len(under_way) < at_once and purse.allows(len(under_way)):
                request = left.popleft()
                under_way.append(pool.submit(writer.write, request.brief, request.n, request.seed))

        start()
        while under_way:
            answer = _taken(under_way.popleft())
            purse.pay(answer)
            start()
            yield answer
    yield from (Answer(asked=False) for _ in left)


def _taken(future: Future[tuple[Draft, ...]]) -> Answer:
    """What came of a request; a mistake that is not the writer's word on it is raised."""
    try:
        return Answer(drafts=future.result())
    except WriterFailed as failure:
        return Answer(failure=str(failure))


def tallies(taken: Sequence[tuple[str, Answer]], kept_by: Sequence[str]) -> dict[str, Tally]:
    """Writer's name → what it did, in the order in which they were first heard of.

    Args:
        taken: Name of the writer that was asked, and its answer.
        kept_by: Name of the writer of each copy in the slate.
    """
    asked = [(name, answer) for name, answer in taken if answer.asked]
    drafts = [draft for _, answer in asked for draft in answer.drafts]
    names = dict.fromkeys([*(name for name, _ in asked), *(draft.writer for draft in drafts)])
    found: dict[str, Tally] = {}
    for name in names:
        own = [draft for draft in drafts if draft.writer == name]
        found[name] = Tally(
            requests=sum(each == name for each, _ in asked),
            failures=sum(each == name and bool(answer.failure) for each, answer in asked),
            drafts=len(own),
            kept=sum(each == name for each in kept_by),
            tokens_in=sum(draft.tokens_in for draft in own),
            tokens_out=sum(draft.tokens_out for draft in own),
            cost_usd=sum(draft.cost_usd for draft in own),
        )
    return found
