"""A line of copy → a score from its words, runs of words, and pieces of words.

    line → words ┬→ words, runs and pairs of them, their places ┬→ slots of a table → score
                 └→ runs of 2 to 5 letters within each word     ┘

The score is linear: all that is found in a line adds the number in its slot, words and letters each
divided by the root of how much there is of them. So a line is not better for being longer, and
scoring costs a few array operations for a whole batch of lines. Slots are found by a hash; no list
of what is in them is kept ("the hashing trick", Weinberger et al. 2009,
https://arxiv.org/abs/0902.2206).

The numbers come from ridge regression on what past tests say of their lines, within tests only.
How strongly they are held to zero is chosen by tests of other groups. A better model of text can
teach this one besides: it is asked about the lines and about made-up ones, as many as one likes,
and what it says has less noise in it than clicks ("distillation", Hinton et al. 2015,
https://arxiv.org/abs/1503.02531; into n-grams: Ye et al. 2022, https://arxiv.org/abs/2110.08536).

What is counted is counted in the lines that are learned from, never in those to be scored. A phrase
that comes twice in an archive tells that a line was used again, and winners are: a vocabulary
drawn from held-out lines as well knows part of the answer.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.stats import centred, expected_clicks, spread

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Hashes = NDArray[np.uint64]

Teacher = Callable[[Sequence[str]], Array]
"""Lines of copy → the log of each one's rate over a typical line's, shape (lines,)."""

_VERSION: Final = 1
"""Of how lines are read: a table is of no use to another way."""
_BITS: Final = 21
"""Slots are 2 to this power, so that of 460,000 things counted one in five shares its slot."""
_RUNS: Final = (2, 3)
"""Words in a run."""
_GAPS: Final = (1, 2)
"""Words between those of a pair."""
_LETTER_RUNS: Final = range(2, 6)
"""Letters in a run."""
_WORD_WEIGHT: Final = 0.8
"""Size of the part that words make up; that of letters is 1."""
_LEAST_SEEN: Final = 2
"""What was seen but once could only tell of the line it stood in."""
_STRENGTHS: Final = (256.0, 64.0, 32.0, 16.0, 8.0, 5.7, 4.0, 2.8, 2.0, 1.4, 1.0)
"""How strongly numbers may be held to zero, from the strongest: each is the start of the next."""
_FOLDS: Final = 3
_MOST_TESTS: Final = 6000
"""Tests that are enough to choose a strength: it hardly changes with their number."""
_LEAST_VARIANCE: Final = 0.01
"""However alike the lines of a small archive did, true rates differ by so much."""
_PRECISION: Final = 0.003
"""Where conjugate gradients stop: size of what is left over, relative to the targets."""
_MOST_STEPS: Final = 200
_TRUST: Final = 0.7
"""Share of the teacher in what a line teaches; the rest is what was seen of the line."""
_TAUGHT_STRENGTH: Final = 0.25
"""A teacher's word has little noise. Found on tests that neither it nor its pupil had seen."""
_SWAPPED: Final = 0.2
"""Share of words of a variant that come from another line."""
_LONGEST: Final = 26
"""Most words of a variant made of two lines."""
_BATCH: Final = 4096

_TOKEN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")
_QUOTES: Final = str.maketrans("‘’“”", "''\"\"")
_END: Final = 0
"""Number of the token that stands between lines."""
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)


