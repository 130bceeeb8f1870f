"""How well a copy suits a taste: log effects that add up, interact and saturate."""

from collections.abc import Mapping
from math import cos, pi, tanh
from typing import get_args

from hookline.simulate.parameters import Level, Parameters, Taste
from hookline.types import Angle, Attributes, CtaStyle, Length, Proof, Tone, Urgency

_LEVELS: Mapping[str, int] = {
    "angle": len(get_args(Angle)),
    "tone": len(get_args(Tone)),
    "cta": len(get_args(CtaStyle)),
    "proof": len(get_args(Proof)),
    "urgency": len(get_args(Urgency)),
    "length": len(get_args(Length)),
}


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
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._types = tuple(parameters.tastes.values())
        self._position = {name: place for place, name in enumerate(parameters.tastes)}
        self._centres = tuple(_mean_log(taste) for taste in self._types)

    def factor(self, taste: str, attributes: Attributes, *, mobile: bool, day: float) -> float:
        """Click rate of machine copy with these attributes, relative to random machine copy.

        For a type of taste k it is 1 + span · tanh(x / span), where x is the sum of k's likes of
        the six levels and of the pairs among them, less its mean over all attributes.

        Args:
            taste: The shopper's type; plays no part where tastes are not personal.
            attributes: The copy's.
            mobile: Whether it is read on a mobile device.
            day: Days since the simulation began, for tastes that drift.
        """
        found = levels(attributes)
        if not self.parameters.personal:
            return sum(
                kind.share * self._saturated(self._drifting(place, found, day))
                for place, kind in enumerate(self._types)
            )
        log = self._drifting(self._position[taste], found, day)
        if mobile:
            sign = 1 if attributes.length == "short" else -1
            log += sign * self.parameters.mobile_length
        return self._saturated(log)

    def _drifting(self, place: int, found: tuple[Level, ...], day: float) -> float:
        log = self._log(place, found)
        if self.parameters.drift_days is None:
            return log
        turned = (1 - cos(pi * day / self.parameters.drift_days)) / 2
        return (1 - turned) * log + turned * self._log((place + 1) % len(self._types), found)

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


def _mean_log(taste: Taste) -> float:
    """Mean log effect over all combinations of attributes, each as often as any other."""
    likes = sum(effect / _LEVELS[name] for (name, _), effect in taste.likes.items())
    pairs = sum(
        effect / (_LEVELS[one] * _LEVELS[other])
        for ((one, _), (other, _)), effect in taste.pairs.items()
    )
    return likes + pairs
