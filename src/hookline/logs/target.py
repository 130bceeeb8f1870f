"""Which policy a log is asked about: its probabilities of every arm, row by row."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from hookline.errors import BadInput
from hookline.logs.lines import opened
from hookline.logs.record import Array, PolicyLog
from hookline.stats.estimate import MIN_EVENTS


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Target:
    """A policy to evaluate.

    Attributes:
        words: What it is, in words.
        first: First row of the log it is evaluated on; what comes before chose it.
        probabilities: Of every arm on the rows from `first`, shape (n - first, K).
    """

    words: str
    first: int = 0
    probabilities: Array


def choose_target(log: PolicyLog, policy: str) -> Target:
    """The policy of that name, or of that file.

    Args:
        log: What it is to be evaluated on.
        policy: `uniform`; `best`; or a file with the probabilities of K arms, once for all rows or
            for each row: JSON (a list of numbers or of lists) or a NumPy array (.npy).

    Raises:
        BadInput: Where the log or the file has no such policy.
    """
    if policy == "uniform":
        return uniform(log)
    return best(log) if policy == "best" else from_file(log, Path(policy))


def uniform(log: PolicyLog) -> Target:
    """Every arm of the row as often as any other."""
    there = np.arange(log.arm_count) < log.choices[:, None]
    return Target(words="every arm as often", probabilities=there / log.choices[:, None])


def best(log: PolicyLog) -> Target:
    """For everyone the arm that earned most in the first half of the log.

    Most by `snips`, among arms with `MIN_EVENTS` rewards other than 0. It is evaluated on the
    second half alone: on the rows that made it look best it would look better than it is.

    Raises:
        BadInput: Where rows have different arms, or no arm has enough rewards.
    """
    if (log.choices != log.arm_count).any():
        raise BadInput("'best' needs the same arms on every line; name a file of probabilities")
    half, count = len(log.arms) // 2, log.arm_count
    arms, weights, rewards = log.arms[:half], 1 / log.propensities[:half], log.rewards[:half]
    events = np.bincount(arms[rewards != 0], minlength=count)
    earned = np.bincount(arms, weights * rewards, minlength=count)
    shown = np.bincount(arms, weights, minlength=count)
    enough = events >= MIN_EVENTS
    if not enough.any():
        raise BadInput(
            f"no arm has {MIN_EVENTS} rewards in the first half of the log, so none is known as "
            "best"
        )
    means = np.divide(earned, shown, out=np.full(count, -np.inf), where=enough)
    arm = int(means.argmax())
    return Target(
        words=f"arm {arm} for everyone: it earned most in the first half, and is tried on the rest",
        first=half,
        probabilities=np.tile(np.eye(count)[arm], (len(log.arms) - half, 1)),
    )


def from_file(log: PolicyLog, path: Path) -> Target:
    """The probabilities that a file holds; arguments and errors as for `choose_target`."""
    rows, (n, count) = _table(path), (len(log.arms), log.arm_count)
    if rows.ndim == 1:
        rows = np.tile(rows, (n, 1))
    if rows.shape != (n, count):
        raise BadInput(f"{path.name} must hold {count} probabilities, or {n} rows of them")
    bad = ~((rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= 1e-6))
    if bad.any():
        raise BadInput(f"{path.name}, row {int(bad.argmax())}: must be probabilities that sum to 1")
    beyond = (rows > 0) & (np.arange(count) >= log.choices[:, None])
    if beyond.any():
        row = int(beyond.any(axis=1).argmax())
        raise BadInput(f"{path.name}, row {row}: shows an arm that the log's row {row} has not")
    return Target(words=path.name, probabilities=rows)


def _table(path: Path) -> Array:
    """The numbers of a JSON or NumPy file."""
    try:
        if path.suffix == ".npy":
            with opened(path) as file:
                return np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
        with opened(path) as file:
            found = msgspec.json.decode(file.read(), type=list[float | list[float]])
        return np.array(found, dtype=np.float64)
    except (ValueError, TypeError, msgspec.DecodeError) as wrong:
        raise BadInput(f"{path.name} must hold rows of probabilities: {wrong}") from None
