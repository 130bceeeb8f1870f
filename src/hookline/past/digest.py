"""A name → a number that looks drawn at random and is the same on every machine."""

from hashlib import blake2b

SPAN = 1 << 64
"""Digests lie below this."""


def digest(name: str) -> int:
    """A number from 0 to `SPAN` - 1, uniform over names: the first 8 bytes of BLAKE2b.

    Examples:
        >>> digest("t1") == digest("t1"), digest("t1") == digest("t2")
        (True, False)
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
