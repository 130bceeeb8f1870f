"""The shop as a Gymnasium environment, `hookline/Shop-v0`; needs `pip install hookline[gym]`.

Gymnasium finds an environment once the module that registers it was imported, so either import
this one or name it:

    gymnasium.make("hookline.simulate.gym:hookline/Shop-v0", drift="abrupt")
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, get_args

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from hookline import sample
from hookline.catalog import read_feed
from hookline.errors import BadInput, Refused
from hookline.simulate.observation import Layout, Row
from hookline.simulate.parameters import Drift, Parameters
from hookline.simulate.records import Happening, Visit
from hookline.simulate.shop import Shop
from hookline.simulate.slate import made_slate
from hookline.simulate.wear import Showings
from hookline.types import Arm, Product

Reward = Literal["click", "order", "revenue"]
"""What a step pays: 1 for a click, 1 for an order, or the visit's money net of refunds."""

CHANNEL: Final = "onsite_banner"
START: Final = datetime(2026, 1, 5, tzinfo=UTC)


class _Waiting(NamedTuple):
    """A visit to be answered; for each arm how worn it is there, and its true mean reward."""

    visit: Visit
    worn: list[float]
    expected: NDArray[np.float64]


class ShopEnv(gymnasium.Env[Row, np.int64]):
    """One season of a shop: each step is a visit, each action the arm that the visitor is shown.

    `reset(seed=n)` opens `Shop(n)`: other shoppers, other luck and another quirk for every line.
    Without a seed the next world is drawn from the last seed. The season ends as a truncation,
    for the shop would have gone on; its last observation is of a visit nobody has to answer.
    A reward comes at once, whenever the shopper clicked, ordered or gave back; an agent that shall
    learn when a real one could goes by the arrival times of `info["events"]`.

    `info` holds of the visit that is waiting: `visit`, and `expected`, the true mean reward of
    each arm. After a step it holds of the visit before: `served`, the `arm` shown, `regret`, its
    mean reward under the best one's, and `events`, messages in the order of happening, with late
    and doubled ones among them.

    Args:
        products: What is sold, one place each; None for the sample shop's first product.
        slate: Arms to choose from, on all products; None for a control and seven machine lines
            made for each product.
        reward: What a step pays.
        visits: Steps of an episode.
        shoppers: How many people they come from; None for what `parameters` say.
        days: How long the season is.
        drift: How tastes move; None for what `parameters` say.
        personal: Whether shoppers differ in taste; None for what `parameters` say.
        parameters: The world's constants.

    Attributes:
        layout: What stands where in an observation.
        slates: Product id → the arms, in the order of the actions.

    Raises:
        BadInput: Where one of the arguments is unusable.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of `gymnasium.make`
        self,
        *,
        products: Sequence[Product] | None = None,
        slate: Sequence[Arm] | None = None,
        reward: Reward = "click",
        visits: int = 2000,
        shoppers: int | None = None,
        days: float = 30.0,
        drift: Drift | None = None,
        personal: bool | None = None,
        parameters: Parameters | None = None,
    ) -> None:
        _check(products, slate, reward, visits, shoppers, days)
        p = parameters or Parameters()
        self.parameters = replace(
            p,
            drift=drift or p.drift,
            personal=p.personal if personal is None else personal,
            visits_per_shopper=visits / shoppers if shoppers else p.visits_per_shopper,
        )
        self.products = products or read_feed(sample.shop_path()).products[:1]
        self.slates: Mapping[str, Sequence[Arm]] = {
            one.id: slate or made_slate(one, CHANNEL) for one in self.products
        }
        self.reward: Reward = reward
        self.visits, self.days = visits, days
        self.layout = Layout(self.parameters, self.slates, days)
        arms = len(self.slates[self.products[0].id])
        self.action_space = spaces.Discrete(arms)
        self.observation_space = spaces.Box(-1.0, 1.0, (self.layout.size,), np.float32)
        self._left = 0
        self._waiting: _Waiting | None = None
        self._open(0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Row, dict[str, Any]]:
        """The first observation of a new season, and its `info`.

        Args:
            seed: Which world; None for one drawn from the last seed.
            options: None are known.
        """
        super().reset(seed=seed, options=options)
        world = int(self.np_random.integers(2**31)) if seed is None else seed
        self._open(world)
        self._left = self.visits
        self._waiting = self._next()
        return self._seen(self._waiting)

    def step(self, action: np.int64) -> tuple[Row, float, bool, bool, dict[str, Any]]:
        """The next observation, the reward, whether terminated (never), truncated, and `info`.

        Args:
            action: Place of the arm that is shown, from 0, the control.

        Raises:
            Refused: Where the season is over or has not begun.
        """
        if self._waiting is None:
            raise Refused("no visitor is waiting; call reset()")
        (visit, worn, expected), place = self._waiting, int(action)
        arm = self.slates[visit.product_id][place]
        events = self._shop.respond(visit, arm.parts, arm.attributes, worn=worn[place])
        self._showings.show(visit.visitor_id, arm.id, visit.day)
        self._left -= 1
        coming = self._next()
        self._waiting = coming if self._left else None
        row, info = self._seen(coming)
        regret = float(expected.max() - expected[place])
        info |= {"served": visit, "arm": arm, "regret": regret, "events": events}
        return row, self._earned(events), False, not self._left, info

    def _open(self, world: int) -> None:
        """Opens the shop of a world."""
        self._shop = Shop(world, self.products, self.parameters)
        self._showings = Showings(self.parameters.wear_days)
        self._coming = self._shop.visits(
            self.visits + 1,
            placements=[(product.id, CHANNEL) for product in self.products],
            start=START,
            days=self.days,
        )

    def _next(self) -> _Waiting:
        """The next visit, with what is true of it."""
        visit = next(self._coming)
        slate = self.slates[visit.product_id]
        worn = [self._showings.worn(visit.visitor_id, arm.id, visit.day) for arm in slate]
        worth = [self._worth(visit, arm, w) for arm, w in zip(slate, worn, strict=True)]
        return _Waiting(visit, worn, np.array(worth))

    def _seen(self, waiting: _Waiting) -> tuple[Row, dict[str, Any]]:
        """The observation of a visit, and its part of `info`."""
        info = {"visit": waiting.visit, "expected": waiting.expected.copy()}
        return self.layout.observe(waiting.visit, waiting.worn), info

    def _worth(self, visit: Visit, arm: Arm, worn: float) -> float:
        """The true mean reward of an arm on a visit."""
        click = self._shop.expected_click(visit, arm.parts, arm.attributes, worn=worn)
        if self.reward == "order":
            return self._shop.expected_order(visit, arm.attributes, click=click)
        if self.reward == "revenue":
            return self._shop.expected_revenue(visit, arm.attributes, click=click)
        return click

    def _earned(self, events: Sequence[Happening]) -> float:
        """The reward of what a visitor did, each thing once however often it was sent."""
        did = {event.kind: event.revenue for event in events}
        if self.reward == "revenue":
            return did.get("order", 0.0) - did.get("refund", 0.0)
        return float(self.reward in did)


def _check(
    products: Sequence[Product] | None,
    slate: Sequence[Arm] | None,
    reward: str,
    visits: int,
    shoppers: int | None,
    days: float,
) -> None:
    if products is not None and not products:
        raise BadInput("the environment needs at least one product; leave it out for a made one")
    if slate is not None and len(slate) < 2:
        raise BadInput("the slate needs at least two arms to choose from")
    if reward not in get_args(Reward):
        raise BadInput(f"reward is one of {', '.join(get_args(Reward))}, not {reward!r}")
    if visits < 1 or (shoppers is not None and shoppers < 1) or not days > 0:
        raise BadInput("visits and shoppers are at least 1, and days more than 0")


gymnasium.register(  # pyright: ignore[reportUnknownMemberType] - its kwargs are an untyped dict
    id="hookline/Shop-v0", entry_point=f"{__name__}:ShopEnv"
)
