"""Which of the copies at hand to keep: a balance of what they promise and how they differ.

*Creativity* is the dial λ, 0 to 1: at 0 the most promising copies are kept, at 1 the most varied.
What a copy promises is the log of its expected rate over a typical line's, of which only
differences mean anything. It is brought to the scale of a cosine by `REACH`, a constant: so a
choice between two copies does not hang on which others stand beside them.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

import numpy as np

from hookline.diversity import Array, Vectors, cosines
from hookline.errors import BadInput

Mode = Literal["dpp", "literal"]
"""How copies are chosen, see `choose`."""
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

REACH: Final = 0.88
"""Log ratio that counts as much as a whole cosine: four standard deviations of true click rates
within a test, .22 each on the Upworthy archive, so about the best line against the worst."""
USUAL_RATE: Final = 0.03
"""Click rate of a typical line in the paper's own experiments; the literal mode adds rates to
cosines, so it needs one."""
_LEAST: Final = 1e-9
"""Least variance left of a copy given those chosen: beyond it, it is a repetition."""


def choose(
    promise: Array,
    vectors: Vectors,
    count: int,
    *,
    creativity: float,
    mode: Mode = "dpp",
    beside: Vectors | None = None,
) -> list[int]:
    """The places of at most `count` copies to keep, in the order in which they were picked.

    Both modes are greedy: they add the copy that gains most, the more promising of equals, the
    first of these. With p = `promise` / `REACH` and λ = `creativity`, a copy's gain is

    - `dpp`: (1 - λ) p + λ/2 · log of the variance it has left given what is kept: the greedy mode
      of a determinantal point process (Chen, Zhang and Zhou 2018,
      https://arxiv.org/abs/1709.05135);
    - `literal`: what it adds to R = λ D + (1 - λ) P (eq. 3 of https://arxiv.org/abs/2505.23809),
      with D = `diversity.literal` of the slate and P the mean of its click rates. Rates are a
      hundredth of cosines, so D rules at nearly every λ; it is here to compare with.

    `python -m benchmarks.slates` compares them with maximal marginal relevance (Carbonell and
    Goldstein 1998), with the choice of what differs most, and with chance.

    Args:
        promise: Log of each copy's expected rate over a typical line's, shape (copies,).
        vectors: What each copy says, shape (copies, any).
        count: How many are wanted.
        creativity: λ, 0 to 1.
        mode: How to choose.
        beside: Vectors of what is kept already and counts as chosen, shape (any, any).

    Raises:
        BadInput: Where `creativity` is outside its range, or there is no such mode.
    """
    check_creativity(creativity)
    if mode not in MODES:
        raise BadInput(f"there is no mode {mode!r} of choosing; there are: {', '.join(MODES)}")
    fixed = 0 if beside is None else len(beside)
    rows = np.asarray(vectors, dtype=np.float64)
    alike = cosines(rows if beside is None else np.vstack([beside, rows]))
    gains = {"dpp": _Dpp, "literal": _Literal}[mode](promise, alike, fixed, creativity)
    free = np.ones(len(promise), dtype=np.bool_)
    picked: list[int] = []
    for _ in range(min(count, len(promise))):
        # the more promising of equals: far below what any difference is worth
        gain = np.where(free, gains.now() + 1e-9 * promise, -np.inf)
        best = int(gain.argmax())
        picked.append(best)
        free[best] = False
        gains.take(fixed + best)
    return picked


class _Dpp:
    """Gains of `dpp`: an incremental Cholesky factor of the kernel of what is kept."""

    def __init__(self, promise: Array, alike: Array, fixed: int, creativity: float) -> None:
        self._own = (1.0 - creativity) * promise / REACH
        self._creativity = creativity
        self._fixed = fixed
        self._alike = alike
        self._left = np.ones(len(alike))
        self._factors: list[Array] = []
        for row in range(fixed):
            self.take(row)

    def now(self) -> Array:
        """The gain of each copy."""
        return self._own + 0.5 * self._creativity * np.log(self._left[self._fixed :])

    def take(self, row: int) -> None:
        """Counts that row of the cosines among what is kept."""
        told = sum((each[row] * each for each in self._factors), np.zeros(len(self._alike)))
        factor = (self._alike[row] - told) / np.sqrt(self._left[row])
        self._factors.append(factor)
        self._left = np.maximum(self._left - factor**2, _LEAST)


class _Literal:
    """Gains of `literal`: R of the slate with each copy more."""

    def __init__(self, promise: Array, alike: Array, fixed: int, creativity: float) -> None:
        odds = USUAL_RATE / (1.0 - USUAL_RATE) * np.exp(promise)
        self._rates = odds / (1.0 + odds)  # the paper's sigmoid
        self._creativity = creativity
        self._fixed = fixed
        self._alike = alike
        self._kept = list(range(fixed))
        self._sum = 0.0

    def now(self) -> Array:
        """R with each copy added."""
        kept, whole = self._kept, len(self._kept) + 1
        chosen = whole - self._fixed
        inside = self._alike[np.ix_(kept, kept)].sum()
        across = self._alike[kept, self._fixed :].sum(axis=0)
        diversity = 1.0 - (inside + 2.0 * across + 1.0) / whole**2
        rate = (self._sum + self._rates) / chosen
        return self._creativity * diversity + (1.0 - self._creativity) * rate

    def take(self, row: int) -> None:
        """Counts that row of the cosines among what is kept."""
        self._kept.append(row)
        self._sum += float(self._rates[row - self._fixed])


def creativity_of(category: str, usual: float, by_category: Mapping[str, float]) -> float:
    """The dial for a product's category: that of the narrowest path given that it lies in.

    Args:
        category: Path from broad to narrow, joined by " > "; may be empty.
        usual: Where no path fits.
        by_category: Path, from its broad end → dial, compared without case.

    Examples:
        >>> dials = {"Apparel": 0.6, "Apparel > Shoes": 0.4}
        >>> [
        ...     creativity_of(path, 0.5, dials)
        ...     for path in ("apparel > Shoes > Clogs", "Apparels", "")
        ... ]
        [0.4, 0.5, 0.5]
    """
    path = _path(category)
    fits = {tuple(_path(name)): dial for name, dial in by_category.items()}
    for depth in range(len(path), 0, -1):
        if tuple(path[:depth]) in fits:
            return fits[tuple(path[:depth])]
    return usual


def check_creativity(creativity: float) -> None:
    """Refuses a dial outside its range.

    Raises:
        BadInput: Where it is not from 0 to 1.
    """
    if not 0.0 <= creativity <= 1.0:
        raise BadInput(f"creativity must lie from 0 to 1, not {creativity:g}")


def _path(category: str) -> list[str]:
    return [step.strip() for step in category.casefold().split(">") if step.strip()]
