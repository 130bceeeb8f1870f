"""One finished or running test as tuning sees it."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from hookline.stats.estimate import MIN_UNITS
from hookline.types import Audience, Brand, Experiment, Outcome, Product

EVERYBODY: Final = Audience(id="", name="Everybody")
"""Readers of whom nothing is known: visitors whom no audience takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedTest:
    """A test with what came of it.

    Attributes:
        experiment: The test.
        outcomes: Its outcomes, in log order.
        product: What its lines sell.
        brand: For whom they were written.
        exemplary: Ids of the lines that may be held up as an example: approved, and still in the
            test. Others can only ever be what to avoid.
    """

    experiment: Experiment
    outcomes: Sequence[Outcome]
    product: Product
    brand: Brand
    exemplary: Set[str]

    def audience(self, audience_id: str) -> Audience:
        """The audience of that id, everybody where the test has none."""
        known = {audience.id: audience for audience in self.experiment.audiences}
        return known.get(audience_id, EVERYBODY)


@dataclass(frozen=True, kw_only=True, slots=True)
class Defence:
    """What keeps a few visitors, or machines, from deciding what is learned.

    Every visitor has one vote in a stratum, however often they come. Whoever clicks more than any
    honest visitor would has none, see `screen.counted`. A line whose clicks bring far too few
    orders is left out, see `screen.hollow`, and one that strangers alone like, see
    `screen.strange`.

    Attributes:
        ceiling: How many times the usual rate an honest visitor may click at, above 1. Of 10,000
            shoppers of the simulated shop, whose spread is that of real customers, 1 in 1,000 does
            so at 3.6 times the mean, and none at 5.
        chance: Chance that a visitor at the ceiling itself is set aside, above 0 and below 1.
        substance: Least orders per click that a line may bring, relative to the other lines of its
            test, above 0 and at most 1. Lines that promise more than they keep bring .85.
        liking: How many times better, relative to the other lines, a line may do among visitors
            who came once than among those who came again, at least 1. Some wear out.
    """

    ceiling: float = 5.0
    chance: float = 0.001
    substance: float = 0.8
    liking: float = 1.25

    def __post_init__(self) -> None:
        if not (self.ceiling > 1 and self.liking >= 1):
            raise ValueError("ceiling must be above 1, liking at least 1")
        if not (0 < self.chance < 1 and 0 < self.substance <= 1):
            raise ValueError("chance must be above 0 and below 1, substance above 0 and up to 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """When evidence is enough to learn from.

    Attributes:
        least_chance: Least posterior probability that one line is better than another for a row to
            say so, from .5 to below 1.
        least_visitors: Fewest effective visitors of a line within a stratum. 100 is what the
            report asks for before it gives an interval.
        least_rows: Fewest effective rows of an export. Hosted tuning takes no file of fewer than 10
            examples, and a model that is tuned on fewer learns them by heart.
        period_days: Length of a stratum in days, above 0. 28 are four whole weeks, so that every
            weekday is in each as often.
        defence: None takes all at face value, to measure what the defence is worth.
    """

    least_chance: float = 0.9
    least_visitors: float = MIN_UNITS
    least_rows: float = 10.0
    period_days: float = 28.0
    defence: Defence | None = field(default_factory=Defence)

    def __post_init__(self) -> None:
        if not 0.5 <= self.least_chance < 1:
            raise ValueError(f"least_chance lies from .5 to below 1, not {self.least_chance}")
        if not (self.least_visitors > 0 and self.least_rows > 0 and self.period_days > 0):
            raise ValueError("least_visitors, least_rows and period_days must be above 0")
