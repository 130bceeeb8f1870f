r"""A line of copy → a score from its words, runs of words, and pieces of words.

    line → words ┬→ runs of 1 to 3 words, the line's ends among them ┬→ slots of a table → score
                 └→ runs of 2 to 5 letters within each word          ┘

The score is linear: each run found adds the number in its slot, runs of words and of letters each
divided by the root of how many the line has. So a line is not better for being longer, and scoring
costs a few array operations for a whole batch of lines. Runs find their slots by a hash; no list of
them is kept ("the hashing trick", Weinberger et al. 2009, https://arxiv.org/abs/0902.2206).

The numbers come from ridge regression on what past tests say of their lines, within tests only.
How strongly they are held to zero is chosen by tests of other groups. A better model of text can
teach this one besides: it is asked about the lines and about made-up ones, as many as one likes,
and what it says has less noise in it than clicks ("distillation", Hinton et al. 2015,
https://arxiv.org/abs/1503.02531; into n-grams: Ye et al. 2022, https://arxiv.org/abs/2110.08536).

What is counted is counted in the lines that are learned from, never in those to be scored. A phrase
that comes twice in an archive tells that a line was used again, and winners are: a vocabulary
drawn from held-out lines as well knows part of the answer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np
import regex
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.past import PastTests
from hookline.stats import centred, expected_clicks, spread

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Hashes = NDArray[np.uint64]

Teacher = Callable[[Sequence[str]], Array]
"""Lines of copy → the log of each one's rate over a typical line's, shape (lines,)."""

_BITS: Final = 21
"""Slots are 2 to this power, so that of 300,000 runs one in eight shares its slot."""
_WORD_RUNS: Final = range(1, 4)
_LETTER_RUNS: Final = range(2, 6)
_WORD_WEIGHT: Final = 0.7
"""Size of the part that runs of words make up; that of letters is 1."""
_LEAST_SEEN: Final = 2
"""A run that was seen but once could only tell of the line it stood in."""
_STRENGTHS: Final = tuple(2.0**power for power in range(8, -4, -1))
_FOLDS: Final = 3
_LEAST_VARIANCE: Final = 0.01
"""However alike the lines of a small archive did, true rates differ by so much."""
_PRECISION: Final = 0.003
_MOST_STEPS: Final = 200
_TRUST: Final = 0.7
"""Share of the teacher in what a line teaches; the rest is what was seen of the line."""
_TAUGHT_STRENGTH: Final = 0.25
"""A teacher's word has little noise. Found on tests that neither it nor its pupil had seen."""
_SWAPPED: Final = 0.2
_LONGEST: Final = 26
_BATCH: Final = 4096

