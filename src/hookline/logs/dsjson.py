"""Logs of Vowpal Wabbit's decision service: one JSON object a line (`--dsjson`).

A decision's line has `_label_cost` (the reward is its negative), `_label_probability`,
`_label_Action` or `_labelIndex`, `a` (the actions from 1, in the order they were ranked), `p` (the
probability of each) and `c`, whose `_multi` has an entry for every action. **An arm is a place in
`_multi`**: if the caller lists other things there, or shuffles them, arm 2 is not the same thing on
every line.

Source: https://github.com/VowpalWabbit/vowpal_wabbit/wiki/DSJSON and the fields its reader knows.
"""

from array import array
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from hookline.errors import BadInput
from hookline.logs.lines import numbered
from hookline.logs.record import Array, Fields, Integers, PolicyLog, checked

FIELDS = Fields("_label_cost", "_labelIndex", "_label_probability", "p")

DANGLING = "a reward without its decision"
UNSEEN = "a decision that was never shown (_skipLearn)"


class _Context(msgspec.Struct):
    multi: list[msgspec.Raw] = msgspec.field(name="_multi", default_factory=list[msgspec.Raw])
    slots: list[msgspec.Raw] | None = msgspec.field(name="_slots", default=None)


class _Line(msgspec.Struct):
    """What is read of a line; the rest is not even parsed into objects."""

    cost: float | None = msgspec.field(name="_label_cost", default=None)
    probability: float | None = msgspec.field(name="_label_probability", default=None)
    action: int | None = msgspec.field(name="_label_Action", default=None)
    index: int | None = msgspec.field(name="_labelIndex", default=None)
    actions: list[int] = msgspec.field(name="a", default_factory=list[int])
    chances: list[float] = msgspec.field(name="p", default_factory=list[float])
    context: _Context | None = msgspec.field(name="c", default=None)
    dropped: float = msgspec.field(name="pdrop", default=0.0)
    skip: bool = msgspec.field(name="_skipLearn", default=False)


def read_dsjson(path: Path, arm_count: int | None = None) -> PolicyLog:
    """The log of a file of decision-service lines; read as a stream, line by line.

    Lines that reward a decision made elsewhere and decisions that were never shown are left out
    and counted. Contexts stay unread: they are nested words, not numbers.

    Args:
        path: The file, gzipped or not.
        arm_count: Must be None: every line says how many arms it had.

    Raises:
        BadInput: Where a line is cut off, no JSON, of another problem than contextual bandits, or
            no evidence; names the line and the field.
    """
    if arm_count is not None:
        raise BadInput("a dsjson log says itself how many arms each line had; leave the number out")
    costs, propensities, chances = array("d"), array("d"), array("d")
    lines, arms, actions, counts = array("q"), array("q"), array("q"), array("q")
    decoder, skipped, drops = msgspec.json.Decoder(_Line), Counter[str](), set[float]()
    for number, text in numbered(path):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
            if why := _left_out(line):
                skipped[why] += 1
                continue
            cost, probability, arm = _label(line)
        except (msgspec.DecodeError, ValueError) as wrong:
            raise BadInput(f"{path.name}, line {number}: {wrong}") from None
        drops.add(line.dropped)
        costs.append(cost)
        propensities.append(probability)
        lines.append(number)
        arms.append(arm)
        counts.append(len(line.actions))
        actions.extend(line.actions)
        chances.extend(line.chances)
    if not lines:
        raise BadInput(f"{path.name} holds no decisions")
    if len(drops) > 1:
        raise BadInput(f"{path.name}: pdrop changes, so its lines are no even sample of decisions")
    choices = np.array(counts, dtype=np.int64)
    log = PolicyLog(
        rewards=0.0 - np.array(costs, dtype=np.float64),
        arms=np.array(arms, dtype=np.int64),
        propensities=np.array(propensities, dtype=np.float64),
        choices=choices,
        places=np.zeros(len(lines), dtype=np.int64),
        probabilities=_matrix(choices, np.array(actions, dtype=np.int64), np.array(chances)),
        skipped=dict(skipped),
    )
    return checked(log, FIELDS, lambda row: f"{path.name}, line {lines[row]}")


def _left_out(line: _Line) -> str:
    """Why the line is no decision to learn from; empty where it is one."""
    if line.context is None and line.cost is None:
        return DANGLING
    return UNSEEN if line.skip else ""


def _label(line: _Line) -> tuple[float, float, int]:
    """Cost, probability, and index of the served arm; ValueError where they don't fit."""
    if line.context is None or line.context.slots is not None:
        raise ValueError("c must have _multi and no _slots: only contextual bandits can be read")
    count = len(line.context.multi)
    if not count or sorted(line.actions) != list(range(1, count + 1)):
        raise ValueError(f"a must name each of the {count} actions of c._multi once, from 1")
    if len(line.chances) != count:
        raise ValueError(f"p must have {count} probabilities, as a has actions")
    if line.cost is None:
        raise ValueError("_label_cost is missing")
    if line.probability is None:
        raise ValueError("_label_probability is missing")
    if line.index is None and line.action is None:
        raise ValueError("_label_Action or _labelIndex is missing")
    if line.index is not None and line.action is not None and line.index != line.action - 1:
        raise ValueError("_labelIndex must be _label_Action less 1")
    arm = line.index if line.index is not None else (line.action or 0) - 1
    if not 0 <= arm < count:
        raise ValueError(f"_labelIndex must be from 0 to {count - 1}, not {arm}")
    return line.cost, line.probability, arm


def _matrix(choices: Integers, actions: Integers, chances: Array) -> Array:
    """Probability of every arm, shape (n, K), zeros beyond a row's own arms."""
    matrix = np.zeros((len(choices), int(choices.max())))
    matrix[np.repeat(np.arange(len(choices)), choices), actions - 1] = chances
    return matrix
