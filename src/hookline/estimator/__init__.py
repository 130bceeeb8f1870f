"""What will come of showing a copy to a visitor: click, order, money, and what comes after.

Four heads, each a critic of its own with the visitor's level on top:

    click               of whoever is shown the copy
    order given click   of whoever clicked on it
    value given order   money net of refunds, of whoever ordered
    long run            discounted worth of the visitor's later visits to the same test

Each learns an outcome when it is mature and not before: click and order once their windows have
closed, the long run once the look-ahead has passed. What is not yet known is never a "no". What
becomes known later still, a late click or a refund, is put right, but for a long run learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, get_args

import numpy as np

from hookline.errors import BadInput
from hookline.estimator.head import Expected, Head
from hookline.estimator.later import Later
from hookline.estimator.level import Pair
from hookline.types import Arm, Context, Metric, Outcome

__all__ = [
    "GAMMA",
    "LOOK_AHEAD_DAYS",
    "TARGETS",
    "Estimator",
    "Expected",
    "Forecasts",
    "Later",
    "Pair",
    "Target",
    "rewards",
    "worth",
]

Target = Literal["click", "order given click", "value given order", "long run"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)
"""What is forecast, each by a head of its own."""
GAMMA: Final = 0.99
"""What a visitor's next visit counts of this one."""
LOOK_AHEAD_DAYS: Final = 30.0
"""Days after a showing in which visits count as its long run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecasts:
    """What is expected of each of some arms for one visitor; None where too little is known yet.

    Attributes:
        click: Chance of a click.
        order_given_click: Chance that a click leads to an order.
        value_given_order: Money of an order, net of refunds.
        worth: Money that comes by way of a click: the product of the three.
        long_run: Discounted clicks or money of the visitor's later visits.
    """

    click: Expected | None
    order_given_click: Expected | None
    value_given_order: Expected | None
    worth: Expected | None
    long_run: Expected | None


class Estimator:
    """Learns from one experiment's outcomes what will come of the next showing.

    Args:
        metric: What the long run counts: clicks, orders or money.
        gamma: What a visitor's next visit counts of this one in the long run, above 0, up to 1.
        look_ahead_days: Days after a showing in which visits count, above 0.

    Raises:
        BadInput: Where a parameter lies outside its range.
    """

    def __init__(
        self,
        *,
        metric: Metric = "revenue",
        gamma: float = GAMMA,
        look_ahead_days: float = LOOK_AHEAD_DAYS,
    ) -> None:
        if not 0 < gamma <= 1:
            raise BadInput(f"gamma must lie above 0 and be at most 1, not {gamma:g}")
        if not 0 < look_ahead_days <= 3650:
            raise BadInput(
                f"look_ahead_days must be above 0 and up to 3650, not {look_ahead_days:g}"
            )
        self.metric: Metric = metric
        self.gamma = gamma
        self.look_ahead_days = look_ahead_days
        self._heads: dict[Target, Head] = {
            "click": Head(most=1.0),
            "order given click": Head(most=1.0),
            "value given order": Head(),
            "long run": Head(personal=False),  # two answers of one visitor share later visits
        }
        self._later = Later[Pair](metric, gamma, timedelta(days=look_ahead_days))
        self._mature = self._visits = self._skipped = 0

    def learn(self, outcome: Outcome, arm: Arm, before: Outcome | None = None) -> None:
        """Takes in what has become known of an outcome.

        To be called in log order, whenever a window of it closes or it changes after one has;
        also for one that was never exposed: it says that time has gone by.

        Args:
            outcome: As it is now.
            arm: The arm served.
            before: As it was when last taken in; None the first time.
        """
        decision = outcome.decision
        pair = (decision.context, decision.audience_id, arm)
        known = rewards(before) if before is not None else {}
        for target, reward in rewards(outcome).items():
            if target not in known:
                self._heads[target].learn(pair, reward)
            elif reward != known[target]:
                self._heads[target].correct(pair, reward - known[target])
        self._later.see(outcome, pair, before)
        for about, long_run, visits in self._later.mature():
            self._learn_long_run(about, long_run, visits)

    def _learn_long_run(self, pair: Pair, long_run: float, visits: int) -> None:
        """Learns every n-th answer, n being how many of a visitor's answers share a visit.

        So no visit counts n times, and no kind of visitor or visit is left out.
        """
        self._mature += 1
        self._visits += visits
        self._skipped += 1
        if self._skipped * self._mature >= self._mature + self._visits:
            self._skipped = 0
            self._heads["long run"].learn(pair, long_run)

    def forget(self, visitor_id: str) -> None:
        """Keeps nothing of one visitor but their part in sums over many."""
        self._later.forget(visitor_id)
        for head in self._heads.values():
            head.forget(visitor_id)

    def usual(self, target: Target) -> float:
        """The mean of what was learned, whoever was shown whatever; 1 if nothing was."""
        return self._heads[target].usual

    def expected(self, target: Target, pairs: Sequence[Pair]) -> Expected | None:
        """One forecast for many visitors with one arm each; None where too little is known.

        Args:
            target: Which.
            pairs: At least one.
        """
        head = self._heads[target]
        return head.expected(pairs) if head.speaks else None

    def predict(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Forecasts:
        """What will come of showing each arm to this visitor.

        Args:
            context: Who is asking, with the past.
            audience_id: Audience the visitor was sorted into; may be empty.
            arms: At least one.
        """
        pairs = [(context, audience_id, arm) for arm in arms]
        click, order, value, long_run = (self.expected(target, pairs) for target in TARGETS)
        return Forecasts(
            click=click,
            order_given_click=order,
            value_given_order=value,
            worth=worth(click, order, value),
            long_run=long_run,
        )


def worth(*parts: Expected | None) -> Expected | None:
    """The product of expectations, with the relative variances added up (delta method).

    That takes the errors for independent. None where a part is.
    """
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    mean = np.prod([part.mean for part in known], axis=0)
    relative = sum((part.sd / np.maximum(part.mean, 1e-300)) ** 2 for part in known)
    return Expected(mean, mean * np.sqrt(relative))


def rewards(outcome: Outcome) -> dict[Target, float]:
    """What is known of an outcome by itself: target → reward; the long run is never among them."""
    found: dict[Target, float] = {}
    if not outcome.exposed:
        return found
    if outcome.click_settled:
        found["click"] = outcome.value("clicks")
        if outcome.order_settled and outcome.clicks:
            found["order given click"] = outcome.value("orders")
    if outcome.order_settled and outcome.orders:
        found["value given order"] = outcome.value("revenue")
    return found
