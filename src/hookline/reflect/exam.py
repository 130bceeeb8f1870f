"""What a prompt's drafts are worth before anybody has seen them: marks from 0 to 1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hookline.errors import BadInput, BudgetSpent, WriterFailed
from hookline.guards import Guard, check_all
from hookline.prompts import Prompt
from hookline.recognise import as_asked
from hookline.types import Brief, Draft, content_hash

Write = Callable[[Prompt, Brief, int, int], tuple[Draft, ...]]
"""Prompt, brief, number and seed → drafts; as `OpenAIWriter.write_with`."""
Promise = Callable[[Brief, Sequence[str]], NDArray[np.float64]]
"""Log of the rate expected of each text as an answer to the brief, over a typical line's."""

SPREAD: Final = 0.22
"""Standard deviation of true log click rates within a test, in Upworthy's (docs/simulate.md)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What came of one brief.

    Attributes:
        brief: What was asked.
        texts: What was written.
        passed: Share of the drafts wanted that every guard let pass.
        control: Share of attributes that were recognised as asked, in those that passed.
        promise: Share of a test's lines that those that passed are expected to beat; a half where
            nothing foretells it.
        faults: What was wrong, in words, each once.
        failure: Why nothing was written; empty otherwise.
    """

    brief: Brief
    texts: tuple[str, ...] = ()
    passed: float = 0.0
    control: float = 0.0
    promise: float = 0.0
    faults: tuple[str, ...] = ()
    failure: str = ""

    @property
    def score(self) -> float:
        """Share that passed × mean of control and promise of these, from 0 to 1."""
        return self.passed * (self.control + self.promise) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Exam:
    """How drafts are marked.

    Attributes:
        write: Writes with a prompt.
        guards: Who checks.
        promise: Foretells conversion; None foretells nothing.
        drafts: Drafts wanted of a brief, at least 1.
        seed: The same prompt and brief are marked alike, where the writer is able to.

    Raises:
        BadInput: Where no draft is wanted.
    """

    write: Write
    guards: Sequence[Guard]
    promise: Promise | None = None
    drafts: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.drafts < 1:
            raise BadInput(f"an exam wants at least 1 draft of a brief, not {self.drafts}")

    def mark(self, prompt: Prompt, brief: Brief) -> Mark:
        """What the prompt makes of the brief; 0 where the writer fails.

        Raises:
            BudgetSpent: Where there is no money left to go on.
        """
        seed = int(content_hash(self.seed, brief.id, size=4), 16)
        try:
            written = self.write(prompt, brief, self.drafts, seed)
        except BudgetSpent:
            raise
        except WriterFailed as failure:
            return Mark(brief=brief, failure=str(failure))
        sound: list[Draft] = []
        faults: dict[str, None] = {}
        for draft in written:
            wrong = [v.reason for v in check_all(self.guards, draft.parts, brief) if not v.ok]
            faults |= dict.fromkeys(wrong)
            if not wrong:
                sound.append(draft)
        agreed = [as_asked(draft.parts, brief) for draft in sound]
        for name in dict.fromkeys(name for each in agreed for name, ok in each.items() if not ok):
            missed, level = sum(not each[name] for each in agreed), getattr(brief.attributes, name)
            where = f"{missed} of {len(agreed)} drafts"
            faults[f"The {name} asked for, {level!r}, was not to be seen in {where}."] = None
        return Mark(
            brief=brief,
            texts=tuple(_text(draft) for draft in written),
            passed=len(sound) / self.drafts,
            control=float(np.mean([list(each.values()) for each in agreed])) if agreed else 0.0,
            promise=self._beaten(brief, [_text(draft) for draft in sound]),
            faults=tuple(faults),
        )

    def _beaten(self, brief: Brief, texts: Sequence[str]) -> float:
        """Share of a test's lines that the texts are expected to beat, on average."""
        if not texts or self.promise is None:
            return 0.5 * bool(texts)
        return float(ndtr(self.promise(brief, texts) / SPREAD).mean())


def _text(draft: Draft) -> str:
    return " | ".join(draft.parts.values())
