"""What every visitor was shown and how it was received: the last few copies, in bounded room.

A cache over the log, one for all experiments. Each showing is 14 bytes: the minute, the copy, its
creative attributes, and its score once its outcome is settled (see `perceive.past`), so that what
is not yet known is not mistaken for a no. A visitor costs about 150 bytes and 14 for each of at
most `EPISODES` showings. When there is no room left, whoever was not seen for longest is dropped;
`learn` brings them back from the log when they return.

What was recalled for a decision is logged with it (`Context.past`), so that nothing learned from it
later depends on what this cache held.
"""

from collections import OrderedDict
from datetime import datetime
from math import isnan, nan
from struct import Struct
from typing import Final

from hookline.perceive import cell_of
from hookline.types import Arm, Decision, Episode

EPISODES: Final = 16
"""Showings kept of one visitor, the latest."""
VISITORS: Final = 1_000_000
"""Visitors kept, the latest seen."""
MOST: Final = 5.0
"""No single outcome scores more than this to either side."""

_RECORD: Final = Struct("<IIhf")  # minute since the epoch, copy, cell, score (NaN: not settled)
_STEADY: Final = 20.0
_FADE: Final = 1 - 1 / 5000


class Memory:
    """The visitors' past.

    Args:
        visitors: How many are kept, at least 1.
    """

    def __init__(self, *, visitors: int = VISITORS) -> None:
        self.visitors = visitors
        self._past: OrderedDict[str, bytes] = OrderedDict()
        self._copies: dict[str, int] = {}
        self._names: list[str] = []
        self._usual: dict[str, tuple[float, float, float]] = {}

    def __len__(self) -> int:
        return len(self._past)

    def __contains__(self, visitor_id: str) -> bool:
        return visitor_id in self._past

    def show(self, decision: Decision, arm: Arm) -> None:
        """Takes in that a visitor was shown a copy; the outcome is open."""
        visitor_id, minute = decision.context.visitor_id, _minute(decision.context.at)
        record = _RECORD.pack(minute, self._copy(arm.id), cell_of(arm.attributes), nan)
        past = self._past.get(visitor_id, b"") + record
        self._past[visitor_id] = past[-EPISODES * _RECORD.size :]
        self._past.move_to_end(visitor_id)
        if len(self._past) > self.visitors:
            self._past.popitem(last=False)

    def settle(self, decision: Decision, reward: float, *, again: bool = False) -> None:
        """Takes in what the copy that was shown has brought.

        Args:
            decision: The decision to show it.
            reward: What it brought.
            again: Whether this has been taken in before, for a visitor who was dropped since.
        """
        among, added = decision.experiment_id, None if again else reward
        everybody = self._usual_reward(among, added, 0.5, 2.0)
        mean, moment = everybody[1] / everybody[0], everybody[2] / everybody[0]
        expected = self._usual_reward(f"{among}/{decision.arm_id}", added, mean, _STEADY)
        usual = expected[1] / expected[0]
        score = (reward - usual) * usual / max(moment - mean**2, 1e-6 * moment, 1e-12)
        self._rescore(decision, score, settled=False)

    def correct(self, decision: Decision, delta: float) -> None:
        """Takes in that an outcome settled before has changed by `delta`."""
        count, total, squares = self._usual.get(decision.experiment_id, (1.0, 0.5, 0.5))
        mean, moment = total / count, squares / count
        score = delta * mean / max(moment - mean**2, 1e-6 * moment, 1e-12)
        self._rescore(decision, score, settled=True)

    def recall(self, visitor_id: str, at: datetime) -> tuple[Episode, ...]:
        """What a visitor was shown before, oldest first; empty if nobody knows.

        Args:
            visitor_id: Who.
            at: The time of asking; what was shown later counts as shown just now.
        """
        past = self._past.get(visitor_id)
        if past is None:
            return ()
        now, names = _minute(at), self._names
        return tuple(
            [
                Episode(
                    (now - minute) / 60 if now > minute else 0.0,
                    names[copy],
                    cell,
                    score if score == score else None,  # noqa: PLR0124 - false of NaN alone
                )
                for minute, copy, cell, score in _RECORD.iter_unpack(past)
            ]
        )

    def forget(self, visitor_id: str) -> None:
        """Erases one visitor."""
        self._past.pop(visitor_id, None)

    def _copy(self, arm_id: str) -> int:
        copy = self._copies.setdefault(arm_id, len(self._names))
        if copy == len(self._names):
            self._names.append(arm_id)
        return copy

    def _usual_reward(
        self, name: str, reward: float | None, start: float, weight: float
    ) -> tuple[float, float, float]:
        """Faded count, sum and sum of squares before this reward, which is then added, if any."""
        before = self._usual.get(name, (weight, start * weight, start * weight))
        if reward is not None:
            count, total, squares = before
            self._usual[name] = (
                _FADE * count + 1,
                _FADE * total + reward,
                _FADE * squares + reward * reward,
            )
        return before

    def _rescore(self, decision: Decision, score: float, *, settled: bool) -> None:
        """Adds to the score of the showing, if it is among those kept."""
        visitor_id, copy = decision.context.visitor_id, self._copies.get(decision.arm_id)
        past, minute = self._past.get(visitor_id), _minute(decision.context.at)
        if past is None or copy is None:
            return
        for start in range(len(past) - _RECORD.size, -1, -_RECORD.size):  # the latest first
            record = _RECORD.unpack_from(past, start)
            if record[:2] == (minute, copy) and isnan(record[3]) != settled:
                new = (record[3] if settled else 0.0) + score
                changed = _RECORD.pack(*record[:3], min(max(new, -MOST), MOST))
                self._past[visitor_id] = past[:start] + changed + past[start + _RECORD.size :]
                return


def _minute(at: datetime) -> int:
    return min(max(int(at.timestamp() // 60), 0), 2**32 - 1)
