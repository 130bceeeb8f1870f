"""How often each shopper was shown each copy, older showings counting less."""


class Showings:
    """Earlier showings of every copy to every shopper: what `worn` is in the methods of `Shop`.

    Args:
        half_life: Days after which a showing counts for half; `Parameters.wear_days`.

    Examples:
        >>> showings = Showings(half_life=14.0)
        >>> showings.show("ann", "red", day=0.0)
        >>> showings.worn("ann", "red", day=14.0), showings.worn("ann", "blue", day=14.0)
        (0.5, 0.0)
    """

    def __init__(self, half_life: float) -> None:
        self.half_life = half_life
        self._last: dict[tuple[str, str], tuple[float, float]] = {}

    def worn(self, visitor_id: str, copy_id: str, day: float) -> float:
        """The number of earlier showings of this copy to this shopper, decayed to that day."""
        last = self._last.get((visitor_id, copy_id))
        return last[0] * 0.5 ** ((day - last[1]) / self.half_life) if last else 0.0

    def show(self, visitor_id: str, copy_id: str, day: float) -> None:
        """Counts a showing on that day, which is no earlier than any before."""
        worn = self.worn(visitor_id, copy_id, day) + 1.0
        self._last[visitor_id, copy_id] = worn, day
