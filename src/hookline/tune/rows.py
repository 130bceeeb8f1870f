"""From tests to rows: what won, which of two is better, what was clicked and what was not.

A row says something only where the evidence does (`Terms`), and as loudly as the evidence does:
its weight. Rows name tests, strata and copies; they hold nothing about any visitor.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypedDict

import numpy as np

from hookline.errors import BadInput, Refused
from hookline.prompts import Prompt, load
from hookline.stats import effective_sample
from hookline.tune.asked import answer, question
from hookline.tune.logged import LoggedTest, Terms
from hookline.tune.strata import Findings, Stratum, study
from hookline.types import Arm
from hookline.writers.dialogue import Message

Kind = Literal["sft", "pairs", "unpaired"]

WITHDRAWN: Final = "the line is no longer approved, or was taken out of its test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What all rows have.

    Attributes:
        prompt: System and user message.
        weight: How much the row counts, above 0.
        stratum: Id of the stratum whose visitors say so.
        test_id: The experiment.
        product_id: What it sells; the id that its variants share where it has some.
        copy_ids: The lines in it, in the order in which they stand there.
    """

    prompt: tuple[Message, ...]
    weight: float
    stratum: str
    test_id: str
    product_id: str
    copy_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Won(Row):
    """A line that is likely better than the control; its weight is 2 · P(better) − 1."""

    completion: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair(Row):
    """Two lines of one stratum, one likely better; the weight is 2 · P(better) − 1."""

    chosen: str
    rejected: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpaired(Row):
    """A line with those who did what the test is about (`label`), or with those who did not.

    Weights are proportional to how many of the stratum's visitors would have, had all of them seen
    the line. Over all rows, both labels have the same weight in all, and its mean is 1.
    """

    completion: str
    label: bool


AnyRow = Won | Pair | Unpaired


@dataclass(frozen=True, kw_only=True, slots=True)
class Harvest:
    """The rows of several tests.

    Attributes:
        kind: Of which kind they are.
        rows: Test by test, stratum by stratum.
        strata: Every stratum, also those that gave no row.
        left_out: Why something gave no row → how often.
        set_aside: Visitors who click like machines, over all tests.
    """

    kind: Kind
    rows: tuple[AnyRow, ...]
    strata: tuple[Stratum, ...]
    left_out: Mapping[str, int]
    set_aside: int

    @property
    def effective(self) -> float:
        """How many equally weighted rows the rows are worth."""
        return effective_rows(self.rows)

    def of_stratum(self, stratum_id: str) -> list[AnyRow]:
        """The rows of one stratum."""
        return [row for row in self.rows if row.stratum == stratum_id]


def effective_rows(rows: Sequence[Row]) -> float:
    """How many equally weighted rows would say as much: Kish's effective sample of the weights."""
    return effective_sample(np.array([row.weight for row in rows], dtype=np.float64))


def harvest(
    tests: Sequence[LoggedTest],
    kind: Kind,
    *,
    terms: Terms | None = None,
    prompt: Prompt | None = None,
) -> Harvest:
    """The rows of one kind that the tests give.

    Args:
        tests: Each once.
        kind: `sft` for lines that are likely better than their control, `pairs` for which of two
            lines is better, `unpaired` for clicked and not clicked.
        terms: When evidence is enough; the defaults if None.
        prompt: What writers are asked with; the prompt that ships if None.

    Raises:
        BadInput: Where no test or one test twice is given, or a test's objective is money and rows
            are to be unpaired: money is not clicked or not.
        Refused: Where the rows are worth fewer than `Terms.least_rows`, with the reasons.
    """
    terms, prompt = terms or Terms(), prompt or load("write_copy")
    _check(tests, kind)
    left_out: Counter[str] = Counter()
    found = [(logged, study(logged, terms)) for logged in tests]
    rows: list[AnyRow] = []
    for logged, findings in found:
        left_out.update(_silent(logged, findings))
        for stratum in findings.strata:
            rows += _rows(kind, _Field(logged, stratum, prompt, left_out), terms)
    rows = _balanced(rows)
    made = Harvest(
        kind=kind,
        rows=tuple(rows),
        strata=tuple(stratum for _, findings in found for stratum in findings.strata),
        left_out=dict(left_out),
        set_aside=sum(findings.set_aside for _, findings in found),
    )
    if made.effective < terms.least_rows:
        raise Refused(_too_little(made, terms))
    return made


def _check(tests: Sequence[LoggedTest], kind: Kind) -> None:
    ids = [logged.experiment.id for logged in tests]
    if not ids or len(set(ids)) < len(ids):
        raise BadInput("name at least one experiment, and each of them once")
    money = [each.experiment.id for each in tests if each.experiment.objective == "revenue"]
    if kind == "unpaired" and money:
        raise BadInput(f"{money[0]} is about money, which has no yes or no; ask for pairs or sft")


