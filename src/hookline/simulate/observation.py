"""What an agent in the shop sees, as one flat row of numbers with named parts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import log1p, pi

import numpy as np
from numpy.typing import NDArray

from hookline.attributes import code_of
from hookline.simulate.parameters import Parameters
from hookline.simulate.records import Visit
from hookline.types import ATTRIBUTE_LEVELS, Arm, Attributes

Row = NDArray[np.float32]

_MANY_ORDERS = 20.0  # past orders from which on there is nothing more to tell
_CODE = sum(map(len, ATTRIBUTE_LEVELS.values()))


class Layout:
    """The parts of an observation, and where each of them stands.

    | part | numbers | values |
    |---|---|---|
    | `segment` | one for each visible segment | one-hot |
    | `age_band` | one for each band | one-hot; all 0 where unknown |
    | `returning` | 1 | 0 or 1 |
    | `past_orders` | 1 | log(1 + n) / log(1 + 20), at most 1 |
    | `device` | one for each device | one-hot |
    | `hour` | 2 | sine and cosine of the UTC hour |
    | `day` | 1 | share of the season that has gone by |
    | `earlier` | 1 | n / (1 + n) of earlier visits to this place |
    | `product` | one for each product | one-hot |
    | `worn` | one for each arm | w / (1 + w) of this shopper's earlier showings, decayed |
    | `arms` | 34 for each arm | its six attributes, one-hot; all 0 for a human line |

    Args:
        parameters: The world's constants, for the names of segments, ages and devices.
        slates: Product id → its arms; all of one length.
        days: How long the season is.

    Attributes:
        slices: Part → where it stands.
        size: How many numbers there are.
    """

    def __init__(
        self, parameters: Parameters, slates: Mapping[str, Sequence[Arm]], days: float
    ) -> None:
        p, arms = parameters, len(next(iter(slates.values())))
        self.days = days
        self._segments = _places(s for taste in p.tastes.values() for s in taste.segments)
        self._ages, self._devices = _places(p.ages), _places(p.devices)
        self._products = _places(slates)
        self._codes = {name: _codes(slate) for name, slate in slates.items()}
        sizes = {
            "segment": len(self._segments),
            "age_band": len(self._ages),
            "returning": 1,
            "past_orders": 1,
            "device": len(self._devices),
            "hour": 2,
            "day": 1,
            "earlier": 1,
            "product": len(self._products),
            "worn": arms,
            "arms": arms * _CODE,
        }
        edges = pairwise(accumulate(sizes.values(), initial=0))
        self.slices = {name: slice(*edge) for name, edge in zip(sizes, edges, strict=True)}
        self.size = sum(sizes.values())

    def observe(self, visit: Visit, worn: Sequence[float]) -> Row:
        """A new row for a visit, each number from -1 to 1. Shape (size,).

        Args:
            visit: The visit.
            worn: For each arm how often this shopper was shown it before, decayed.
        """
        row = np.zeros(self.size, dtype=np.float32)
        hour = 2 * pi * (visit.at.hour + visit.at.minute / 60) / 24
        shown = np.asarray(worn)
        self._mark(row, "segment", self._segments, visit.traits["segment"])
        self._mark(row, "age_band", self._ages, visit.traits.get("age_band"))
        self._mark(row, "device", self._devices, visit.device)
        self._mark(row, "product", self._products, visit.product_id)
        orders = float(str(visit.traits["past_orders"]))
        parts = {
            "returning": float(visit.traits["returning"] is True),
            "past_orders": min(1.0, log1p(orders) / log1p(_MANY_ORDERS)),
            "hour": (np.sin(hour), np.cos(hour)),
            "day": visit.day / self.days,
            "earlier": visit.earlier / (1 + visit.earlier),
            "worn": shown / (1 + shown),
            "arms": self._codes[visit.product_id],
        }
        for name, numbers in parts.items():
            row[self.slices[name]] = numbers
        return row

    def _mark(self, row: Row, part: str, places: Mapping[str, int], value: object) -> None:
        """Sets the one of a one-hot part, if the value has a place in it."""
        place = places.get(str(value))
        if place is not None:
            row[self.slices[part].start + place] = 1.0


def _places(names: Iterable[str]) -> dict[str, int]:
    """Each name's place among the names, in the order in which they first come."""
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _codes(slate: Sequence[Arm]) -> Row:
    """The attributes of all arms, one-hot, arm after arm."""
    return np.concatenate([_code(arm.attributes) for arm in slate])


def _code(attributes: Attributes | None) -> Row:
    code = np.zeros(_CODE, dtype=np.float32)
    if attributes is not None:
        starts = accumulate(map(len, ATTRIBUTE_LEVELS.values()), initial=0)
        code[[start + place for start, place in zip(starts, code_of(attributes), strict=False)]] = 1
    return code
