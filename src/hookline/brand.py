"""Brand kits: JSON → Brand, or one line on what is wrong with it."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from hookline.errors import BadInput
from hookline.types import Brand

MAX_TERMS = 25
"""Most banned terms, as many term exclusions as Google Ads takes."""
MAX_RESTRICTIONS = 40
"""Most message restrictions, as many as Google Ads takes."""

_TEXTS = ("id", "name", "locale")
_LISTS = {"voice": None, "banned_terms": MAX_TERMS, "restrictions": MAX_RESTRICTIONS}
_MAPS = ("glossary", "disclaimers")
_KEYS = (*_TEXTS, *_LISTS, *_MAPS, "max_exclamations", "emoji", "min_ease")


def read_brand(data: bytes) -> Brand:
    """The brand kit that the JSON holds.

    Args:
        data: A JSON object with the fields of `Brand`; `id` and `name` are needed.

    Raises:
        BadInput: Where it is no such object, with the field and what to do about it.

    Examples:
        >>> read_brand(b'{"id": "acme", "name": "Acme", "banned_terms": ["cheap"]}').banned_terms
        ('cheap',)
        >>> read_brand(b'{"id": "acme", "name": "Acme", "banned_words": []}')
        Traceback (most recent call last):
        hookline.errors.BadInput: the brand kit has no field 'banned_words'; did you mean
        'banned_terms'?
    """
    kit = _object(data)
    for key in kit:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(_KEYS)}."
            raise BadInput(f"the brand kit has no field {key!r}; {hint}")
    for key in ("id", "name"):
        if key not in kit:
            raise BadInput(f"the brand kit has no {key}; add {key!r}")
    fields: dict[str, Any] = {}
    for key, value in kit.items():
        if key in _TEXTS:
            fields[key] = _text(key, value)
        elif key in _LISTS:
            fields[key] = _list(key, value, _LISTS[key])
        elif key in _MAPS:
            fields[key] = _map(key, value)
        elif key == "min_ease":
            fields[key] = _ease(value)
        else:
            fields[key] = _flag(value) if key == "emoji" else _count(key, value)
    return Brand(**fields)


def _object(data: bytes) -> Mapping[str, object]:
    try:
        kit: object = json.loads(data)
    except (ValueError, RecursionError) as wrong:
        raise BadInput(f"the brand kit is not JSON: {wrong}".splitlines()[0]) from wrong
    if not isinstance(kit, dict):
        raise BadInput(f"the brand kit must be a JSON object, not {_kind(kit)}")
    return cast("dict[str, object]", kit)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{key!r} of the brand kit must be text, not {_kind(value)}")
    if not value.strip():
        raise BadInput(f"{key!r} of the brand kit is empty; fill it in or leave it out")
    if not value.isprintable():
        raise BadInput(f"{key!r} of the brand kit holds a line break or an invisible character")
    return value.strip()


def _list(key: str, value: object, most: int | None) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadInput(f"{key!r} of the brand kit must be a list of texts, not {_kind(value)}")
    entries = cast("list[object]", value)
    texts = tuple(_text(f"{key}[{i}]", entry) for i, entry in enumerate(entries))
    if most is not None and len(texts) > most:
        raise BadInput(
            f"{key!r} of the brand kit has {len(texts)} entries; at most {most} go, so take "
            f"{len(texts) - most} out"
        )
    return texts


def _map(key: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadInput(f"{key!r} of the brand kit must map texts to texts, not {_kind(value)}")
    entries = cast("dict[str, object]", value)
    return {_text(f"{key} key", k): _text(f"{key}[{k}]", v) for k, v in entries.items()}


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"'emoji' of the brand kit must be true or false, not {_kind(value)}")
    return value


def _count(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInput(f"{key!r} of the brand kit must be a whole number from 0 on, not {value!r}")
    return value


def _ease(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise BadInput(f"'min_ease' of the brand kit must be from 0 to 100 or null, not {value!r}")
    return float(value)


def _kind(value: object) -> str:
    """What JSON calls the value."""
    names = {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false"}
    return "nothing" if value is None else names.get(type(value).__name__, "a number")