_TOKEN: Final = regex.compile(r"\n|[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")
_SPELLING: Final = str.maketrans("‘’“”\n", "''\"\" ")
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
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise BadInput(f"cannot read the n-gram model {path}: {error}") from error
        if table.shape != (1 << _BITS,) or table.dtype != np.int8 or scale.shape:
            raise BadInput(f"{path} holds no n-gram model of this version; train it again")
        return cls(table, float(scale))

    def save(self, path: Path) -> None:
        """Writes the model to one .npz file; empty slots take next to no room."""
        with path.open("wb") as file:
            np.savez_compressed(file, table=self._table, scale=np.float64(self._scale))

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
class _Runs:
    """The runs of some lines, and the linear map they make of a table.

    Attributes:
        lines: How many lines.
        words: How many different words.
        word_slot: Slot of each run of words.
        word_line: Line that it stands in.
        letter_slot: Slot of each run of letters of each different word.
        letter_word: Number of that word.
        token_word: Number of each word of the lines.
        token_line: Line that it stands in.
        word_factor: What a run of words counts in each line, shape (lines,).
        letter_factor: What a run of letters counts, same shape.
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


def _read(texts: Sequence[str]) -> _Runs:
    """The runs of these lines."""
    spelled = "\n".join(["", *(text.translate(_SPELLING) for text in texts), ""])
    numbers = {"\n": _END}
    found = _TOKEN.findall(spelled.lower())
    token = np.array([numbers.setdefault(each, len(numbers)) for each in found], dtype=np.int64)
    line = np.cumsum(token == _END) - 1
    letter, word = _letters(list(numbers))
    word_slot, word_line = _word_runs(_word_hashes(letter, word)[token], token, line)
    letter_slot, letter_word = _letter_runs(letter, word)
    inside = token != _END
    runs = np.bincount(letter_word, minlength=len(numbers))[token[inside]]
    return _Runs(
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


def _word_runs(word: Hashes, token: Indices, line: Indices) -> tuple[Indices, Indices]:
    """Slot and line of each run of words. An end of the line may stand first or last in a run."""
    slots: list[Indices] = []
    lines: list[Indices] = []
    run = np.zeros_like(word)
    for size in _WORD_RUNS:
        count = max(len(word) - size + 1, 0)
        run = _mixed(run[:count] + word[size - 1 :])
        whole = line[:count] == line[max(size - 2, 0) :][:count]
        if size == 1:
            whole = token != _END
        slots.append(_slots(run[whole], size))
        lines.append(line[:count][whole])
    return np.concatenate(slots), np.concatenate(lines)


def _letter_runs(letter: Hashes, word: Indices) -> tuple[Indices, Indices]:
    """Slot and word of each run of letters within one word and the spaces around it."""
    slots: list[Indices] = []
    words: list[Indices] = []
    run = letter
    for size in _LETTER_RUNS:
        count = max(len(letter) - size + 1, 0)
        run = run[:count] * _PRIME + letter[size - 1 :]
        whole = word[:count] == word[size - 1 :]
        slots.append(_slots(run[whole], -size))
        words.append(word[:count][whole])
    return np.concatenate(slots), np.concatenate(words)


def _slots(run: Hashes, kind: int) -> Indices:
    """The slot of each run; runs of different kinds have nothing to do with each other."""
    return (_mixed(run + np.uint64(kind % 256)) >> np.uint64(64 - _BITS)).astype(np.int64)


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
    """Ridge regression of targets on the runs of the lines, both centred within tests.

    With A the map from a table to the weighted, centred scores of the lines, and b the weighted
    targets, the table is Aᵀ x where (A Aᵀ + strength) x = b: one number for each line instead of
    one for each of many more slots.

    Args:
        lessons: What to learn.
        counted: How many of the lines, from the first, decide which runs are learned at all.
    """

    def __init__(self, lessons: _Lessons, counted: int) -> None:
        self._lessons = lessons
        self._root = np.sqrt(lessons.weights)
        self._runs, self.slots = _read(lessons.texts).compact(counted)
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
        scores = self._runs.scores(self._table(values))
        return self._root * self._centred(scores) + strength * values

    def _table(self, values: Array) -> Array:
        return self._runs.gathered(
            self._lessons.weights * self._centred(values / self._root), len(self.slots)
        )

    def _centred(self, values: Array) -> Array:
        return centred(values, self._lessons.weights, self._lessons.starts)


def _strength(tests: PastTests, seed: int) -> float:
    """How strongly the numbers are best held to zero, by the error on tests of other groups."""
    groups = len(np.unique(tests.groups))
    if groups < 2:
        return _STRENGTHS[0]
    folds = tests.folds(min(_FOLDS, groups), seed)
    trials = [
        (tests.take(np.flatnonzero(folds != fold)), tests.take(np.flatnonzero(folds == fold)))
        for fold in range(int(folds.max()) + 1)
    ]
    ridges = [_Ridge(_Lessons.of(others), len(others.texts)) for others, _ in trials]
    held = [(_Lessons.of(own), _read(own.texts)) for _, own in trials]
    best, least = _STRENGTHS[0], np.inf
    for strength in _STRENGTHS:
        error = sum(
            _error(*pair, _spread_out(ridge.values(strength), ridge.slots))
            for ridge, pair in zip(ridges, held, strict=True)
        )
        if error > least:
            break
        best, least = strength, error
    return best


def _error(lessons: _Lessons, runs: _Runs, table: Array) -> float:
    """Squared error of a table's scores within tests, weighted."""
    scores = centred(runs.scores(table), lessons.weights, lessons.starts)
    return float(lessons.weights @ (lessons.targets - scores) ** 2)


def _spread_out(values: Array, slots: Indices) -> Array:
    """The whole table with these values in these slots."""
    table = np.zeros(1 << _BITS)
    table[slots] = values
    return table
