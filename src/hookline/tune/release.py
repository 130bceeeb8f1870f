"""The release gate: a new writer beside the incumbent, on products that neither was tuned on.

    products held out → a slate of briefs each → both writers → guards and measures
    → paired differences by product, each with an interval → a verdict on every measure

What passes is a *challenger*, no more: whether its copy sells is for tests to say. Each measure has
a margin, the most that the new writer may be shown to lose there. It passes only where the whole
95 % interval lies above that, so that a wrong release takes an error of 2.5 % or less on every
measure that is in truth worse, and no correction for their number is needed: all must hold
(Berger 1982, "Multiparameter Hypothesis Testing and Acceptance Sampling", Technometrics 24).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan, nan
from typing import ClassVar, Final, Literal

import numpy as np

from hookline.attributes.design import design
from hookline.brief import make_brief
from hookline.diversity import (
    Array,
    Vectors,
    compression_ratio,
    off_diagonal,
    self_bleu,
    self_repetition,
    word_vectors,
)
from hookline.diversity import vendi as effective_texts
from hookline.errors import BadInput, Refused, WriterFailed
from hookline.generate import Embed, Promise, generate
from hookline.guards import Guard, check_all
from hookline.recognise import as_asked
from hookline.sentiment import missed_by
from hookline.stats.ope import OneLook
from hookline.tune.export import is_held_out
from hookline.types import (
    Attributes,
    Audience,
    Brand,
    Brief,
    Channel,
    Draft,
    Estimate,
    Product,
    content_hash,
)
from hookline.writers.base import Writer

SLATE: Final = 8
"""Copies of a slate."""
TARGETS: Final = (0.0, 0.3, 0.6)
"""Feelings that are asked for, from even to glad, see `sentiment.score`."""
LEAST_PRODUCTS: Final = 5
"""Products below which an interval over them says nothing."""
OVERSAMPLE: Final = 4
"""Drafts that either writer is asked for per copy, whatever it is asked for elsewhere."""
_DRAFTS: Final = SLATE * OVERSAMPLE

Verdict = Literal["holds", "worse", "not shown", "not counted"]
"""Not worse than the margin allows; proven to be; neither is proven; or not judged at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """Something that a new writer may not lose.

    Attributes:
        name: Short name.
        says: What it is, in words.
        sign: 1 where more is better, -1 where less is.
        margin: What the new writer may be worse by, at least 0. At 0 it has to be better.
        answers: Yes-or-no answers in one product's value; 0 where it is no share of such.
    """

    name: str
    says: str
    sign: Literal[1, -1]
    margin: float
    answers: int = 0


