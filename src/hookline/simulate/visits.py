"""When shoppers come, where to and on what device."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

from hookline.simulate.parameters import Parameters
from hookline.simulate.records import Shopper, Visit

_PEAK_HOUR = 20.0
_TURN = 2 * pi / 24


def evening(at: datetime) -> float:
    """How near to the evening peak it is: 1 at 20 h UTC, -1 at 8 h."""
    return cos(_TURN * (at.hour + at.minute / 60 - _PEAK_HOUR))


def arrivals(
    chance: NDArray[np.float64], start: datetime, days: float, swing: float
) -> NDArray[np.float64]:
    """Days since the start, sorted: the inverse of the arrival curve's integral.

    Args:
        chance: A uniform number for each visit.
        start: UTC time of day 0.
        days: How long shoppers come.
        swing: How much busier than the mean the peak hour is: .6 for 60 %.
    """
    day = np.linspace(0, days, max(2, round(days * 144)))
    hour = start.hour + start.minute / 60 + 24 * day
    came = 24 * day + swing / _TURN * np.sin(_TURN * (hour - _PEAK_HOUR))
    came -= came[0]
    return np.asarray(np.interp(np.sort(chance) * came[-1], came, day), dtype=np.float64)


def come(
    n: int,
    *,
    seed: int,
    placements: Sequence[tuple[str, str]],
    start: datetime,
    days: float,
    shoppers: Mapping[str, Shopper],
    parameters: Parameters,
) -> Iterator[Visit]:
    """`n` visits in time order, by shoppers drawn with replacement.

    Args:
        n: How many.
        seed: Seed of the world.
        placements: Product id and channel id of each place.
        start: UTC time of day 0.
        days: How long they come.
        shoppers: Who they are, by visitor id.
        parameters: The world's constants.
    """
    p, born = parameters, int(start.timestamp())
    rng = np.random.default_rng([seed, born % 2**32])
    came = arrivals(rng.random(n), start, days, p.evening_visits)
    whose = rng.integers(max(1, round(n / p.visits_per_shopper)), size=n)
    elsewhere = rng.integers(len(placements), size=n)
    at_own, on_own = rng.random((2, n)) < [[p.place_loyalty], [p.device_loyalty]]
    devices = rng.choice(list(p.devices), size=n, p=list(p.devices.values()))
    been: Counter[tuple[str, int]] = Counter()
    for i, day in enumerate(map(float, came)):
        visitor_id = f"shopper-{seed}-{whose[i]}"
        shopper = shoppers[visitor_id]
        place = int(shopper.place * len(placements) if at_own[i] else elsewhere[i])
        yield Visit(
            visit_id=f"visit-{seed}-{born:x}-{i}",
            visitor_id=visitor_id,
            at=start + timedelta(milliseconds=round(day * 86_400_000)),
            product_id=placements[place][0],
            channel_id=placements[place][1],
            device=shopper.device if on_own[i] else str(devices[i]),
            traits=shopper.traits,
            day=day,
            earlier=been[visitor_id, place],
        )
        been[visitor_id, place] += 1
