"""Text → token ids, the way uncased BERT models were taught to read.

The text is cleaned, lowered and stripped of accents, split at spaces, at punctuation and around
Chinese characters, and each word is cut into the longest pieces that the vocabulary knows, from
the left. Written after the description in Devlin et al. 2018 (https://arxiv.org/abs/1810.04805) and
Wu et al. 2016 (https://arxiv.org/abs/1609.08144). Names of special tokens that stand in a text,
such as "[SEP]", are read as text: what a text says cannot change how it is framed.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

from hookline.errors import BadInput

MAX_WORD: Final = 100
"""A word of more characters is unknown as a whole, as in BERT."""
CACHED_CHUNK: Final = 40
"""Longest stretch between spaces that is remembered; longer ones hardly come back."""
CACHED_CHUNKS: Final = 65_536

_CONTROLS: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
"""Left out. Not "Cn": a character newer than this Python's tables is an unknown letter."""
_CHINESE: Final = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
_ASCII_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class WordPiece:
    """Reads texts with one vocabulary.

    Args:
        vocabulary: Pieces by id; pieces that go on within a word begin with "##". Must hold
            "[UNK]", "[CLS]" and "[SEP]".
        max_length: Most ids of a text, the two special ones included; at least 3.

    Raises:
        BadInput: Where a special token is missing or `max_length` is too small.
    """

    def __init__(self, vocabulary: Sequence[str], *, max_length: int) -> None:
        if max_length < 3:
            raise BadInput(f"max_length must be at least 3, not {max_length}")
        self.max_length = max_length
        self._size = len(vocabulary)
        self._fingerprint = blake2b("\n".join(vocabulary).encode(), digest_size=10).hexdigest()
        self._ids = {piece: index for index, piece in enumerate(vocabulary)}
        missing = [name for name in ("[UNK]", "[CLS]", "[SEP]") if name not in self._ids]
        if missing:
            raise BadInput(f"the vocabulary has no {', '.join(missing)}: not one of a BERT model")
        self._unknown, self._first, self._last = (
            self._ids[name] for name in ("[UNK]", "[CLS]", "[SEP]")
        )
        self._longest = max(map(len, self._ids))
        self._remembered = lru_cache(maxsize=CACHED_CHUNKS)(self._chunk)

    @classmethod
    def load(cls, path: Path, *, max_length: int) -> Self:
        """The reader with the vocabulary of a `vocab.txt`: one piece a line, ids from 0.

        Raises:
            BadInput: Where there is no such file, or it is no such vocabulary.
        """
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot read the vocabulary {path}: {error}") from error
        if lines[-1] == "":
            del lines[-1]
        return cls([line.rstrip("\r") for line in lines], max_length=max_length)

    @property
    def size(self) -> int:
        """Number of ids."""
        return self._size

    @property
    def fingerprint(self) -> str:
        """Tells its vocabulary from all others, in 20 hex digits."""
        return self._fingerprint

    def index(self, piece: str) -> int | None:
        """The id of a piece as it stands in the vocabulary; None where it is not in it."""
        return self._ids.get(piece)

    def ids(self, text: str) -> list[int]:
        """The ids of a text, 2 to `max_length` of them: [CLS], its first pieces, [SEP]."""
        room = self.max_length - 1
        found = [self._first]
        for chunk in text.split(" "):
            found += self._remembered(chunk) if len(chunk) <= CACHED_CHUNK else self._chunk(chunk)
            if len(found) >= room:
                del found[room:]
                break
        found.append(self._last)
        return found

    def _chunk(self, chunk: str) -> tuple[int, ...]:
        """Ids of what stands between two spaces."""
        return tuple(index for word in words(chunk) for index in self._pieces(word))

    def _pieces(self, word: str) -> list[int]:
        """Ids of one word, longest pieces first; [UNK] alone where some part is not known."""
        if len(word) > MAX_WORD:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                index = self._ids.get(prefix + word[start:end])
                if index is not None:
                    found.append(index)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


def words(text: str) -> Iterator[str]:
    """The words of a text, lowered and without accents.

    Each punctuation mark and each Chinese character is a word of its own.

    >>> list(words("Señor O'Hara:  50% off!"))
    ['senor', 'o', "'", 'hara', ':', '50', '%', 'off', '!']
    """
    word: list[str] = []
    for character in unicodedata.normalize("NFD", "".join(_cleaned(text))):
        if character == " " or _stands_alone(character):
            if word:
                yield "".join(word)
                word.clear()
            if character != " ":
                yield character
        elif unicodedata.category(character) != "Mn":
            word.append(character.lower())
    if word:
        yield "".join(word)


def _cleaned(text: str) -> Iterator[str]:
    """The characters of a text, controls left out and every space made the same."""
    for character in text:
        category = unicodedata.category(character)
        if character in "\t\n\r" or category.startswith("Z"):
            yield " "
        elif category not in _CONTROLS and character != "\ufffd":
            yield character


def _stands_alone(character: str) -> bool:
    if character.isascii():
        return character in _ASCII_PUNCTUATION
    code = ord(character)
    return unicodedata.category(character).startswith("P") or any(
        first <= code <= last for first, last in _CHINESE
    )
