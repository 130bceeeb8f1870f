"""Results of pure functions, kept so that the simulation computes them once."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(dict[Key, Value]):
    """The value of each key: computed when first asked for, then kept.

    When full it forgets everything and starts again, so that memory stays bounded and a value that
    is there costs one look into a dict.

    Args:
        make: Computes the value of a key; the same each time.
        most: Most values that are kept.

    Examples:
        >>> squares = Kept(lambda n: n * n, most=2)
        >>> [squares[n] for n in (1, 2, 3)], list(squares)
        ([1, 4, 9], [3])
    """

    def __init__(self, make: Callable[[Key], Value], most: int) -> None:
        super().__init__()
        self._make, self._most = make, most

    def __missing__(self, key: Key) -> Value:
        value = self._make(key)
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
