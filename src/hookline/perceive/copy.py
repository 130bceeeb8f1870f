"""A copy as features: what it was asked to be, how its text looks, and which copy it is."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np

from hookline.perceive.hashing import TEXT, Array, Hashes, Places, hashes, name_hash
from hookline.types import ATTRIBUTE_LEVELS, Arm, Attributes

_LEVELS: Final = tuple(ATTRIBUTE_LEVELS.values())
HUMAN: Final = sum(map(len, _LEVELS))
"""Number of the level that stands for being a human line; below it, all creative levels."""
NO_LEVEL: Final = HUMAN + 1
"""Number that stands for an attribute that a copy does not have."""


def _levels_of_cells() -> Places:
    starts = np.cumsum([0, *map(len, _LEVELS)])[:-1]
    cells = np.array(list(product(*(range(len(levels)) for levels in _LEVELS)))) + starts
    human = np.full((1, len(_LEVELS)), NO_LEVEL)
    human[0, 0] = HUMAN
    return np.concatenate([cells, human])


LEVELS_OF_CELL: Final = _levels_of_cells()
"""Level numbers of each cell, shape (cells + 1, attributes); the last row, -1, is a human line."""


def cell_of(attributes: Attributes | None) -> int:
    """The creative attributes as one number; -1 for a human line.

    Examples:
        >>> cell_of(None), cell_of(Attributes(angle="benefit", length="short", cta="shop"))
        (-1, 0)
    """
    if attributes is None:
        return -1
    cell = 0
    for name, levels in ATTRIBUTE_LEVELS.items():
        cell = cell * len(levels) + levels.index(getattr(attributes, name))
    return cell


SECOND_PERSON: Final = frozenset({"you", "your", "yours", "yourself", "you're", "you'll"})
_VERBS: Final = """
add ask bring browse build buy call carry choose claim come cook discover enjoy explore feel find
fit get give go grab join keep learn leave let like live look love make meet open order pack pick
play read reserve ride save see sell send shop show sleep start stay stop switch take tell travel
treat trust try turn upgrade use wake wear welcome work wrap
"""
IMPERATIVES: Final = frozenset(_VERBS.split())
"""English verbs that calls to action begin with; in other languages the feature stays silent."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ArmFeatures:
    """What is seen of one arm, whoever looks at it; compared by identity, so a key for caches.

    Attributes:
        id: The arm's id.
        identity: Hash of it.
        audience: Hash of the audience it was written for; 0 if for all.
        attributes: Hashes of its creative attributes, or of "human" for a human line.
        style: Hashes of what its text shows.
        style_values: Values of these in 0 to 1.
        control: Whether it is the control line.
        levels: Numbers of its attribute levels, shape (attributes,); see `LEVELS_OF_CELL`.
        embedding: The text's embedding, shape (up to 64,); empty where there is none.
    """

    id: str
    identity: int
    audience: int
    attributes: Hashes
    style: Hashes
    style_values: Array
    control: bool
    levels: Places
    embedding: Array


def arm_features(arm: Arm) -> ArmFeatures:
    """The features of one arm, computed once for the same arm."""
    return _arm_features(
        arm.id, arm.text, arm.attributes, arm.audience_id, arm.embedding, control=arm.control
    )


@lru_cache(maxsize=4096)
def _arm_features(
    arm_id: str,
    text: str,
    attributes: Attributes | None,
    audience_id: str,
    embedding: tuple[float, ...],
    *,
    control: bool,
) -> ArmFeatures:
    style = style_features(text)
    return ArmFeatures(
        id=arm_id,
        identity=name_hash(f"arm={arm_id}"),
        audience=name_hash(f"audience={audience_id}") if audience_id else 0,
        attributes=hashes(_attribute_names(attributes)),
        style=hashes([f"style:{name}" for name in style]),
        style_values=np.array(list(style.values()), dtype=np.float64),
        control=control,
        levels=LEVELS_OF_CELL[cell_of(attributes)],
        embedding=np.array(embedding[: TEXT[1]], dtype=np.float64),
    )


def _attribute_names(attributes: Attributes | None) -> list[str]:
    if attributes is None:
        return ["human"]
    return [
        f"angle={attributes.angle}",
        f"tone={attributes.tone}",
        f"cta={attributes.cta}",
        f"proof={attributes.proof}",
        f"urgency={attributes.urgency}",
        f"length={attributes.length}",
    ]


def style_features(text: str) -> dict[str, float]:
    """How a text looks, as named values in 0 to 1 that are multiples of 1/8.

    Examples:
        >>> style_features("Pack light. Your 9 pockets await!")
        {'length': 0.25, 'digits': 1.0, 'exclaims': 1.0, 'you': 1.0, 'imperative': 1.0}
    """
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text.lower().replace("’", "'"))
    shown = {
        "length": min(8, len(text) // 16) / 8,
        "digits": float(any(letter.isdigit() for letter in text)),
        "asks": float("?" in text),
        "exclaims": float("!" in text),
        "you": float(not SECOND_PERSON.isdisjoint(words)),
        "imperative": float(bool(words) and words[0] in IMPERATIVES),
    }
    return {name: value for name, value in shown.items() if value}