class NgramPrior:
    """Scores lines of copy by their n-grams. Make one with `fit` or `load`.

    Args:
        table: Number in each slot in steps of `scale`, shape (2**21,).
        scale: Size of a step.
    """

    def __init__(self, table: NDArray[np.int8], scale: float) -> None:
        self._table = table
        self._scale = scale

    @classmethod
    def fit(cls, tests: PastTests, *, teacher: Teacher | None = None, seed: int = 0) -> Self:
        """The model that these tests teach, and a better model of text if there is one.

        A line teaches the log of its click rate over its test's, less the test's mean. It counts by
        the inverse of its variance: what no model could tell, and what its clicks leave open.

        Args:
            tests: Tests of any number; from a few only, hardly anything is learned.
            teacher: Scores lines on the same scale. It is asked about every line and four variants
                of each, which takes as long as it takes.
            seed: Of the variants, and of the folds that choose how strongly numbers are held to 0.

        Raises:
            BadInput: Where no test has a click.
        """
        clicked = [tests.clicks[a:b].any() for a, b in pairwise(tests.starts.tolist())]
        if not any(clicked):
            raise BadInput("no test has a click: there is nothing to learn from")
        tests = tests.take(np.flatnonzero(clicked))
        lessons = _Lessons.of(tests)
        strength = _TAUGHT_STRENGTH if teacher else _strength(tests, seed)
        if teacher:
            lessons = lessons.taught(teacher, Random(seed))
        ridge = _Ridge(lessons, len(tests.texts))
        values = ridge.values(strength)
        scale = float(np.abs(values).max(initial=0)) / 127 or 1.0
        steps = _spread_out(np.rint(values / scale), ridge.slots)
        return cls(steps.astype(np.int8), scale)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The model that `save` wrote.

        Raises:
            BadInput: Where the file cannot be read as such.
        """
        try:
            with np.load(path) as arrays:
                table, scale = arrays["table"], arrays["scale"]
                version = int(arrays["version"])
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise BadInput(f"cannot read the n-gram model {path}: {error}") from error
        if (
            version != _VERSION
            or table.shape != (1 << _BITS,)
            or table.dtype != np.int8
            or scale.shape
        ):
            raise BadInput(f"{path} holds no n-gram model of this version; train it again")
        return cls(table, float(scale))

    def save(self, path: Path) -> None:
        """Writes the model to one .npz file; empty slots take next to no room."""
        with path.open("wb") as file:
            np.savez_compressed(
                file, table=self._table, scale=np.float64(self._scale), version=np.int64(_VERSION)
            )

    def score(self, texts: Sequence[str]) -> Array:
        """The log of each line's rate over a typical line's; only differences mean anything.

        Args:
            texts: Lines of copy. What one scores does not depend on the others.

        Returns:
            Array of shape (texts,).
        """
        batches = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
        parts = [_read(batch).scores(self._table) * self._scale for batch in batches]
        return np.concatenate([np.zeros(0), *parts])


# --- text → slots ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Found:
    """What is found in some lines, and the linear map from a table to their scores.

    Attributes:
        lines: How many lines.
        words: How many different words.
        word_slot: Slot of each word, run or pair of words, and of all else but letters.
        word_line: Line that it stands in.
        letter_slot: Slot of each run of letters of each different word.
        letter_word: Number of that word.
        token_word: Number of each word of the lines.
        token_line: Line that it stands in.
        word_factor: What each of the first sort counts in a line, shape (lines,).
        letter_factor: What a run of letters counts in a line, same shape.
    """

    lines: int
    words: int
    word_slot: Indices
    word_line: Indices
    letter_slot: Indices
    letter_word: Indices
    token_word: Indices
    token_line: Indices
    word_factor: Array
    letter_factor: Array

    def scores(self, table: Array | NDArray[np.int8]) -> Array:
        """What the numbers of a table add up to on each line, shape (lines,)."""
        words = np.bincount(self.word_line, table[self.word_slot], self.lines)
        each = np.bincount(self.letter_word, table[self.letter_slot], self.words)
        letters = np.bincount(self.token_line, each[self.token_word], self.lines)
        return words * self.word_factor + letters * self.letter_factor

    def gathered(self, values: Array, size: int) -> Array:
        """What values of lines add up to on each of `size` slots: the transpose of `scores`."""
        words, letters = values * self.word_factor, values * self.letter_factor
        each = np.bincount(self.token_word, letters[self.token_line], self.words)
        of_words = np.bincount(self.word_slot, words[self.word_line], size).astype(np.float64)
        of_letters = np.bincount(self.letter_slot, each[self.letter_word], size)
        return of_words + of_letters

    def compact(self, counted: int) -> tuple[Self, Indices]:
        """The same with fewer slots, numbered anew, and the slots' old numbers.

        Args:
            counted: A slot stays if the first so many lines fill it twice.
        """
        size = 1 << _BITS
        times = np.bincount(self.token_word[self.token_line < counted], minlength=self.words)
        seen = np.bincount(self.word_slot[self.word_line < counted], minlength=size)
        seen = seen + np.bincount(self.letter_slot, times[self.letter_word], size)
        slots = np.flatnonzero(seen >= _LEAST_SEEN)
        number = np.full(size, -1)
        number[slots] = np.arange(len(slots))
        word, letter = number[self.word_slot], number[self.letter_slot]
        fewer = replace(
            self,
            word_slot=word[word >= 0],
            word_line=self.word_line[word >= 0],
            letter_slot=letter[letter >= 0],
            letter_word=self.letter_word[letter >= 0],
        )
        return fewer, slots


def _read(texts: Sequence[str]) -> _Found:
    """What is found in these lines."""
    numbers = {"": _END}
    token = np.fromiter(
        (numbers.setdefault(each, len(numbers)) for each in _tokens(texts)), dtype=np.int64
    )
    line = np.cumsum(token == _END) - 1
    letter, word = _letters(list(numbers))
    word_slot, word_line = _of_words(_word_hashes(letter, word)[token], token, line)
    letter_slot, letter_word = _of_letters(letter, word)
    inside = token != _END
    runs = np.bincount(letter_word, minlength=len(numbers))[token[inside]]
    return _Found(
        lines=len(texts),
        words=len(numbers),
        word_slot=word_slot,
        word_line=word_line,
        letter_slot=letter_slot,
        letter_word=letter_word,
        token_word=token[inside],
        token_line=line[inside],
        word_factor=_WORD_WEIGHT / np.sqrt(np.bincount(word_line, minlength=len(texts)).clip(1)),
        letter_factor=1 / np.sqrt(np.bincount(line[inside], runs, len(texts)).clip(1)),
    )


def _tokens(texts: Sequence[str]) -> Iterator[str]:
    """The words and signs of all lines, in small letters, an empty one at each end of a line."""
    yield ""
    for text in texts:
        yield from _TOKEN.findall(text.translate(_QUOTES).lower())
        yield ""


def _letters(words: Sequence[str]) -> tuple[Hashes, Indices]:
    """The letters of words, each between two spaces, and the number of each letter's word."""
    spelled = "".join(f" {word} " for word in words)
    code = np.frombuffer(spelled.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    sizes = [len(word) + 2 for word in words]
    return code.astype(np.uint64), np.repeat(np.arange(len(words)), sizes)


def _word_hashes(letter: Hashes, word: Indices) -> Hashes:
    """A hash of each word."""
    starts = np.flatnonzero(np.diff(word, prepend=-1))
    place = (np.arange(len(letter)) - starts[word]).astype(np.uint64)
    return np.add.reduceat(_mixed(letter * _PRIME + place), starts)


def _of_words(word: Hashes, token: Indices, line: Indices) -> tuple[Indices, Indices]:
    """Slot and line of everything that is counted but letters.

    Args:
        word: Hash of each token.
        token: Number of each token; an end stands before, between and behind the lines.
        line: Line of each token; an end goes with the line behind it.
    """
    inside = token != _END
    found = [
        (_slots(word[inside], 1), line[inside]),
        *(_run(word, line, size) for size in _RUNS),
        *(_pair(word, line, gap) for gap in _GAPS),
        *_shape(word, token, line),
    ]
    return np.concatenate([slots for slots, _ in found]), np.concatenate([on for _, on in found])


def _run(word: Hashes, line: Indices, size: int) -> tuple[Indices, Indices]:
    """Runs of two or more words, an end of the line at most first or last."""
    count = max(len(word) - size + 1, 0)
    run = word[:count]
    for place in range(1, size):
        run = _mixed(run) + word[place : place + count]
    whole = line[:count] == line[size - 2 : size - 2 + count]
    return _slots(run[whole], size), line[:count][whole]


def _pair(word: Hashes, line: Indices, gap: int) -> tuple[Indices, Indices]:
    """Two words with so many between them, an end of the line at most first or last."""
    count = max(len(word) - gap - 1, 0)
    pair = _mixed(word[:count]) + word[gap + 1 :]
    whole = line[:count] == line[gap : gap + count]
    return _slots(pair[whole], 16 + gap), line[:count][whole]


def _shape(word: Hashes, token: Indices, line: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Each word with the third of the line it stands in, and each line's number of words."""
    ends = np.flatnonzero(token == _END)
    sizes = np.diff(ends) - 1
    inside = np.flatnonzero(token != _END)
    on = line[inside]
    third = 3 * (inside - ends[on] - 1) // sizes[on]
    yield _slots(word[inside] + third.astype(np.uint64), 32), on
    lines = np.arange(len(sizes))
    yield _slots(sizes.astype(np.uint64) * _PRIME, 36), lines
    yield _slots((sizes // 3).astype(np.uint64) * _PRIME, 37), lines


def _of_letters(letter: Hashes, word: Indices) -> tuple[Indices, Indices]:
    """Slot and word of each run of letters within one word and the spaces around it."""
    slots: list[Indices] = []
    words: list[Indices] = []
    run = letter
    for size in _LETTER_RUNS:
        count = max(len(letter) - size + 1, 0)
        run = run[:count] * _PRIME + letter[size - 1 :]
        whole = word[:count] == word[size - 1 :]
        slots.append(_slots(run[whole], 64 + size))
        words.append(word[:count][whole])
    return np.concatenate(slots), np.concatenate(words)


def _slots(run: Hashes, kind: int) -> Indices:
    """The slot of each; those of different kinds have nothing to do with each other."""
    return (_mixed(run + np.uint64(kind)) >> np.uint64(64 - _BITS)).astype(np.int64)


def _mixed(number: Hashes) -> Hashes:
    """A hash in which every bit depends on every bit (the end of MurmurHash3, public domain)."""
    number = (number ^ (number >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    number = (number ^ (number >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return number ^ (number >> np.uint64(33))


# --- tests → the table -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Lessons:
    """What lines teach.

    Attributes:
        texts: The lines; those of one test side by side.
        targets: What to expect of each, less its test's mean.
        weights: What that counts; 1 on average.
        starts: Index of each test's first line, then the number of lines.
    """

    texts: tuple[str, ...]
    targets: Array
    weights: Array
    starts: Indices

    @classmethod
    def of(cls, tests: PastTests) -> Self:
        """What tests teach of their lines."""
        clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
        told = expected_clicks(clicks, shown, np.zeros_like(clicks), tests.starts)
        variance = max(spread(clicks, told, tests.starts), _LEAST_VARIANCE)
        weights = 1 / (variance + 1 / told)
        return cls(
            texts=tests.texts,
            targets=centred(np.log((clicks + 0.5) / (told + 0.5)), weights, tests.starts),
            weights=weights / weights.mean(),
            starts=tests.starts,
        )

    def taught(self, teacher: Teacher, rng: Random) -> Self:
        """The same with a teacher's word on these lines, and on four variants of each."""
        variants = tuple(_variants(self.texts, rng))
        ends = self.starts[-1] + 4 * np.arange(1, len(self.texts) + 1)
        weights = np.concatenate([self.weights, np.ones(len(variants))])
        starts = np.concatenate([self.starts, ends])
        told = centred(teacher(self.texts + variants), weights, starts)
        seen = told.copy()
        seen[: len(self.texts)] = self.targets
        return type(self)(
            texts=self.texts + variants,
            targets=_TRUST * told + (1 - _TRUST) * seen,
            weights=weights,
            starts=starts,
        )


def _variants(texts: Sequence[str], rng: Random) -> Iterator[str]:
    """Four variants of each line: made-up lines of the same words and phrases.

    A teacher knows the lines that it learned from partly by heart; of these it has to judge.
    """
    lines = [text.split() or [""] for text in texts]
    for line in lines:
        other = rng.choice(lines)
        yield _joined(line, other, rng)
        yield _joined(rng.choice(lines), line, rng)
        start, end = sorted(rng.choices(range(len(line) + 1), k=2))
        yield " ".join(line[:start] + line[end:])
        yield " ".join(rng.choice(other) if rng.random() < _SWAPPED else word for word in line)


def _joined(one: Sequence[str], other: Sequence[str], rng: Random) -> str:
    """The beginning of one line with the end of another."""
    words = [*one[: rng.randint(1, len(one))], *other[rng.randrange(len(other)) :]]
    return " ".join(words[:_LONGEST])


class _Ridge:
    """Ridge regression of targets on what is found in the lines, both centred within tests.

    With A the map from a table to the weighted, centred scores of the lines, and b the weighted
    targets, the table is Aᵀ x where (A Aᵀ + strength) x = b: one number for each line instead of
    one for each of many more slots.

    Args:
        lessons: What to learn.
        counted: How many of the lines, from the first, decide which slots are learned at all.
    """

    def __init__(self, lessons: _Lessons, counted: int) -> None:
        self._lessons = lessons
        self._root = np.sqrt(lessons.weights)
        self._found, self.slots = _read(lessons.texts).compact(counted)
        self._solution = np.zeros(len(lessons.texts))

    def values(self, strength: float) -> Array:
        """The number in each of `slots`, by conjugate gradients from the last solution."""
        solution = self._solution
        residual = self._root * self._lessons.targets - self._applied(solution, strength)
        direction, size = residual, residual @ residual
        enough = _PRECISION**2 * (self._lessons.weights @ self._lessons.targets**2)
        for _ in range(_MOST_STEPS):
            if size <= enough:
                break
            image = self._applied(direction, strength)
            step = size / (direction @ image)
            solution = solution + step * direction
            residual = residual - step * image
            last, size = size, residual @ residual
            direction = residual + size / last * direction
        self._solution = solution
        return self._table(solution)

    def _applied(self, values: Array, strength: float) -> Array:
        scores = self._found.scores(self._table(values))
        return self._root * self._centred(scores) + strength * values

    def _table(self, values: Array) -> Array:
        return self._found.gathered(
            self._lessons.weights * self._centred(values / self._root), len(self.slots)
        )

    def _centred(self, values: Array) -> Array:
        return centred(values, self._lessons.weights, self._lessons.starts)


def _strength(tests: PastTests, seed: int) -> float:
    """How strongly the numbers are best held to zero, by the error on tests of other groups."""
    if len(tests) > _MOST_TESTS:
        chosen = np.random.default_rng(seed).permutation(len(tests))[:_MOST_TESTS]
        tests = tests.take(np.sort(chosen))
    groups = len(np.unique(tests.groups))
    if groups < 2:
        return _STRENGTHS[0]
    folds = tests.folds(min(_FOLDS, groups), seed)
    error = np.zeros(len(_STRENGTHS))
    for fold in range(int(folds.max()) + 1):
        others = tests.take(np.flatnonzero(folds != fold))
        own = tests.take(np.flatnonzero(folds == fold))
        ridge = _Ridge(_Lessons.of(others), len(others.texts))
        lessons, found = _Lessons.of(own), _read(own.texts)
        for index, strength in enumerate(_STRENGTHS):
            table = _spread_out(ridge.values(strength), ridge.slots)
            error[index] += _error(lessons, found, table)
    return _STRENGTHS[int(error.argmin())]


def _error(lessons: _Lessons, found: _Found, table: Array) -> float:
    """Squared error of a table's scores within tests, weighted."""
    scores = centred(found.scores(table), lessons.weights, lessons.starts)
    return float(lessons.weights @ (lessons.targets - scores) ** 2)


def _spread_out(values: Array, slots: Indices) -> Array:
    """The whole table with these values in these slots."""
    table = np.zeros(1 << _BITS)
    table[slots] = values
    return table
