"""What an analysis of a long log asks, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookline.errors import BadInput
from hookline.types import Estimate

HORIZON = 10_000
"""Decisions a test is taken to have been planned for, as an experiment's own horizon is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """How a log is to be read, and what is asked of it.

    Attributes:
        control: The arm the others are compared with; the arm named `control` if empty.
        columns: Role (see `columns.ROLES`) → the column that plays it, where it has another name.
        numbers: Further columns to analyse, any numbers, beside `columns.METRICS`.
        where: SQL condition on the rows to read; all of them if empty.
        horizon: Decisions the test was planned for; set before the first look, or never peek.
        holdout: Share of traffic that always got the control, 0 to below 1.
        uniform: Share of traffic that got every arm equally often.
        sort: Put rows in order of time first; otherwise they must be in it.

    Raises:
        BadInput: Where a number is out of its range.
    """

    control: str = ""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    numbers: tuple[str, ...] = ()
    where: str = ""
    horizon: int = HORIZON
    holdout: float = 0.0
    uniform: float = 0.0
    sort: bool = False

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise BadInput(f"the horizon must be 1 decision or more, not {self.horizon}")
        slices = (self.holdout, self.uniform)
        if not (min(slices) >= 0 and sum(slices) < 1):
            raise BadInput("hold-out and uniform share must be 0 or more and leave some traffic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """What an analysis may use of the machine.

    Attributes:
        memory: Most that DuckDB keeps in memory, for example `1GB`; beyond it, it uses the disk.
        threads: Threads that DuckDB reads with.
        batch: Most numbers in one matrix of a batch, decisions times arms.
    """

    memory: str = "1GB"
    threads: int = 2
    batch: int = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmAnswer:
    """One arm under one metric.

    Attributes:
        value: Per decision, corrected for adaptive allocation, at an error of 5 %.
        lift: Relative to the control (.1 is +10 %), at 5 % over the number of challengers.
    """

    value: Estimate
    lift: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyAnswer:
    """What the policy was worth under one metric.

    Attributes:
        value: Of the policy's own choices, per decision.
        lift: Relative to the control for all.
        over_uniform: Relative to every arm equally often.
        gain: What was served, less what the control for all would have given; the sum.
    """

    value: Estimate
    lift: Estimate
    over_uniform: Estimate
    gain: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricAnswer:
    """Everything about one metric.

    Attributes:
        n: Decisions it rests on: drawn, shown, its value logged.
        total: Sum of the metric over them; None where it can't be told.
        arms: Arm → its answer.
        policy: The policy's.
        segments: Segment → arm → relative lift, at 5 % over challengers times segments.
        reason: Why there is no answer at all; empty otherwise.
    """

    n: int
    total: float | None
    arms: Mapping[str, ArmAnswer]
    policy: PolicyAnswer
    segments: Mapping[str, Mapping[str, Estimate]]
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitAnswer:
    """Whether arms were served as often as they were drawn; if not, trust nothing else.

    Attributes:
        n: Decisions tested.
        p_value: Of `stats.sample_ratio`, valid at every look; None where it can't be told, or
            where only the served arm's propensity is logged.
        flagged: Whether the split is wrong; None where it can't be told.
        observed: Arm → decisions.
        expected: Arm → decisions due by the logged probabilities; empty where unknown.
        reason: Why it can't be told, or how it was told without all probabilities.
    """

    n: int
    p_value: float | None
    flagged: bool | None
    observed: Mapping[str, int]
    expected: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What stood in the log when it was that long.

    Attributes:
        rows: Rows read.
        at: Time of the last, in seconds since 1970 or whatever numbers the log has; None if it
            has no times.
        lift: Metric → arm → relative lift over the control.
        policy: Metric → relative lift of the policy over the control.
        split: Whether the split was flagged.
    """

    rows: int
    at: float | None
    lift: Mapping[str, Mapping[str, Estimate]]
    policy: Mapping[str, Estimate]
    split: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogAnswer:
    """The analysis of a log.

    Attributes:
        rows: Rows read.
        left_out: Why rows were left out of every estimate → how many.
        control: The arm the others are compared with.
        decisions: Arm → decisions that drew it.
        metrics: Metric → its answer at the end of the log.
        split: The sample-ratio test at the end of the log.
        looks: The answer on the way: at 1,000 rows, 2,000, 4,000 … and at the end.
    """

    rows: int
    left_out: Mapping[str, int]
    control: str
    decisions: Mapping[str, int]
    metrics: Mapping[str, MetricAnswer]
    split: SplitAnswer
    looks: tuple[Look, ...]
