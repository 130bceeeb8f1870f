"""Briefs × writer → a slate of guarded copy, with what was rejected and what is missing.

Nothing passes from a writer to a shopper but through here: every draft goes past every guard, and
those that fail are kept with the reasons. Of those that pass, the slate keeps what does most of
what was asked for, and among these what promises most and differs most (`slate`). A brief that its
writer can't fill is filled by another one, which says so.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from hookline.asking import Answer, Purse, Request, answers, tallies
from hookline.diversity import Array, Vectors, word_vectors
from hookline.errors import BadInput
from hookline.guards import Guard
from hookline.judgement import judged, storable, wording_of
from hookline.recognise import as_asked
from hookline.slate import (
    Mode,
    Pool,
    check_creativity,
    choose,
    creativity_of,
    front,
)
from hookline.types import Brief, Copy, FrontPoint, Tally, content_hash
from hookline.writers.base import Writer

ROUNDS: Final = 4
"""Most times that a writer is asked for one brief."""

Promise = Callable[[Brief, Sequence[str]], Array]
"""Log of the rate expected of each text as an answer to the brief, over a typical line's."""
Embed = Callable[[Sequence[str]], Vectors]
"""Texts → a vector of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """How the copies to keep are chosen from those that pass, see `slate.choose`.

    Attributes:
        creativity: λ, from the most promising copies (0) to the most varied (1).
        by_category: Product category, from its broad end → λ for it and what is below it.
        mode: How to choose.
        promise: Says what may be expected of copies; None promises the same of all.
        embed: Says what copies are about; by their words unless told otherwise.

    Raises:
        BadInput: Where a λ is outside its range.
    """

    creativity: float = 0.5
    by_category: Mapping[str, float] = field(default_factory=dict[str, float])
    mode: Mode = "dpp"
    promise: Promise | None = None
    embed: Embed = word_vectors

    def __post_init__(self) -> None:
        for creativity in (self.creativity, *self.by_category.values()):
            check_creativity(creativity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """On what terms a run is done.

    Attributes:
        choice: How the copies to keep are chosen.
        at_once: Most requests to the writer under way at the same time.
        budget_usd: Most that a run may cost, see `asking.Purse`; None for no limit.
        stand_in: Writes what the writer leaves unwritten, at whatever cost; None leaves it so.
        progress: Told of every brief that is done, with the copies kept for it.
    """

    choice: Choice = field(default_factory=Choice)
    at_once: int = 1
    budget_usd: float | None = None
    stand_in: Writer | None = None
    progress: Callable[[Brief, Sequence[Copy]], None] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Slate:
    """What came of a run.

    Attributes:
        kept: Copies that passed every guard, as drafts for review, in the order of the briefs.
        rejected: Copies that did not, with their verdicts.
        shortfall: A sentence for every brief that got fewer copies than were wanted.
        notes: A sentence for every brief that another writer filled, and why.
        left: Ids of briefs that the writer was not asked for, or not again, for lack of budget.
        writers: Writer's name → what it did and cost.
        front: What other dials would have made of the drafts that passed, as means over products
            and channels; empty where nothing promised more than another, or nothing was to choose.
    """

    kept: tuple[Copy, ...]
    rejected: tuple[Copy, ...]
    shortfall: tuple[str, ...]
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    writers: Mapping[str, Tally] = field(default_factory=dict[str, Tally])
    front: tuple[FrontPoint, ...] = ()

    @property
    def cost_usd(self) -> float:
        """What all drafts cost, in US dollars."""
        return sum(tally.cost_usd for tally in self.writers.values())


def generate(
    briefs: Sequence[Brief],
    writer: Writer,
    guards: Sequence[Guard],
    *,
    per_brief: int,
    seed: int,
    at: datetime,
    others: Sequence[str] = (),
    terms: Terms | None = None,
) -> Slate:
    """`per_brief` guarded copies for every brief, as far as the writers get there.

    Each brief is asked for up to `ROUNDS` times, `Writer.oversample` times as many drafts as are
    still missing and with a new seed each time; all briefs that lack something are asked for in one
    round. What is kept of those that pass is chosen by `terms.choice`; copy kept before for the
    same product and channel counts as chosen. A draft that repeats another word for word is left
    out without a verdict.

    Args:
        briefs: What to write.
        writer: Who writes.
        guards: Who checks.
        per_brief: Copies wanted for each brief, at least 1.
        seed: The same briefs, writer and seed give the same slate, however many requests are under
            way at once.
        at: UTC time of the run.
        others: Texts of live copy that the new copy stands beside.
        terms: Choice, budget and stand-in; None for the usual ones.

    Raises:
        BadInput: Where `per_brief` is below 1, or a number of the terms is outside its range.
    """
    if per_brief < 1:
        raise BadInput(f"per_brief must be at least 1, not {per_brief}")
    run = _Run(
        guards=guards,
        wanted=per_brief,
        seed=seed,
        at=at,
        others=others,
        terms=terms or Terms(),
    )
    return run.slate([_Job(brief) for brief in briefs], writer)


# --- one run -----------------------------------------------------------------------------------


class _Job:
    """One brief and how far it is."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.passing: list[Copy] = []
        self.pool: list[str] = []
        self.rejected: list[Copy] = []
        self.seen: set[frozenset[str]] = set()
        self.failure = ""
        self.left = False
        self.closed = False
        self.stood_in_for = ""
        self.unaided = ""

    @property
    def place(self) -> tuple[str, str]:
        """Copies of one product on one channel stand beside each other."""
        return self.brief.product.id, self.brief.channel.id


