"""One shop over ninety days: its visits, its copy, and what every choice was truly worth.

24,000 visits by about 800 shoppers to one banner. Thirteen arms: the human control and twelve lines
that the phrasebook wrote for twelve attribute cells. Every fifteen days the three oldest lines
retire and three new ones come in. Everything random is fixed by the seed before anybody decides;
that goes for what a line is worth beyond its attributes, too: it belongs to the line's turn, not to
its words, so that whoever asks for other lines has the same luck with them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from hookline import sample
from hookline.attributes import design
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import channel
from hookline.perceive.encoders import embeddings, encoder_named
from hookline.simulate import Parameters, Shop, Visit
from hookline.types import Arm, Attributes, Audience, Context, Product, content_hash
from hookline.writers import Phrasebook

Array = NDArray[np.float64]

CHANNEL = "onsite_banner"
START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 90.0
VISITS = 24_000
VISITS_PER_SHOPPER = 30
MACHINE_LINES = 12
REFRESH_DAYS = 15.0
REPLACED = 3
BATCH = 100
"""Visits between two times that outcomes are learned."""
SETTLED = timedelta(hours=24)
"""How long after a visit its click is known."""
ENCODER = "static"
"""What the lines' embeddings come from, as in every new experiment."""
EVERYBODY = Audience(id="all", name="Everybody")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How tastes move, and how long it is looked at."""

    parameters: Parameters
    visits: int = VISITS
    days: float = DAYS


class World:
    """A seed's shop in one setting: what is the same for whoever decides.

    Args:
        setting: How tastes move.
        seed: Another seed is another shop with other shoppers, copy and luck.

    Attributes:
        visits: The visits, in order of time.
        contexts: What a policy sees of each.
        audiences: The visible segment of each visitor, as audience.
        turns: How often this shopper had come before, for each visit.
        epochs: Which stretch between two refreshes each visit falls in, from 0.
        luck: Two uniform numbers for each visit: one picks the arm, one decides the click.
        matured: For each batch, how many visits from the first are settled when it begins.
    """

    def __init__(self, setting: Setting, seed: int) -> None:
        products = _products()
        self.setting, self.seed = setting, seed
        self.product = products[seed % len(products)]
        self.shop = Shop(seed, [self.product], replace(setting.parameters, quirk_sd=0.0))
        place = (self.product.id, CHANNEL)
        came = self.shop.visits(setting.visits, placements=[place], start=START, days=setting.days)
        self.visits: list[Visit] = list(came)
        self.contexts = [_context(visit) for visit in self.visits]
        self.audiences = [str(visit.traits["segment"]) for visit in self.visits]
        self.turns = _turns(self.visits)
        days = np.array([visit.day for visit in self.visits])
        self.day = days.astype(np.int64)
        self.epochs: list[int] = (days / REFRESH_DAYS).astype(np.int64).tolist()
        self.luck = np.random.default_rng([seed, 3]).random((setting.visits, 2))
        waits = days[::BATCH] - SETTLED / timedelta(days=1)
        self.matured: list[int] = np.searchsorted(days, waits, side="right").tolist()
        turns = 1 + MACHINE_LINES + REPLACED * self.epochs[-1]
        sd = setting.parameters.quirk_sd
        drawn = np.random.default_rng([seed, 4]).standard_normal(turns)
        self._quirks = np.exp(sd * drawn - sd**2 / 2)
        self._turn_of = {self.control.id: 0}
        self._writer = Phrasebook()
        self._lines: dict[tuple[Attributes, int], Arm] = {}

    @cached_property
    def control(self) -> Arm:
        """The line that a person wrote."""
        parts = sample.control_lines()[self.product.id][CHANNEL]
        return Arm(id="control", text=" | ".join(parts.values()), parts=parts, control=True)

    @cached_property
    def slates(self) -> Sequence[tuple[Arm, ...]]:
        """The arms of each epoch where nobody learns what to ask the writer for."""
        count = self.epochs[-1] + 1
        cells = design(EVERYBODY, MACHINE_LINES + REPLACED * (count - 1), self.seed)
        slates: list[tuple[Arm, ...]] = [self.slate(cells[:MACHINE_LINES])]
        for first in range(MACHINE_LINES, len(cells), REPLACED):
            slates.append(self.renewed(slates[-1], cells[first : first + REPLACED]))
        return slates

    @cached_property
    def best(self) -> Array:
        """The chance of a click on the best copy of `slates` at its first showing, per visit."""
        return np.array(
            [
                max(self.click(visit, arm) for arm in slate)
                for visit, slate in zip(
                    self.visits, (self.slates[epoch] for epoch in self.epochs), strict=True
                )
            ]
        )

    def click(self, visit: Visit, arm: Arm, *, worn: float = 0.0) -> float:
        """The true chance of a click on a line; `worn` as for `Shop.expected_click`."""
        liked = self.shop.expected_click(visit, arm.parts, arm.attributes, worn=worn)
        return liked * float(self._quirks[self._turn_of[arm.id]])

    def slate(self, cells: Sequence[Attributes]) -> tuple[Arm, ...]:
        """The control and a line for each cell."""
        return (self.control, *(self._line(cell, turn) for turn, cell in enumerate(cells, 1)))

    def renewed(self, slate: Sequence[Arm], cells: Sequence[Attributes]) -> tuple[Arm, ...]:
        """The slate with its oldest lines replaced by a new one for each cell."""
        first = 1 + self._turn_of[slate[-1].id]
        new = [self._line(cell, turn) for turn, cell in enumerate(cells, first)]
        return (self.control, *slate[1 + len(cells) :], *new)

    def _line(self, cell: Attributes, turn: int) -> Arm:
        """The line that the phrasebook writes for a cell, as the one of this turn."""
        if (cell, turn) not in self._lines:
            brief = make_brief(
                product=self.product,
                audience=EVERYBODY,
                channel=channel(CHANNEL),
                brand=sample.brand(),
                attributes=cell,
            )
            [draft] = self._writer.write(brief, 1, self.seed)
            text = " | ".join(draft.parts.values())
            arm = Arm(
                id=content_hash(draft.parts, cell, turn, size=6),
                text=text,
                parts=draft.parts,
                attributes=cell,
                embedding=embeddings(encoder_named(ENCODER), [text])[0],
            )
            self._turn_of[arm.id] = turn
            self._lines[cell, turn] = arm
        return self._lines[cell, turn]


@lru_cache(maxsize=1)
def _products() -> tuple[Product, ...]:
    """The sample shop's."""
    return tuple(read_feed(sample.shop_path()).products)


def _context(visit: Visit) -> Context:
    return Context(
        visitor_id=visit.visitor_id,
        at=visit.at,
        traits=visit.traits,
        device=visit.device,
        visit_id=visit.visit_id,
    )


def _turns(visits: Sequence[Visit]) -> Array:
    """How often the shopper of each visit had come before."""
    seen: Counter[str] = Counter()
    turns = np.zeros(len(visits))
    for index, visit in enumerate(visits):
        turns[index] = seen[visit.visitor_id]
        seen[visit.visitor_id] += 1
    return turns