MEASURES: Final = (
    Measure(
        name="passed",
        says="first drafts that every guard passes",
        sign=1,
        margin=0.01,
        answers=_DRAFTS,
    ),
    Measure(
        name="claims",
        says="first drafts that claim what the feed does not carry",
        sign=-1,
        margin=0.005,
        answers=_DRAFTS,
    ),
    Measure(name="cta", says="calls as asked for", sign=1, margin=0.02, answers=_DRAFTS),
    Measure(
        name="attributes", says="attributes as asked for", sign=1, margin=0.02, answers=6 * _DRAFTS
    ),
    Measure(name="sentiment", says="distance from the feeling asked for", sign=-1, margin=0.03),
    Measure(name="off_diagonal", says="diversity of a slate's meanings", sign=1, margin=0.03),
    Measure(name="vendi", says="effective number of texts in a slate", sign=1, margin=0.3),
    Measure(name="self_bleu", says="likeness of a slate's words", sign=-1, margin=0.04),
    Measure(name="compression_ratio", says="likeness of its bytes", sign=-1, margin=0.06),
    Measure(name="self_repetition", says="runs of words that repeat", sign=-1, margin=0.2),
    Measure(name="promise", says="predicted conversion, log ratio", sign=1, margin=0.0),
)
"""What is measured, in the order of the report. The last one has to rise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What both writers are asked about one product.

    Attributes:
        product_id: The product; the id that its variants share where it has some.
        slate: Briefs of one channel and audience, attributes by design.
        feelings: Briefs that ask for a feeling, one for each of `TARGETS`.
    """

    product_id: str
    slate: tuple[Brief, ...]
    feelings: tuple[Brief, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """How the two did by one measure.

    Attributes:
        name: Of the measure, likewise `says`, `margin`.
        says: What it is, in words.
        incumbent: Mean over products; None where it has no answer.
        new: The same for the new writer.
        difference: New less incumbent, by product, with a 95 % interval for one look; `n` counts
            products.
        margin: What the new writer may be worse by.
        verdict: What follows.
    """

    name: str
    says: str
    incumbent: float | None
    new: float | None
    difference: Estimate
    margin: float
    verdict: Verdict

    @property
    def fails(self) -> bool:
        """Whether it stands against a release."""
        return self.verdict in {"worse", "not shown"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """How two writers are compared.

    Attributes:
        guards: Who checks.
        promise: Foretells conversion. It must have been fitted on other data than the new writer
            was tuned by: a predictor that was optimised has nothing left to say. It has no part in
            which drafts are kept, so that neither writer is flattered by it.
        embed: Says what copies are about; by their words unless told otherwise.
        seed: The same tasks, writers and seed give the same figures, where writers are able to.
        measures: What is measured.
        progress: Told of every task that is done.
    """

    guards: Sequence[Guard]
    promise: Promise
    embed: Embed = word_vectors
    seed: int = 0
    measures: Sequence[Measure] = MEASURES
    progress: Callable[[Task], None] | None = None

    def compare(
        self, new: Writer, incumbent: Writer, tasks: Sequence[Task], *, at: datetime
    ) -> tuple[Figure, ...]:
        """How the new writer did beside the incumbent, measure by measure.

        Args:
            new: The writer that is to be released.
            incumbent: The writer that it is to replace.
            tasks: What to ask; products count alike, and are taken to be drawn alike.
            at: UTC time.

        Raises:
            Refused: Where the tasks are about fewer than `LEAST_PRODUCTS` products.
        """
        products = len({task.product_id for task in tasks})
        if products < LEAST_PRODUCTS:
            raise Refused(
                f"{products} products are too few to compare writers on; it takes {LEAST_PRODUCTS}"
            )
        marks: list[tuple[Mapping[str, float], Mapping[str, float]]] = []
        for task in tasks:
            own, rival = self._answered(new, task, at), self._answered(incumbent, task, at)
            marks.append(self._marks(task, own, rival))
            if self.progress:
                self.progress(task)
        return tuple(self._figure(measure, tasks, marks) for measure in self.measures)

    def _answered(self, writer: Writer, task: Task, at: datetime) -> "_Answers":
        """What the writer makes of a task."""
        heard = _Overheard(writer)
        slate = generate(task.slate, heard, self.guards, per_brief=1, seed=self.seed, at=at)
        felt: dict[str, str] = {}
        for brief in task.feelings:
            seed = int(content_hash(self.seed, brief.id, size=4), 16)
            try:
                drafts = writer.write(brief, 1, seed)
            except WriterFailed:
                continue
            if drafts:
                felt[brief.id] = _text(drafts[0])
        kept = {copy.brief_id: copy.text for copy in slate.kept}
        return _Answers(first=heard.first, kept=kept, felt=felt)

    def _marks(
        self, task: Task, new: "_Answers", incumbent: "_Answers"
    ) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Measure → mark of the incumbent and of the new writer; nan where there is none.

        Slates and feelings are compared on the briefs that both have an answer to, so that slates
        are of one size; what a writer leaves unwritten counts against it among first drafts.
        """
        both = [b for b in task.slate if b.id in new.kept and b.id in incumbent.kept]
        felt = [b for b in task.feelings if b.id in new.felt and b.id in incumbent.felt]
        old, own = (
            self._of_drafts(task, each.first)
            | self._of_slate([(b, each.kept[b.id]) for b in both])
            | _of_feelings([(b, each.felt[b.id]) for b in felt])
            for each in (incumbent, new)
        )
        return old, own

    def _of_drafts(self, task: Task, first: Mapping[str, Sequence[Draft]]) -> dict[str, float]:
        """Marks of all that was written at the first request, as it was written.

        A brief without a draft has passed nothing, claimed nothing and done nothing as asked.
        """
        rows: list[tuple[float, float, float, float]] = []
        for brief in task.slate:
            told = [self._of_draft(draft, brief) for draft in first.get(brief.id, ())]
            passed, claims, cta, share = np.mean(told, axis=0).tolist() if told else (0.0,) * 4
            rows.append((passed, claims, cta, share))
        means: list[float] = np.mean(rows, axis=0).tolist()
        return dict(zip(("passed", "claims", "cta", "attributes"), means, strict=True))

    def _of_draft(self, draft: Draft, brief: Brief) -> tuple[float, float, float, float]:
        """Whether it passes, claims too much, calls as asked, and its share of attributes."""
        wrong = {v.guard for v in check_all(self.guards, draft.parts, brief) if not v.ok}
        agreed = as_asked(draft.parts, brief)
        share = sum(agreed.values()) / len(agreed)
        return float(not wrong), float("claims" in wrong), float(agreed["cta"]), share

    def _of_slate(self, copies: Sequence[tuple[Brief, str]]) -> dict[str, float]:
        """Marks of the copies kept; a slate of one text has no diversity."""
        texts = [text for _, text in copies]
        promised = float(np.mean(self.promise(copies[0][0], texts))) if texts else nan
        if len(texts) < 2:
            return {"promise": promised}
        vectors: Vectors = self.embed(texts)
        return {
            "promise": promised,
            "off_diagonal": off_diagonal(vectors),
            "vendi": effective_texts(vectors),
            "self_bleu": self_bleu(texts),
            "compression_ratio": compression_ratio(texts),
            "self_repetition": self_repetition(texts),
        }

    def _figure(
        self,
        measure: Measure,
        tasks: Sequence[Task],
        marks: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
    ) -> Figure:
        """The figure of one measure, products counting alike."""
        by_product: dict[str, list[tuple[float, float]]] = {}
        for task, (old, new) in zip(tasks, marks, strict=True):
            pair = old.get(measure.name, nan), new.get(measure.name, nan)
            if not isnan(sum(pair)):
                by_product.setdefault(task.product_id, []).append(pair)
        pairs = np.array([np.mean(own, axis=0) for own in by_product.values()]).reshape(-1, 2)
        difference = paired(pairs[:, 1] - pairs[:, 0], seed=self.seed, answers=measure.answers)
        means: list[float | None] = pairs.mean(axis=0).tolist() if len(pairs) else [None, None]
        return Figure(
            name=measure.name,
            says=measure.says,
            incumbent=means[0],
            new=means[1],
            difference=difference,
            margin=measure.margin,
            verdict=verdict_on(difference, measure),
        )


def tasks_of(
    products: Sequence[Product],
    *,
    channels: Sequence[Channel],
    audiences: Sequence[Audience],
    brand: Brand,
    most: int,
    seed: int,
) -> tuple[Task, ...]:
    """A task for each of the products that are held out, channels and audiences in turn.

    Args:
        products: The catalog; of variants one is taken.
        channels: At least one; where to write for.
        audiences: At least one; whom to write for.
        brand: How copy must sound.
        most: Most products, at least 1.
        seed: Which products where there are more, which variants, and the attributes.

    Raises:
        BadInput: Where channels or audiences are missing, or no product is held out.
    """
    if not (channels and audiences and most >= 1):
        raise BadInput("name at least one channel, one audience and one product to write for")
    order = sorted(products, key=lambda each: content_hash(seed, each.id))
    groups = {each.group_id or each.id: each for each in order}
    chosen = [(key, each) for key, each in groups.items() if is_held_out(key)][:most]
    if not chosen:
        raise BadInput(
            f"none of {len(groups)} products is held out, so there is nothing new to write about; "
            "import more of the catalog"
        )
    places = [(channel, audience) for audience in audiences for channel in channels]
    return tuple(
        task_of(product, *places[number % len(places)], brand, seed=seed)
        for number, (_, product) in enumerate(chosen)
    )


def task_of(
    product: Product, channel: Channel, audience: Audience, brand: Brand, *, seed: int
) -> Task:
    """The task of one product on one channel for one audience."""
    group = product.group_id or product.id
    own = int(content_hash(seed, group, size=4), 16)
    cells = design(audience, SLATE, own)

    def brief(cell: Attributes, target: float | None = None) -> Brief:
        return make_brief(
            product=product,
            audience=audience,
            channel=channel,
            brand=brand,
            attributes=cell,
            sentiment=target,
        )

    return Task(
        product_id=group,
        slate=tuple(brief(cell) for cell in cells),
        feelings=tuple(brief(cell, target) for cell, target in zip(cells, TARGETS, strict=False)),
    )


def paired(differences: Array, *, seed: int, answers: int = 0) -> Estimate:
    """The mean difference with a 95 % interval over products, for one look.

    It is the bootstrap over products (`OneLook`), each with all that was written about it. Where a
    product's value is a share of yes-or-no answers, two made-up products go in whose differences
    are one answer either way, as Agresti and Caffo (2000, The American Statistician 54) add a
    success and a failure to each side: else a fault that a hundred drafts did not show would be
    taken for impossible.

    Args:
        differences: One of each product, shape (products,).
        seed: Of the resampling.
        answers: Answers in one product's value; 0 where it is no share.
    """
    count = len(differences)
    if count < LEAST_PRODUCTS:
        reason = f"{count} products have an answer of both, fewer than {LEAST_PRODUCTS}"
        return Estimate(estimate=None, low=None, high=None, n=count, reason=reason)
    doubt = [1 / answers, -1 / answers] if answers else []
    look = OneLook(rng=np.random.default_rng(seed))
    low, high = look.bounds(np.append(differences, doubt), None, float(count))
    return Estimate(estimate=float(differences.mean()), low=low, high=high, n=count)


def verdict_on(difference: Estimate, measure: Measure) -> Verdict:
    """What the difference means for a release."""
    if difference.low is None or difference.high is None:
        return "not shown"
    ends = difference.low * measure.sign, difference.high * measure.sign
    if min(ends) > -measure.margin:
        return "holds"
    return "worse" if max(ends) < -measure.margin else "not shown"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answers:
    """What one writer made of a task, by the id of the brief."""

    first: Mapping[str, Sequence[Draft]] = field(default_factory=dict[str, Sequence[Draft]])
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    felt: Mapping[str, str] = field(default_factory=dict[str, str])


class _Overheard(Writer):
    """A writer whose answers to first requests are noted."""

    name: ClassVar[str] = "overheard"
    oversample: ClassVar[int] = OVERSAMPLE

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.first: dict[str, tuple[Draft, ...]] = {}

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """As the writer itself."""
        is_first = brief.id not in self.first
        self.first.setdefault(brief.id, ())
        drafts = self._writer.write(brief, n, seed)
        if is_first:
            self.first[brief.id] = drafts
        return drafts


def _of_feelings(lines: Sequence[tuple[Brief, str]]) -> dict[str, float]:
    """How far the lines are from the feeling asked for."""
    missed = [missed_by(text, brief.locale, brief.sentiment) for brief, text in lines]
    return {"sentiment": float(np.mean(missed)) if missed else nan}


def _text(draft: Draft) -> str:
    return " | ".join(draft.parts.values())
