"""The visitor as features: audience, device and traits, whatever shape the traits come in."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from hookline.perceive.hashing import Array, Hashes, hashes, name_hash
from hookline.types import Context, Trait

MAX_TRAITS: Final = 16
"""Traits used of one visitor, the first in alphabetical order."""
MAX_ITEMS: Final = 8
"""Items used of one trait that is a list, the first in alphabetical order."""
GRID: Final = 16.0
"""Numbers are rounded to multiples of 1/16, so that sums of features are exact in binary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VisitorFeatures:
    """What is seen of the visitor.

    Attributes:
        audience: Hash of the audience.
        hashes: Hashes of device and traits, shape (features,).
        values: Their values in -1 to 1, shape (features,).
    """

    audience: int
    hashes: Hashes
    values: Array


def visitor_features(context: Context, audience_id: str) -> VisitorFeatures:
    """The features of one visitor; missing, odd and never-seen traits are all fine.

    Args:
        context: Who is asking.
        audience_id: Audience the visitor was sorted into; may be empty.
    """
    found = [(f"device={context.device.strip().lower()}", 1.0)] if context.device else []
    for name in sorted(context.traits)[:MAX_TRAITS]:
        found.extend(_trait_features(name, context.traits[name]))
    return VisitorFeatures(
        audience=name_hash(f"audience={audience_id}"),
        hashes=hashes([name for name, _ in found]),
        values=np.array([value for _, value in found], dtype=np.float64),
    )


def _trait_features(name: str, trait: Trait) -> list[tuple[str, float]]:
    """Named features of one trait. The kind is part of the name, so a trait may change its kind."""
    if isinstance(trait, bool):
        return [(f"{name}:flag", 1.0 if trait else -1.0)]
    if isinstance(trait, str):
        return [(f"{name}={trait.strip().lower()}", 1.0)] if trait.strip() else []
    if isinstance(trait, list):
        items = sorted({item.strip().lower() for item in trait})[:MAX_ITEMS]
        return [(f"{name}~{item}", 0.5) for item in items]
    number = float(trait)
    if math.isnan(number):
        return [(f"{name}:missing", 1.0)]
    return [(f"{name}:number", squash(number))]


def squash(number: float) -> float:
    """The number on a logarithmic scale in -1 to 1, rounded to multiples of 1/16.

    Examples:
        >>> squash(0.0), squash(1.0), squash(30.0), squash(-1e300)
        (0.0, 0.125, 0.4375, -1.0)
    """
    size = math.log1p(min(abs(number), 1e300))
    return math.copysign(round(GRID * size / (size + 5.0)) / GRID, number) + 0.0
