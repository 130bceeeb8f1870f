"""What a tuned writer is paid for, each thing by itself, and what it is never paid for.

    candidates ┬→ conversion, diversity, sentiment, cta, attributes, fluency → one value each,
               │                                                         higher is better
               └→ gates: whether every guard passes it

`duals` weighs the values against each other. No objective knows of another one, and none of them is
a guard: what a guard rejects is out, however well it would sell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan, sqrt
from typing import ClassVar, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from hookline.diversity import bleu_to_others, cosines
from hookline.errors import BadInput
from hookline.guards import Guard, check_all
from hookline.perceive.encoders import Encoder
from hookline.recognise import as_asked
from hookline.sentiment import missed_by
from hookline.types import Brief
from hookline.writers.dialogue import parse

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

CAUTION: Final = 1.0
"""Standard deviations that the conversion is taken down by."""
WORSE: Final = 1.0
"""How far below the batch's worst copy an answer lies that is no copy at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A copy that a writer in training drew for a brief.

    Attributes:
        brief: What was asked for.
        parts: Channel field name → text.
        group: Number of the group it was drawn in; a group answers one brief.
        loglik: Mean log-likelihood of a piece under the base writer, nats; nan where nobody asked.
    """

    brief: Brief
    parts: Mapping[str, str]
    group: int
    loglik: float = nan

    @property
    def text(self) -> str:
        """All parts as one line."""
        return " | ".join(self.parts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A batch's mean and how far luck of the draw may move it.

    Attributes:
        mean: Mean over candidates.
        error: Standard error of it; groups count as the units, for what answers one brief is alike.
    """

    mean: float
    error: float

    @classmethod
    def of(cls, values: FloatArray, groups: IntArray) -> Self:
        """The reading of one value a candidate.

        With r the sums over groups of what lies above the mean, the error is √(Σ r² · G/(G − 1))/n.

        Args:
            values: Shape (n,), n at least 1.
            groups: Number of each one's group, same shape. A single group leaves the error 0.

        Raises:
            BadInput: Where there is no value, or one that is no number.
        """
        check_finite("the reading", values)
        if not values.size:
            raise BadInput("an empty batch has no mean; draw candidates first")
        mean = float(values.mean())
        _, places = np.unique(groups, return_inverse=True)
        sums = np.bincount(places, weights=values - mean)
        count = len(sums)
        spread = float((sums**2).sum()) * count / (count - 1) if count > 1 else 0.0
        return cls(mean=mean, error=sqrt(spread) / len(values))


class Objective(Protocol):
    """Something a writer is paid for."""

    name: ClassVar[str]
    """What weights and plots call it."""

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """A value for each candidate, higher is better, shape (candidates,)."""
        ...