class _Run:
    """One run over all briefs."""

    def __init__(
        self,
        *,
        guards: Sequence[Guard],
        wanted: int,
        seed: int,
        at: datetime,
        others: Sequence[str],
        terms: Terms,
    ) -> None:
        self._guards = guards
        self._wanted = wanted
        self._seed = seed
        self._at = at
        self._others = others
        self._terms = terms
        self._purse = Purse(terms.budget_usd)
        self._seen = {wording_of(text) for text in others}
        self._places: dict[tuple[str, str], list[_Job]] = {}
        self._taken: list[tuple[str, Answer]] = []

    def slate(self, jobs: Sequence[_Job], writer: Writer) -> Slate:
        """All of the run, round by round."""
        for job in jobs:
            self._places.setdefault(job.place, []).append(job)
        for turn in range(ROUNDS):
            pending = [job for job in jobs if not job.closed]
            requests = [self._request(job, turn, writer) for job in pending]
            found = answers(requests, writer, self._purse, at_once=self._terms.at_once)
            for job, answer in zip(pending, found, strict=True):
                self._take(job, answer, writer.name)
                full = len(job.passing) >= self._wanted
                if full or job.failure or job.left or turn == ROUNDS - 1:
                    self._close(job, writer)
        kept = tuple(copy for job in jobs for copy in job.passing)
        short = [job for job in jobs if len(job.passing) < self._wanted]
        return Slate(
            kept=kept,
            rejected=tuple(copy for job in jobs for copy in job.rejected),
            shortfall=tuple(self._shortfall(job) for job in short),
            notes=tuple(self._note(job) for job in jobs if job.stood_in_for),
            left=tuple(job.brief.id for job in jobs if job.left),
            writers=tallies(self._taken, [copy.writer for copy in kept]),
            front=self._front(),
        )

    def _request(self, job: _Job, turn: int, writer: Writer, *salt: str) -> Request:
        """What is still missing for a brief, with a seed of its own."""
        seed = int(content_hash(self._seed, job.brief.id, turn, *salt, size=4), 16)
        missing = self._wanted - len(job.passing)
        return Request(brief=job.brief, n=missing * writer.oversample, seed=seed)

    def _take(self, job: _Job, answer: Answer, asked: str, note: str = "") -> None:
        """Guards what was written, and keeps account of it."""
        self._taken.append((asked, answer))
        job.failure, job.left = answer.failure, not answer.asked
        siblings = [copy.text for each in self._places[job.place] for copy in each.passing]
        seen = self._seen | {wording_of(text) for text in siblings}
        for draft in answer.drafts:
            wording = frozenset(draft.parts.values())
            if wording in seen or wording in job.seen or not storable(draft.parts):
                continue
            job.seen.add(wording)
            noted = replace(draft, note=note or draft.note)
            copy = judged(noted, job.brief, self._guards, [*self._others, *siblings], self._at)
            if copy.status == "draft":
                job.passing.append(copy)
                siblings.append(copy.text)
            else:
                job.rejected.append(copy)

    def _close(self, job: _Job, writer: Writer) -> None:
        """Has the stand-in write what is missing, and chooses what is kept."""
        stand_in = self._terms.stand_in
        if len(job.passing) < self._wanted and stand_in and stand_in.name != writer.name:
            self._stand_in(job, stand_in, self._why(job, writer.name))
        job.pool = [copy.text for copy in job.passing]
        job.passing = self._chosen(job)
        job.closed = True
        if self._terms.progress:
            self._terms.progress(job.brief, job.passing)

    def _stand_in(self, job: _Job, stand_in: Writer, why: str) -> None:
        """Another writer's copies beside those that there are."""
        before, of_writer = len(job.passing), (job.failure, job.left)
        for turn in range(ROUNDS):
            request = self._request(job, turn, stand_in, stand_in.name)
            [answer] = answers([request], stand_in, Purse(None), at_once=1)
            self._take(job, answer, stand_in.name, f"{why}; written by {stand_in.name}")
            if len(job.passing) >= self._wanted or job.failure:
                break
        job.unaided = job.failure or "what it wrote did not pass"
        job.failure, job.left = of_writer
        if len(job.passing) > before:
            job.stood_in_for = why

    def _chosen(self, job: _Job) -> list[Copy]:
        """The copies of a brief that are kept."""
        if len(job.passing) <= self._wanted:
            return job.passing
        passing = _most_as_asked(job.passing, job.brief, self._wanted)
        if len(passing) == self._wanted:
            return passing
        choice, brief = self._terms.choice, job.brief
        beside = [
            copy.text for each in self._places[job.place] if each.closed for copy in each.passing
        ]
        texts = [copy.text for copy in passing]
        vectors = choice.embed([*beside, *texts])
        picked = choose(
            choice.promise(brief, texts) if choice.promise else np.zeros(len(texts)),
            vectors[len(beside) :],
            self._wanted,
            creativity=creativity_of(brief.product.category, choice.creativity, choice.by_category),
            mode=choice.mode,
            beside=vectors[: len(beside)],
        )
        return [passing[place] for place in picked]

    def _front(self) -> tuple[FrontPoint, ...]:
        """What each dial makes of all that passed for one product on one channel."""
        choice = self._terms.choice
        if choice.promise is None:
            return ()
        pools: list[Pool] = []
        counts: list[int] = []
        for jobs in self._places.values():
            texts = [text for job in jobs for text in job.pool]
            count = sum(len(job.passing) for job in jobs)
            if 2 <= count < len(texts):
                promise = choice.promise(jobs[0].brief, texts)
                pools.append(Pool(promise=promise, vectors=choice.embed(texts)))
                counts.append(count)
        return front(pools, min(counts), mode=choice.mode) if pools else ()

    def _why(self, job: _Job, writer: str) -> str:
        """Why a writer left something of a brief unwritten, in words."""
        if job.left:
            return f"{writer} was asked no further, since {self._spent()}"
        if job.failure:
            return f"{writer} failed: {job.failure}"
        if code := _most_common_fault(job.rejected):
            return f"guards rejected what {writer} wrote, most often for {code}"
        return f"{writer} had nothing new to say"

    def _shortfall(self, job: _Job) -> str:
        """What is missing for a brief and why, in words."""
        got = f"{_name(job.brief)}: {len(job.passing)} of {self._wanted} copies."
        code = _most_common_fault(job.rejected)
        if job.left:
            got += f" The writer was asked no further, since {self._spent()}."
        elif job.failure:
            got += f" The writer failed: {job.failure}"
        elif code:
            got += f" {len(job.rejected)} drafts were rejected, most often for {code}."
        else:
            got += " The writer had nothing new to say."
        stand_in = self._terms.stand_in
        if stand_in and job.unaided:
            got = f"{got.rstrip('.')}; {stand_in.name} could not stand in: {job.unaided}"
        return got

    def _note(self, job: _Job) -> str:
        """Who stood in for whom, in words."""
        writers = ", ".join(dict.fromkeys(copy.writer for copy in job.passing))
        return f"{_name(job.brief)}: written by {writers}, for {job.stood_in_for}."

    def _spent(self) -> str:
        return f"the budget of {self._purse.budget_usd or 0:g} USD is spent"


def _name(brief: Brief) -> str:
    return f"{brief.product.title} on {brief.channel.name} for {brief.audience.name}"


def _most_as_asked(copies: Sequence[Copy], brief: Brief, wanted: int) -> list[Copy]:
    """Those that have most of the attributes asked for: as few as make up what is wanted of more.

    Where the last of them has as many as others, these stay too. What is said of an attribute after
    its test holds for copy that has it.
    """
    had = [sum(as_asked(copy.parts, brief).values()) for copy in copies]
    least = sorted(had)[-wanted]
    return [copy for copy, count in zip(copies, had, strict=True) if count >= least]


def _most_common_fault(rejected: Sequence[Copy]) -> str:
    """The code that most drafts were rejected for; empty where none was."""
    faults = Counter(v.code for copy in rejected for v in copy.verdicts if not v.ok)
    return faults.most_common(1)[0][0] if faults else ""
