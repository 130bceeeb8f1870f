"""What came after: for every showing, the discounted worth of the visitor's later visits.

A showing's answer is mature once all that happened within the look-ahead is known. Not before: a
visitor who has not come back yet is no visitor who never will.
"""

from bisect import insort
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from hookline.types import Metric, Outcome

T = TypeVar("T")

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Came(NamedTuple):
    """One showing, and what it was worth."""

    at: datetime
    decision_id: str
    worth: float


class Later(Generic[T]):
    """The showings whose answer is not mature yet.

    Args:
        metric: What worth is counted in.
        gamma: What the next visit counts of this one; the k-th later visit counts gamma to the k.
        look_ahead: How far after a showing visits count.
    """

    def __init__(self, metric: Metric, gamma: float, look_ahead: timedelta) -> None:
        self.metric: Metric = metric
        self.gamma = gamma
        self.look_ahead = look_ahead
        self._of_visitor: dict[str, list[Came]] = {}
        self._open: list[tuple[datetime, int, str, str]] = []
        self._about: dict[str, T] = {}
        self._shown = 0
        self._newest = _START

    def see(self, outcome: Outcome, about: T, before: Outcome | None = None) -> None:
        """Takes in what has become known of an outcome, as `Estimator.learn` does.

        Args:
            outcome: As it is now; what changes in it once its answer is mature comes too late.
            about: Comes back with the answer.
            before: As it was when last taken in; None the first time.
        """
        if not self._known(outcome):
            return
        decision, visitor_id = outcome.decision, outcome.decision.context.visitor_id
        came = Came(decision.context.at, decision.id, outcome.value(self.metric))
        visits = self._of_visitor.get(visitor_id, [])
        if before is not None and before.exposed and self._known(before):
            visits[:] = [came if each.decision_id == came.decision_id else each for each in visits]
        elif outcome.exposed:
            insort(self._of_visitor.setdefault(visitor_id, visits), came, key=attrgetter("at"))
            self._about[decision.id] = about
            self._shown += 1
            heappush(self._open, (came.at, self._shown, visitor_id, decision.id))
        self._newest = max(self._newest, came.at)

    def _known(self, outcome: Outcome) -> bool:
        """Whether the window that the metric waits for has closed."""
        return outcome.click_settled if self.metric == "clicks" else outcome.order_settled

    def mature(self) -> Iterator[tuple[T, float, int]]:
        """What is mature by now, oldest first: about whom, worth of later visits, their number."""
        while self._open and self._open[0][0] + self.look_ahead < self._newest:
            _, _, visitor_id, decision_id = heappop(self._open)
            if decision_id in self._about:
                yield (self._about.pop(decision_id), *self._taken(visitor_id, decision_id))

    def _taken(self, visitor_id: str, decision_id: str) -> tuple[float, int]:
        """Worth and number of the visits after this showing, which is then dropped."""
        visits = self._of_visitor[visitor_id]
        place = next(place for place, came in enumerate(visits) if came.decision_id == decision_id)
        end = visits[place].at + self.look_ahead
        after = [came.worth for came in visits[place + 1 :] if came.at <= end]
        del visits[place]
        if not visits:
            del self._of_visitor[visitor_id]
        return sum(self.gamma**k * worth for k, worth in enumerate(after, 1)), len(after)

    def forget(self, visitor_id: str) -> None:
        """Erases one visitor: what is open will have no answer."""
        for came in self._of_visitor.pop(visitor_id, ()):
            del self._about[came.decision_id]