class Forecaster(Protocol):
    """An ensemble of reward models. The held-out model (`reward.HeldOut`) is none on purpose."""

    def predict(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """Log of each one's rate over a typical line's, shape (models, candidates)."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """What a copy sells at least: mean − κ · sd over an ensemble of reward models.

    The best of many forecasts is otherwise the one that errs most, and a writer finds it (Gao et
    al. 2022, https://arxiv.org/abs/2210.10760; Coste et al. 2023, https://arxiv.org/abs/2310.02743:
    ensembles make that later and smaller, they don't end it).

    Attributes:
        model: The ensemble.
        caution: κ, at least 0.
    """

    name: ClassVar[str] = "conversion"

    model: Forecaster
    caution: float = CAUTION

    def __post_init__(self) -> None:
        if not self.caution >= 0:
            raise ValueError(f"caution must be at least 0, not {self.caution}")

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """The lower bound of each one's log rate over a typical line's, shape (candidates,)."""
        if not candidates:
            return np.zeros(0)
        found = self.model.predict(candidates)
        return found.mean(axis=0) - self.caution * found.std(axis=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class MarginalDiversity:
    """What a copy adds to how different its group is, in what it says and how.

    In meaning it is the mean s of 1 − cosine to the n − 1 others. Leaving the copy out takes
    2(s − D)/(n − 2) from the group's off-diagonal diversity D, and the mean of s over the group is
    D itself: so the order is that of the margins, and a bound on the objective is a bound on the
    groups' diversity. In words it is 1 − the BLEU of the copy with the others as its references,
    whose mean is 1 − self-BLEU. Meaning and wording hardly follow each other (Shaib et al. 2024),
    so both are paid. A text in which the encoder can read nothing is like all others: gibberish is
    no variety.

    Attributes:
        encoder: Gives the vectors of what texts mean.
        wording: Share of the words, from 0 to 1.
    """

    name: ClassVar[str] = "diversity"

    encoder: Encoder
    wording: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.wording <= 1:
            raise ValueError(f"wording is a share from 0 to 1, not {self.wording}")

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """Distance to the rest of the group, 0 to 2; 0 for one who is alone."""
        found = np.zeros(len(candidates))
        for rows in _by_group(candidates):
            if len(rows) > 1:
                texts = [candidates[row].text for row in rows]
                words = 1.0 - bleu_to_others(texts)
                found[rows] = (1.0 - self.wording) * self._meant(texts) + self.wording * words
        return found

    def _meant(self, texts: Sequence[str]) -> FloatArray:
        """How far each text lies from the others in meaning, 0 to 2, shape (texts,)."""
        vectors = self.encoder.encode(texts)
        apart = 1.0 - cosines(vectors)
        unread = ~vectors.any(axis=1)
        apart[unread] = apart[:, unread] = 0.0
        return np.asarray(apart.sum(axis=1) / (len(texts) - 1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class SentimentMatch:
    """How near a copy feels to what was asked: −|score − target|, 0 where nothing was."""

    name: ClassVar[str] = "sentiment"

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """Shape (candidates,), −2 to 0."""
        missed = [
            missed_by(each.text, each.brief.locale, each.brief.sentiment) for each in candidates
        ]
        return -np.array(missed, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class CallToAction:
    """Whether a copy calls for what was asked."""

    name: ClassVar[str] = "cta"

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """1 or 0, shape (candidates,)."""
        found = [as_asked(each.parts, each.brief)["cta"] for each in candidates]
        return np.array(found, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class AsAsked:
    """How many of the other creative attributes are recognised as asked.

    Without it a writer learns to write what sells best whatever it is asked for.
    """

    name: ClassVar[str] = "attributes"

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """Share of them, 0 to 1, shape (candidates,)."""
        found = [
            np.mean([ok for name, ok in as_asked(each.parts, each.brief).items() if name != "cta"])
            for each in candidates
        ]
        return np.array(found, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Fluency:
    """How likely the writer was to say it before it was tuned, in nats a piece."""

    name: ClassVar[str] = "fluency"

    def __call__(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """Shape (candidates,), at most 0.

        Raises:
            BadInput: Where a candidate's likelihood was not given.
        """
        found = np.array([each.loglik for each in candidates], dtype=np.float64)
        if np.isnan(found).any():
            raise BadInput("fluency needs `loglik` of every candidate, under the base writer")
        return found


def gates(guards: Sequence[Guard], candidates: Sequence[Candidate]) -> BoolArray:
    """Whether every guard passes each candidate, shape (candidates,).

    Each is checked by itself: that two of one group say the same is for the diversity to pay.
    """
    found = [
        all(verdict.ok for verdict in check_all(guards, each.parts, each.brief))
        for each in candidates
    ]
    return np.array(found, dtype=np.bool_)


def groups_of(candidates: Sequence[Candidate]) -> IntArray:
    """The number of each candidate's group, shape (candidates,)."""
    return np.array([each.group for each in candidates], dtype=np.int64)


def check_finite(what: str, values: FloatArray) -> None:
    """Refuses values that are no numbers.

    Raises:
        BadInput: Where one is not finite; says how many.
    """
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise BadInput(f"{what} has {wrong} of {values.size} values that are no finite number")


Message = Mapping[str, str]
"""`role` and `content`, as TRL's conversational data sets have them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextReward:
    """An objective as TRL's GRPO calls it: of prompts and completions. Made by `as_text_reward`.

    Attributes:
        objective: What is paid for.
        briefs: What the user says, word for word → the brief it renders.
        likelihood: Prompts and answers → log-likelihood of a piece under the base writer, for
            `Fluency`; None where that is not asked for.
    """

    objective: Objective
    briefs: Mapping[str, Brief] = field(repr=False)
    likelihood: Callable[[Sequence[str], Sequence[str]], Sequence[float]] | None = None

    def __call__(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[Sequence[Message]]
    ) -> list[float]:
        """A value for each completion; one that is no copy gets the worst one's less `WORSE`.

        Args:
            prompts: Messages, the last of them the user's; the same prompt is one group.
            completions: One message each, the answer.

        Raises:
            BadInput: Where a prompt stands for no brief.
        """
        asked = [prompt[-1]["content"] for prompt in prompts]
        answers = [completion[-1]["content"] for completion in completions]
        likely = self.likelihood(asked, answers) if self.likelihood else [nan] * len(asked)
        groups = {question: number for number, question in enumerate(dict.fromkeys(asked))}
        found: dict[int, Candidate] = {}
        for place, (question, answer) in enumerate(zip(asked, answers, strict=True)):
            brief = self._brief(question)
            try:
                parts = parse(answer, brief.channel)[0]
            except ValueError:
                continue
            found[place] = Candidate(
                brief=brief, parts=parts, group=groups[question], loglik=likely[place]
            )
        values = self.objective(list(found.values())) if found else np.zeros(0)
        worst = float(values.min(initial=0.0)) - WORSE
        known = dict(zip(found, values.tolist(), strict=True))
        return [known.get(place, worst) for place in range(len(asked))]

    @property
    def __name__(self) -> str:
        """What TRL calls the reward in its log."""
        return self.objective.name

    def _brief(self, question: str) -> Brief:
        if question not in self.briefs:
            raise BadInput(f"no brief belongs to the prompt that begins {question[:60]!r}")
        return self.briefs[question]


def as_text_reward(objective: Objective, briefs: Mapping[str, Brief]) -> TextReward:
    """The objective as a reward of prompts and completions, for TRL's GRPO.

    Args:
        objective: Any but `Fluency`, which has to be given likelihoods: see `TextReward`.
        briefs: What the user says, word for word → the brief it renders.
    """
    return TextReward(objective=objective, briefs=briefs)


def _by_group(candidates: Sequence[Candidate]) -> list[list[int]]:
    """Rows of each group, wherever they stand."""
    found: dict[int, list[int]] = {}
    for row, each in enumerate(candidates):
        found.setdefault(each.group, []).append(row)
    return list(found.values())
