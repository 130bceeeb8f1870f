"""The visitor's portrait: audience, device, traits, visit; whatever shape the traits come in."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from hookline.perceive.hashing import Array, name_hash
from hookline.types import Context

MAX_TRAITS: Final = 40
"""Traits used of one visitor, the first in alphabetical order."""
MAX_ITEMS: Final = 8
"""Items used of one trait that is a list, the first in alphabetical order."""
MAX_WORDS: Final = 4
"""Words used of what the visitor searched for, the first."""
DAY_PARTS: Final = ("night", "morning", "afternoon", "evening")
"""Six hours each, UTC, from midnight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portrait:
    """What is seen of the visitor.

    Attributes:
        audience: Hash of the audience.
        hashes: Hashes of device, traits and visit.
        values: Their values in -1 to 1, shape (features,).
    """

    audience: int
    hashes: list[int]
    values: Array


def portrait(context: Context, audience_id: str) -> Portrait:
    """The features of one visitor; missing, odd and never-seen traits are all fine.

    Args:
        context: Who is asking.
        audience_id: Audience the visitor was sorted into; may be empty.
    """
    names = _visit(context)
    values = [1.0] * len(names)
    numbers: list[int] = []
    traits = context.traits.items()
    for name, trait in traits if len(traits) <= MAX_TRAITS else sorted(traits)[:MAX_TRAITS]:
        if isinstance(trait, str):
            if feature := _category(name, trait):
                names.append(feature)
                values.append(1.0)
        elif isinstance(trait, bool | list):
            for feature, value in _flags(name, trait):
                names.append(feature)
                values.append(value)
        else:
            numbers.append(len(names))
            names.append(_number(name))
            values.append(float(trait))
    if context.position > 0:
        numbers.append(len(names))
        names.append(name_hash("visit position"))
        values.append(float(context.position))
    scaled = np.array(values)
    if numbers:
        scaled[numbers] = squashed(scaled[numbers])
    return Portrait(audience=name_hash(f"audience={audience_id}"), hashes=names, values=scaled)


def _visit(context: Context) -> list[int]:
    """Hashes of device, time and where the visitor came from."""
    at = context.at
    found = [
        name_hash(f"day part={DAY_PARTS[at.hour // 6]}"),
        name_hash("weekend" if at.weekday() >= 5 else "working day"),
    ]
    if context.device:
        found.append(name_hash(f"device={context.device.strip().lower()}"))
    if context.referrer:
        found.append(name_hash(f"referrer={context.referrer.strip().lower()}"))
    if context.query:
        words = dict.fromkeys(context.query.lower().split())
        found.extend([name_hash(f"query~{word}") for word in list(words)[:MAX_WORDS]])
    return found


def _flags(name: str, trait: bool | list[str]) -> list[tuple[int, float]]:  # noqa: FBT001
    """Features of a flag or a set; the kind is part of each name, so that it may change."""
    if isinstance(trait, bool):
        return [(name_hash(f"{name}:flag"), 1.0 if trait else -1.0)]
    items = sorted({item.strip().lower() for item in trait})[:MAX_ITEMS]
    return [(name_hash(f"{name}~{item}"), 0.5) for item in items]


@lru_cache(maxsize=65_536)
def _number(name: str) -> int:
    """Hash of a number's name."""
    return name_hash(f"{name}:number")


@lru_cache(maxsize=65_536)
def _category(name: str, value: str) -> int:
    """Hash of a category; 0 for an empty one."""
    value = value.strip().lower()
    return name_hash(f"{name}={value}") if value else 0


def squashed(numbers: Array) -> Array:
    """The numbers on a logarithmic scale in -1 to 1; what is no number becomes 0.

    Examples:
        >>> squashed(np.array([0.0, 1.0, 30.0, -1e300, np.nan])).round(2).tolist()
        [0.0, 0.12, 0.41, -0.99, 0.0]
    """
    size = np.log1p(np.minimum(np.abs(numbers), 1e300))
    scaled = np.copysign(size / (size + 5.0), numbers)
    scaled[np.isnan(scaled)] = 0.0
    return scaled
