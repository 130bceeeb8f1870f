"""From one metric's cells to its estimates: the figures of `report.evidence`, over cells."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hookline.bulk.batch import Array, Flags
from hookline.bulk.cells import Cell, Cells
from hookline.bulk.result import ArmAnswer, MetricAnswer, PolicyAnswer
from hookline.stats import ALPHA, mean_estimate, relative_lift, total_estimate, unknown
from hookline.types import Estimate

Weigh = Callable[[Flags], Array | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One metric as far as the log has been read.

    Attributes:
        cells: Its scores.
        arms: Names of the arms.
        segments: Names of the segments.
        control: Index of the control.
        horizon: Decisions the test was planned for.
        limits: Values an arm's mean can take.
        total: Sum of the metric.
        n: Decisions it rests on.
        fits: Whether the policy's own probabilities could be told from what is logged.
        reason: Why nothing can be said of it; empty otherwise.
    """

    cells: Cells
    arms: tuple[str, ...]
    segments: tuple[str, ...]
    control: int
    horizon: int
    limits: tuple[float, float]
    total: float
    n: int
    fits: bool
    reason: str

    @property
    def arm_alpha(self) -> float:
        """Bonferroni: the chance of error one challenger may spend, so that all keep `ALPHA`."""
        return ALPHA / max(len(self.arms) - 1, 1)


def metric_answer(asked: Asked) -> MetricAnswer:
    """The metric's answer so far, each figure at every look."""
    segments = asked.segments if len(asked.segments) > 1 else ()
    alpha = asked.arm_alpha / max(len(segments), 1)
    return MetricAnswer(
        n=asked.n,
        total=None if asked.reason else asked.total,
        arms={name: _arm(asked, arm) for arm, name in enumerate(asked.arms)},
        policy=_policy(asked),
        segments={
            segment: {
                name: _lift(asked, arm, alpha, place)
                for arm, name in enumerate(asked.arms)
                if arm != asked.control
            }
            for place, segment in enumerate(segments)
        },
        reason=asked.reason,
    )


def _arm(asked: Asked, arm: int) -> ArmAnswer:
    """An arm's value on the decisions that could have gone to it or to the control, and its lift.

    As in the report, where both rest on the same decisions.
    """
    lift = (
        unknown(asked.n, asked.reason or "this is the control")
        if arm == asked.control
        else _lift(asked, arm, asked.arm_alpha, None)
    )
    cell = asked.cells.pool(_both(asked, arm))
    if asked.reason or cell is None:
        return ArmAnswer(value=unknown(0, asked.reason or _NEVER), lift=lift)
    value = mean_estimate(
        cell.moments.column(0),
        events=int(cell.events[arm]),
        horizon=asked.horizon,
        limits=asked.limits,
    )
    return ArmAnswer(value=value, lift=lift)


def _lift(asked: Asked, arm: int, alpha: float, segment: int | None) -> Estimate:
    """The arm's relative lift over the control, in one segment if one is named."""
    cell = asked.cells.pool(_both(asked, arm), segment)
    if asked.reason or cell is None:
        return unknown(0, asked.reason or _NEVER)
    events = int(min(cell.events[arm], cell.events[asked.control]))
    return relative_lift(cell.moments, events=events, horizon=asked.horizon, alpha=alpha)


_NEVER = "no decision could have gone to either arm"


def _policy(asked: Asked) -> PolicyAnswer:
    """What the policy was worth, on the decisions that could have gone to the control."""
    count = len(asked.arms)
    chosen, served = np.eye(count + 2)[count:]
    always = np.eye(count + 2)[asked.control]
    own = asked.cells.pool(_with_control(asked, np.array([chosen, always])))
    gain = asked.cells.pool(_with_control(asked, (served - always)[None]))
    spread = asked.cells.pool(lambda available: np.array([chosen, _evenly(available)]))
    reason = asked.reason or ("" if count > 1 else "there is only one arm")
    if reason or own is None or gain is None or spread is None:
        missing = unknown(0, reason or "no decision could have gone to the control")
        return PolicyAnswer(value=missing, lift=missing, over_uniform=missing, gain=missing)
    total = total_estimate(gain.moments, events=_sides(asked, gain), horizon=asked.horizon)
    if not asked.fits:
        missing = unknown(0, "the logged probabilities do not fit the shares of the slices")
        return PolicyAnswer(value=missing, lift=missing, over_uniform=missing, gain=total)
    events = _sides(asked, own)
    return PolicyAnswer(
        value=mean_estimate(
            own.moments.column(0),
            events=int(own.events.sum()),
            horizon=asked.horizon,
            limits=asked.limits,
        ),
        lift=relative_lift(own.moments, events=events, horizon=asked.horizon, alpha=ALPHA),
        over_uniform=relative_lift(
            spread.moments, events=int(spread.events.sum()), horizon=asked.horizon, alpha=ALPHA
        ),
        gain=total,
    )


def _both(asked: Asked, arm: int) -> Weigh:
    """The arm and the control, where a decision could have gone to either."""
    weights = np.eye(len(asked.arms) + 2)[[arm, asked.control]]
    return lambda available: weights if available[arm] and available[asked.control] else None


def _with_control(asked: Asked, weights: Array) -> Weigh:
    return lambda available: weights if available[asked.control] else None


def _evenly(available: Flags) -> Array:
    """Every arm that could be drawn as often as any other, shape (K + 2,)."""
    return np.append(available / max(available.sum(), 1), [0.0, 0.0])


def _sides(asked: Asked, cell: Cell) -> int:
    """Events on the poorer side: the control, or all other arms."""
    control = int(cell.events[asked.control])
    return min(control, int(cell.events.sum()) - control)
