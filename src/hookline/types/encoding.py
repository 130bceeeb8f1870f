"""Records to JSON and back, and the hash of what they hold."""

from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def dumps(record: object) -> bytes:
    """The record as compact JSON, fields and keys in their own order.

    Examples:
        >>> from decimal import Decimal
        >>> from hookline.types import Money
        >>> dumps(Money(amount=Decimal("9.50"), currency="USD"))
        b'{"amount":"9.50","currency":"USD"}'
    """
    return msgspec.json.encode(record)


def loads(data: bytes | str, kind: type[T]) -> T:
    """The record of type `kind` that `data` holds.

    Raises:
        msgspec.ValidationError: Where the data does not fit the record.
    """
    return msgspec.json.decode(data, type=kind)


def as_json(record: object) -> Any:  # noqa: ANN401 - any JSON value, for json.dump and pydantic
    """The record as plain dicts, lists, strings and numbers."""
    return msgspec.to_builtins(record)


def content_hash(*parts: object, size: int = 10) -> str:
    """A short stable hex id of the parts' JSON with sorted keys: the same parts, the same id.

    Args:
        parts: JSON-able values.
        size: Bytes of hash; the id has twice as many characters.

    Examples:
        >>> content_hash("a", 1) == content_hash("a", 1)
        True
        >>> len(content_hash("a"))
        20
    """
    data = msgspec.json.encode(parts, order="sorted")
    return blake2b(data, digest_size=size).hexdigest()
