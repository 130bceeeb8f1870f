"""A text prior in its folder: an n-gram model, and an encoder beside it if there is one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.prior.calibrate import Belief
from hookline.prior.encoder import Encoder
from hookline.prior.ngrams import NgramPrior
from hookline.types import Forecast, dumps, loads

Array = NDArray[np.float64]

DEFAULT: Final = Path(__file__).parent / "default"
"""Folder of the prior that ships."""

CARD = "prior.json"
NGRAMS = "ngrams.npz"
LEARNED = "learned.npy"
_CHUNK = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What a prior is made of and was learned from.

    Attributes:
        name: What to call it.
        learned_from: Where the tests came from, in words.
        tests: How many it learned from.
        lines: Lines in them.
        encoder: Whether there is an encoder in the folder.
        encoder_weight: Factor on the encoder's score in the sum.
        ngram_weight: Factor on the n-gram model's.
        variance: Of the true log ratio of a line around the score, where both models agree.
        doubt: Variance more for each squared unit by which they differ; 0 without an encoder.
    """

    name: str
    learned_from: str
    tests: int
    lines: int
    encoder: bool
    encoder_weight: float
    ngram_weight: float
    variance: float
    doubt: float


class TextPrior:
    """Scores lines of copy. Make one with `load`.

    Args:
        card: What it is made of.
        ngrams: The n-gram model.
        encoder: The encoder; None where the card has none.
        learned: Of `fingerprints`, for the lines it learned from.
    """

    def __init__(
        self,
        card: Card,
        ngrams: NgramPrior,
        encoder: Encoder | None,
        learned: NDArray[np.uint32],
    ) -> None:
        self.card = card
        self._ngrams = ngrams
        self._encoder = encoder
        self._learned = learned

    @classmethod
    def load(cls, folder: Path = DEFAULT, *, fast: bool = False) -> Self:
        """The prior in a folder.

        Args:
            folder: Of `save`.
            fast: Whether to leave out the encoder: forty times faster, and a little less good.

        Raises:
            BadInput: Where the folder holds no prior.
        """
        try:
            card = loads((folder / CARD).read_bytes(), Card)
        except FileNotFoundError:
            raise BadInput(f"{folder} holds no text prior: {CARD} is missing") from None
        except (OSError, msgspec.DecodeError) as error:
            raise BadInput(f"{folder / CARD} can't be read: {error}") from error
        try:
            learned = np.load(folder / LEARNED, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise BadInput(f"{folder / LEARNED} can't be read: {error}") from error
        encoder = Encoder.load(folder) if card.encoder and not fast else None
        return cls(card, NgramPrior.load(folder / NGRAMS), encoder, learned)

    def save(self, folder: Path) -> None:
        """Writes all but the encoder, whose files are in the folder already."""
        folder.mkdir(parents=True, exist_ok=True)
        self._ngrams.save(folder / NGRAMS)
        np.save(folder / LEARNED, self._learned)
        (folder / CARD).write_bytes(msgspec.json.format(dumps(self.card)) + b"\n")

    @property
    def belief(self) -> Belief:
        """What is believed of the score before any test of one's own."""
        return Belief(slopes=(1.0,), variance=self.card.variance)

    def has_learned_from(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each line was among those it learned from, spelling of case and spaces aside.

        One in many thousand new lines is taken for an old one. On old lines it looks better than
        it is.
        """
        return np.isin(fingerprints(texts), self._learned)

    def score(
        self, texts: Sequence[str], *, progress: Callable[[int], None] = lambda _done: None
    ) -> Array:
        """The log of each line's rate over a typical line's; only differences mean anything.

        Args:
            texts: Lines of copy.
            progress: Told now and then how many are scored.

        Returns:
            Array of shape (texts,).
        """
        parts: list[Array] = [np.zeros(0)]
        for start in range(0, len(texts), _CHUNK):
            parts.append(self._both(texts[start : start + _CHUNK])[0])
            progress(min(start + _CHUNK, len(texts)))
        return np.concatenate(parts)

    def forecast(self, texts: Sequence[str], belief: Belief | None = None) -> list[Forecast]:
        """What is expected of each line of one test.

        Args:
            texts: The lines of the test.
            belief: What tests of one's own have taught of the score; None trusts it as it is.
        """
        held = belief or self.belief
        score, apart = self._both(texts)
        mean = held.forecast((score - score.mean())[:, None]) if texts else score
        extra = self.card.doubt * (apart - apart.mean()) ** 2 if texts else apart
        variance = (self.card.variance + extra) * held.variance / self.card.variance
        return [
            Forecast(mean=middle, sd=sd)
            for middle, sd in zip(mean.tolist(), np.sqrt(variance).tolist(), strict=True)
        ]

    def _both(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """Score, and by how much the two models differ about each line."""
        plain = self._ngrams.score(texts)
        if self._encoder is None:
            factor = 1.0 if self.card.encoder else self.card.ngram_weight  # 1: the fast form
            return factor * plain, np.zeros_like(plain)
        deep = self.card.encoder_weight * self._encoder.score(texts)
        return deep + self.card.ngram_weight * plain, deep - plain


def fingerprints(texts: Iterable[str]) -> NDArray[np.uint32]:
    """A short hash of each line, case and spaces aside."""
    digests = (blake2b(" ".join(text.casefold().split()).encode(), digest_size=4) for text in texts)
    return np.array([int.from_bytes(digest.digest(), "big") for digest in digests], dtype=np.uint32)
