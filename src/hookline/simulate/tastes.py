"""How well a copy suits a taste: log effects that add up, interact, saturate and drift."""

from collections.abc import Sequence
from math import cos, pi, sin, tanh
from statistics import NormalDist, fmean

from hookline.simulate.chances import chances
from hookline.simulate.kept import Kept
from hookline.simulate.latent import Level, Taste
from hookline.simulate.parameters import Parameters
from hookline.types import ATTRIBUTE_LEVELS, Attributes

_CELLS = 20_000  # more than there are combinations of attributes
_PERIODS = 100  # more than a simulation needs at the same time


def levels(attributes: Attributes) -> tuple[Level, ...]:
    """The six attributes as (name, level) pairs."""
    return (
        ("angle", attributes.angle),
        ("tone", attributes.tone),
        ("cta", attributes.cta),
        ("proof", attributes.proof),
        ("urgency", attributes.urgency),
        ("length", attributes.length),
    )


class Tastes:
    """The tastes of all types, each centred so that random copy is neutral to every one.

    Args:
        parameters: The world's constants.
        seed: Draws what appeals to everybody alike, and what is in fashion when.
    """

    def __init__(self, parameters: Parameters, seed: int = 0) -> None:
        self.parameters = parameters
        self.seed = seed
        self._appeal = _drawn(parameters.appeal_sd, seed, "appeal")
        self._fashions = Kept(self._fashion, _PERIODS)
        self._types = tuple(parameters.tastes.values())
        self._position = {name: place for place, name in enumerate(parameters.tastes)}
        self._centres = tuple(_mean_log(taste) for taste in self._types)
        self._logs = Kept(self._log_of_each, _CELLS)

    def factor(self, taste: str, attributes: Attributes, *, mobile: bool, day: float) -> float:
        """Click rate of machine copy with these attributes, relative to random machine copy.

        For a type of taste k it is 1 + span · tanh(x / span), where x is the sum of k's likes of
        the six levels and of the pairs among them, less its mean over all attributes, and of what
        the levels do to everybody, for good (appeal) or for now (fashion). Where
        tastes are not personal it is the mean of that over all types, on every device.

        Args:
            taste: The shopper's type; plays no part where tastes are not personal.
            attributes: The copy's.
            mobile: Whether it is read on a mobile device; likewise.
            day: Days since the simulation began, for tastes that drift.
        """
        moves, share = self._moved(day)
        fashion = self._in_fashion(attributes, moves, share)
        logs = [log + fashion for log in self._logs[attributes]]
        if not self.parameters.personal:
            return sum(
                kind.share * self._saturated(_between(logs, place + moves, share))
                for place, kind in enumerate(self._types)
            )
        log = _between(logs, self._position[taste] + moves, share)
        if mobile:
            sign = 1 if attributes.length == "short" else -1
            log += sign * self.parameters.mobile_length
        return self._saturated(log)

    def _moved(self, day: float) -> tuple[int, float]:
        """How many types every taste has moved on: whole ones, and the share of another."""
        p = self.parameters
        moves = day / p.drift_days
        if p.drift == "gradual":
            return int(moves), moves % 1
        if p.drift == "abrupt":
            return int(moves), 0.0
        if p.drift == "seasonal":
            return 0, (1 - cos(pi * moves)) / 2
        return 0, 0.0

    def _in_fashion(self, attributes: Attributes, moves: int, share: float) -> float:
        """What the fashion does to everybody; it has the same spread at any time."""
        if not self.parameters.fashion_sd:
            return 0.0
        now, next_one = self._fashions[moves], self._fashions[moves + 1]
        found = levels(attributes)
        old = sum(now[level] for level in found)
        new = sum(next_one[level] for level in found)
        return cos(pi * share / 2) * old + sin(pi * share / 2) * new

    def _fashion(self, period: int) -> dict[Level, float]:
        return _drawn(self.parameters.fashion_sd, self.seed, f"fashion {period}")

    def _log_of_each(self, attributes: Attributes) -> tuple[float, ...]:
        """Each type's log effect of a copy before any drift."""
        found = levels(attributes)
        appeal = sum(self._appeal[level] for level in found)
        strength = self.parameters.taste_strength
        return tuple(
            appeal + strength * self._log(place, found) for place in range(len(self._types))
        )

    def _log(self, place: int, found: tuple[Level, ...]) -> float:
        taste = self._types[place]
        log = -self._centres[place]
        for level in found:
            log += taste.likes.get(level, 0.0)
        for (one, other), effect in taste.pairs.items():
            if one in found and other in found:
                log += effect
        return log

    def _saturated(self, log: float) -> float:
        span = self.parameters.taste_span
        return 1 + span * tanh(log / span)


def _between(logs: Sequence[float], place: int, share: float) -> float:
    """The log effect at a place of the round of types, and a share of the way to the next."""
    log = logs[place % len(logs)]
    return log + share * (logs[(place + 1) % len(logs)] - log) if share else log


def _drawn(sd: float, seed: int, what: str) -> dict[Level, float]:
    """What each level does to everybody's log click rate, centred for each attribute."""
    found: dict[Level, float] = {}
    for name, options in ATTRIBUTE_LEVELS.items():
        drawn = [
            sd * NormalDist().inv_cdf(chances(seed, f"{what}|{name}|{level}")[0])
            for level in options
        ]
        middle = fmean(drawn)
        found |= {(name, level): each - middle for level, each in zip(options, drawn, strict=True)}
    return found


def _mean_log(taste: Taste) -> float:
    """Mean log effect over all combinations of attributes, each as often as any other."""
    likes = sum(effect / len(ATTRIBUTE_LEVELS[name]) for (name, _), effect in taste.likes.items())
    pairs = sum(
        effect / (len(ATTRIBUTE_LEVELS[one]) * len(ATTRIBUTE_LEVELS[other]))
        for ((one, _), (other, _)), effect in taste.pairs.items()
    )
    return likes + pairs
