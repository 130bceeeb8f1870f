"""The visitor's portrait: device, traits, visit; whatever shape the traits come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple, cast

import numpy as np

from hookline.perceive.hashing import Array, Hashes, Places, name_hash
from hookline.types import Context

MAX_TRAITS: Final = 40
"""Traits used of one visitor, the first in alphabetical order."""
MAX_ITEMS: Final = 8
"""Items used of one trait that is a list, the first in alphabetical order."""
MAX_WORDS: Final = 4
"""Words used of what the visitor searched for, the first."""
DAY_PARTS: Final = ("night", "morning", "afternoon", "evening")
"""Six hours each, UTC, from midnight."""
OF_DAY_PART: Final = tuple(name_hash(f"day part={part}") for part in DAY_PARTS)
OF_WEEKDAY: Final = (name_hash("working day"), name_hash("weekend"))
POSITION: Final = name_hash("visit position")


class Portrait(NamedTuple):
    """What is seen of one visitor.

    Attributes:
        hashes: Hashes of device, traits and visit.
        values: Their values in -1 to 1, shape (features,).
    """

    hashes: list[int]
    values: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Portraits:
    """The portraits of many visitors, one after the other.

    Attributes:
        sizes: Features of each, shape (visitors,).
        hashes: All of them, shape (features,).
        values: Likewise.
    """

    sizes: Places
    hashes: Hashes
    values: Array


def portrait(context: Context) -> Portrait:
    """The features of one visitor; missing, odd and never-seen traits are all fine."""
    hashes, flags, numbers = _features(context)
    values = np.ones(len(hashes))
    plain = len(hashes) - len(numbers)
    if flags:
        values[plain - len(flags) : plain] = flags
    if numbers:
        values[plain:] = squashed(np.array(numbers, dtype=np.float64))
    return Portrait(hashes=hashes, values=values)


def portraits(contexts: Sequence[Context]) -> Portraits:
    """The features of many visitors, as `portrait` gives each one's."""
    sizes: list[int] = []
    hashed: list[int] = []
    values: list[float] = []
    raw: list[float] = []
    at: list[int] = []
    for context in contexts:
        hashes, flags, numbers = _features(context)
        hashed += hashes
        values += [1.0] * (len(hashes) - len(flags) - len(numbers)) + flags
        at += range(len(values), len(values) + len(numbers))
        values += numbers
        raw += numbers
        sizes.append(len(hashes))
    found = np.array(values, dtype=np.float64)
    found[at] = squashed(np.array(raw, dtype=np.float64))
    return Portraits(
        sizes=np.array(sizes, dtype=np.int64),
        hashes=np.array(hashed, dtype=np.uint64),
        values=found,
    )


def _features(context: Context) -> tuple[list[int], list[float], list[float]]:
    """Hashes of what is there, of flags, of numbers; then the values of flags and of numbers."""
    traits = context.traits
    values = tuple(traits.values())
    layout = _layout(tuple(traits), tuple(map(type, values)))
    words: Any = map(values.__getitem__, layout.words)
    hashes = _visit(context)
    hashes += filter(None, map(_category, layout.categories, words))
    flags: list[float] = []
    for name, place in layout.flags:
        for feature, value in _flags(name, cast("bool | list[str]", values[place])):
            hashes.append(feature)
            flags.append(value)
    numbers: list[Any] = [values[place] for place in layout.amounts]
    hashes += layout.numbers
    if context.position > 0:
        hashes.append(POSITION)
        numbers.append(context.position)
    return hashes, flags, numbers


class _Layout(NamedTuple):
    """Where the traits of a visitor stand, by kind; one for all visitors of whom the same is known.

    Attributes:
        categories: Names of categories.
        words: Places of these among the traits.
        flags: Name and place of each flag and set.
        numbers: Hashes of numbers.
        amounts: Places of these.
    """

    categories: tuple[str, ...]
    words: tuple[int, ...]
    flags: tuple[tuple[str, int], ...]
    numbers: tuple[int, ...]
    amounts: tuple[int, ...]


@lru_cache(maxsize=4096)
def _layout(names: tuple[str, ...], kinds: tuple[type, ...]) -> _Layout:
    """The layout of traits of these names and types."""
    used = range(len(names))
    if len(names) > MAX_TRAITS:
        used = sorted(used, key=lambda place: names[place])[:MAX_TRAITS]
    words = [place for place in used if issubclass(kinds[place], str)]
    flags = [place for place in used if issubclass(kinds[place], bool | list)]
    amounts = [place for place in used if not issubclass(kinds[place], str | bool | list)]
    return _Layout(
        categories=tuple(names[place] for place in words),
        words=tuple(words),
        flags=tuple((names[place], place) for place in flags),
        numbers=tuple(name_hash(f"{names[place]}:number") for place in amounts),
        amounts=tuple(amounts),
    )


def _visit(context: Context) -> list[int]:
    """Hashes of device, time and where the visitor came from."""
    at = context.at
    found = [OF_DAY_PART[at.hour // 6], OF_WEEKDAY[at.weekday() >= 5]]
    for name, value in (("device", context.device), ("referrer", context.referrer)):
        if feature := _category(name, value):
            found.append(feature)
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
    if not isfinite(scaled.sum()):
        scaled[np.isnan(scaled)] = 0.0
    return scaled
