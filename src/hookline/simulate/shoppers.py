"""Who the shoppers are: latent taste, habits and visible traits, all hashed from seed and id."""

from collections.abc import Mapping
from math import inf, log
from typing import TypeVar

from hookline.simulate.chances import chances, geometric, lognormal, pick
from hookline.simulate.kept import Kept
from hookline.simulate.parameters import Parameters
from hookline.simulate.records import Shopper
from hookline.types import Trait

Name = TypeVar("Name", str, bool)

_KEPT = 50_000
_MONTH = 30.0  # days that the chance `restless` is for


class Shoppers(Kept[str, Shopper]):
    """What is true of each shopper, by visitor id.

    Args:
        seed: Seed of the world.
        parameters: The world's constants.
    """

    def __init__(self, seed: int, parameters: Parameters) -> None:
        super().__init__(self._meet, _KEPT)
        self.seed = seed
        self.parameters = p = parameters
        self._taste_shares = {name: taste.share for name, taste in p.tastes.items()}
        damped = {age: clicks**p.age_damping for age, clicks in p.age_clicks.items()}
        self._age_clicks = relative(p.ages, damped)
        known = {True: p.returning, False: 1 - p.returning}
        self._returning_clicks = relative(known, {True: p.returning_clicks, False: 1.0})
        clickers_past = p.past_orders_mean * p.returning * self._returning_clicks[True]
        self._clickers_orders = 1 + p.order_per_past_order * clickers_past

    def _meet(self, visitor_id: str) -> Shopper:
        p = self.parameters
        chance = chances(self.seed, visitor_id)
        taste = pick(self._taste_shares, chance[0])
        age = pick(p.ages, chance[1])
        returning = chance[2] < p.returning
        past = geometric(p.past_orders_mean, chance[3]) if returning else 0
        traits: dict[str, Trait] = {
            "segment": pick(p.tastes[taste].segments, chance[4]),
            "returning": returning,
            "past_orders": float(past),
        }
        if chance[5] >= p.age_missing:
            traits["age_band"] = age
        level = self._age_clicks[age] * self._returning_clicks[returning]
        return Shopper(
            taste=taste,
            later_taste=self._other(taste, chance[9]),
            changes=self._changes(chance[10]),
            clicks=level * lognormal(p.appetite_sd, chance[6]),
            orders=(1 + p.order_per_past_order * past) / self._clickers_orders,
            device=pick(p.devices, chance[7]),
            place=chance[8],
            traits=traits,
        )

    def _other(self, taste: str, chance: float) -> str:
        """Another type, each as likely as its share among the others says."""
        others = {name: share for name, share in self._taste_shares.items() if name != taste}
        return pick(others, chance * sum(others.values())) if others else taste

    def _changes(self, chance: float) -> float:
        """The day of the change: exponential, so that `restless` of all change in a month."""
        restless = self.parameters.restless
        return _MONTH * log(chance) / log(1 - restless) if restless else inf


def relative(shares: Mapping[Name, float], factors: Mapping[Name, float]) -> dict[Name, float]:
    """The factors scaled to a mean of 1 over the shares."""
    mean = sum(share * factors[name] for name, share in shares.items())
    return {name: factors[name] / mean for name in shares}