def _silent(logged: LoggedTest, findings: Findings) -> Iterator[str]:
    """Why the test, or a part of it, says nothing."""
    name = logged.experiment.id
    if findings.reason:
        yield f"{name}: {findings.reason}"
    for arm_id, why in findings.doubtful.items():
        yield f"{name}: line {arm_id}: {why}"


class _Common(TypedDict):
    """The fields that all rows have."""

    prompt: tuple[Message, ...]
    weight: float
    stratum: str
    test_id: str
    product_id: str
    copy_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    """One stratum while rows are made of it."""

    logged: LoggedTest
    stratum: Stratum
    prompt: Prompt
    left_out: Counter[str]

    def arm(self, arm_id: str) -> Arm:
        return next(arm for arm in self.logged.experiment.arms if arm.id == arm_id)

    def stands(self, arm_id: str) -> bool:
        """Whether the line may be an example; it is counted where not."""
        fine = arm_id in self.logged.exemplary
        if not fine:
            self.left_out[WITHDRAWN] += 1
        return fine

    def common(self, weight: float, *arms: Arm) -> _Common:
        """What a row about the lines has; attributes are asked for where all have the same."""
        asked = arms[0].attributes
        if any(arm.attributes != asked for arm in arms):
            asked = None
        product = self.logged.product
        return {
            "prompt": question(self.logged, self.stratum.audience_id, asked, self.prompt),
            "weight": weight,
            "stratum": self.stratum.id,
            "test_id": self.stratum.test_id,
            "product_id": product.group_id or product.id,
            "copy_ids": tuple(arm.id for arm in arms),
        }


def _rows(kind: Kind, field: _Field, terms: Terms) -> Iterator[AnyRow]:
    """The rows of one stratum."""
    if field.stratum.short:
        why = f"a line has fewer than {terms.least_visitors:g} effective visitors in a stratum"
        field.left_out[why] += field.stratum.short
    if kind == "unpaired":
        yield from _unpaired(field)
        return
    control = field.logged.experiment.control.id
    unsure = f"which of two lines is better is less than {terms.least_chance:.0%} sure"
    for (better, worse), chance in field.stratum.chances.items():
        if chance < 0.5 or (kind == "sft" and control not in {better, worse}):
            continue
        if chance < terms.least_chance:
            field.left_out[unsure] += 1
        elif kind == "sft" and better == control:
            field.left_out["the control is likely better than the line"] += 1
        elif field.stands(better):
            arms = (field.arm(better), field.arm(worse))
            yield (_won if kind == "sft" else _pair)(field, *arms, 2 * chance - 1)


def _won(field: _Field, better: Arm, _control: Arm, weight: float) -> Won:
    return Won(**field.common(weight, better), completion=answer(better))


def _pair(field: _Field, better: Arm, worse: Arm, weight: float) -> Pair:
    common = field.common(weight, better, worse)
    return Pair(**common, chosen=answer(better), rejected=answer(worse))


def _unpaired(field: _Field) -> Iterator[Unpaired]:
    """Both sides of every line, where there are two lines to tell apart."""
    stratum = field.stratum
    if len(stratum.lines) < 2:
        return
    for line in stratum.lines:
        arm = field.arm(line.arm_id)
        would = stratum.visitors * min(max(line.value, 0.0), 1.0)
        if would > 0 and field.stands(arm.id):
            yield Unpaired(**field.common(would, arm), completion=answer(arm), label=True)
        if would < stratum.visitors:
            others = stratum.visitors - would
            yield Unpaired(**field.common(others, arm), completion=answer(arm), label=False)


def _balanced(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """The rows with unpaired ones' weights balanced: half for each label, 1 on average."""
    totals: dict[bool, float] = {}
    for row in rows:
        if isinstance(row, Unpaired):
            totals[row.label] = totals.get(row.label, 0.0) + row.weight
    return [
        replace(row, weight=row.weight * len(rows) / len(totals) / totals[row.label])
        if isinstance(row, Unpaired)
        else row
        for row in rows
    ]


def _too_little(made: Harvest, terms: Terms) -> str:
    """What is missing and why, in one line."""
    reasons = sorted(made.left_out.items(), key=lambda one: -one[1])
    why = "; ".join(f"{count:,} × {reason}" for reason, count in reasons) or (
        "no stratum has two lines with enough visitors"
    )
    return (
        f"{len(made.rows)} rows worth {made.effective:.1f} effective ones, fewer than the "
        f"{terms.least_rows:g} it takes. Why there are not more: {why}. Name more experiments, or "
        "wait for more visitors."
    )
