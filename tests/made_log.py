"""A made-up log as files, and its analysis all at once in memory, by `hookline.stats` alone."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hookline.stats import ALPHA, Moments, floored, relative_lift, scores
from hookline.types import Estimate

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
ARMS, SEGMENTS = ("control", "bold", "warm"), ("new", "old")
CLICKS = np.array([0.10, 0.14, 0.08])


@dataclass(frozen=True, kw_only=True)
class Log:
    """Decisions in order; the arm `warm` is added after a quarter of them."""

    arms: Integers
    probabilities: Array
    segments: Integers
    clicks: Array
    revenue: Array

    def __len__(self) -> int:
        return len(self.arms)


def make_log(n: int, seed: int = 0) -> Log:
    """A log whose policy drifts to `bold`, more so among the old."""
    rng = np.random.default_rng(seed)
    segments = rng.integers(2, size=n)
    bold = 0.2 + 0.3 * np.arange(n) / n + 0.1 * segments
    warm = np.where(np.arange(n) < n // 4, 0.0, 0.15)
    probabilities = np.column_stack([1 - bold - warm, bold, warm])
    arms = (rng.random(n)[:, None] > np.cumsum(probabilities, axis=1)).sum(axis=1)
    clicks = (rng.random(n) < CLICKS[arms]).astype(np.float64)
    paid = clicks * (rng.random(n) < 0.5)
    return Log(
        arms=arms,
        probabilities=probabilities,
        segments=segments,
        clicks=clicks,
        revenue=np.round(paid * rng.gamma(4.0, 10.0, size=n), 2),
    )


def lines(log: Log, *, alone: bool = False) -> list[dict[str, object]]:
    """One row a decision; with the served arm's propensity alone if asked."""
    rows: list[dict[str, object]] = []
    for i, arm in enumerate(log.arms.tolist()):
        shares = log.probabilities[i].tolist()
        known = {"propensity": shares[arm]} if alone else _wide(shares)
        rows.append(
            {
                "at": f"2026-01-{1 + i // 86_400:02}T{i // 3600 % 24:02}:{i // 60 % 60:02}:"
                f"{i % 60:02}Z",
                "arm": ARMS[arm],
                **known,
                "segment": SEGMENTS[log.segments[i]],
                "clicks": int(log.clicks[i]),
                "revenue": float(log.revenue[i]),
            }
        )
    return rows


def write(path: Path, rows: list[dict[str, object]]) -> str:
    """The rows as JSON lines, or as CSV by the file's name."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        names = list(rows[0])
        body = [",".join(str(row.get(name, "")) for name in names) for row in rows]
        path.write_text("\n".join([",".join(names), *body]) + "\n")
    return str(path)


def in_memory(log: Log, rewards: Array, arm: int, horizon: float) -> Estimate:
    """The arm's lift over the control from all rows at once, as the report computes it."""
    psi = scores(rewards, log.arms, log.probabilities, log.segments)[:, [arm, 0]]
    rows = ~np.isnan(psi).any(axis=1)
    noise = np.diag((1 / log.probabilities[rows][:, [arm, 0]]).sum(axis=0))
    served = log.arms[rows & (rewards != 0)]
    return relative_lift(
        floored(Moments.of(psi[rows]), noise, Moments.of(rewards[rows, None])),
        events=int(min((served == arm).sum(), (served == 0).sum())),
        horizon=horizon,
        alpha=ALPHA / (len(ARMS) - 1),
    )


def _wide(shares: list[float]) -> dict[str, object]:
    return {f"p_{name}": share for name, share in zip(ARMS, shares, strict=True)}
