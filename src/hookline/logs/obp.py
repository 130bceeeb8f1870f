"""Logs with the Open Bandit Pipeline's keys: a table (CSV), arrays (NPZ) or an object (JSON).

Keys of the bandit feedback of Saito et al. (2020, "Open Bandit Dataset and Pipeline", arXiv
2008.07146): `n_rounds`, `n_actions`, `context`, `action`, `position`, `reward`, `pscore`,
`action_context`, and `pi_b`, the logging policy's probability of every action. A table may have
the Open Bandit Dataset's own columns, `item_id`, `click`, `propensity_score`, instead. `position`,
`context`, `action_context` and `pi_b` may be left out.
"""

import csv
import json
import zipfile
from array import array
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from hookline.errors import BadInput
from hookline.logs.lines import numbered, opened
from hookline.logs.record import Array, Fields, Integers, PolicyLog, Where, checked, whole

COLUMNS = {
    "action": ("action", "item_id"),
    "reward": ("reward", "click"),
    "pscore": ("pscore", "propensity_score"),
    "position": ("position",),
}
"""Key → what a table's column for it may be called."""
NEEDED = ("action", "reward", "pscore")
CONTEXT = "context_"
"""What a table's columns of numbers about the visitor start with."""
FIELDS = Fields("reward", "action", "pscore", "pi_b")


def read_csv(path: Path, arm_count: int | None = None) -> PolicyLog:
    """The log of a table with a header; read as a stream, line by line.

    Args:
        path: The file, gzipped or not.
        arm_count: How many arms there were; None takes the greatest served one for the last.

    Raises:
        BadInput: Where a column is missing, or a row is cut off, no numbers or no evidence.
    """
    rows = _rows(path)
    try:
        _, header = next(rows)
    except StopIteration:
        raise BadInput(f"{path.name} is empty") from None
    picks = _picks(header, path.name)
    names = list(picks)
    table = {name: array("d") for name in names}
    lines = array("q")
    for line, cells in rows:
        if len(cells) != len(header):
            cut = f"has {len(cells)} of {len(header)} fields; it may be cut off"
            raise BadInput(f"{path.name}, line {line}: {cut}")
        lines.append(line)
        for name in names:
            table[name].append(_number(cells[picks[name]], header[picks[name]], path.name, line))
    if not lines:
        raise BadInput(f"{path.name} holds no decisions")
    arrays = {name: np.array(column) for name, column in table.items()}
    contexts = [arrays.pop(name) for name in names if name.startswith(CONTEXT)]
    if contexts:
        arrays["context"] = np.column_stack(contexts)
    return _log(arrays, path.name, arm_count, lambda row: f"{path.name}, line {lines[row]}")


def read_npz(path: Path, arm_count: int | None = None) -> PolicyLog:
    """The log of an archive of arrays, as `numpy.savez` writes the feedback's dictionary.

    Arguments and errors as for `read_csv`; errors name the row, from 0, instead of the line.
    """
    if not path.is_file():
        raise BadInput(f"{path} is no file; check the path")
    arrays: dict[str, Array] = {}
    name = ""
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in _wanted(archive.files):
                arrays[name] = np.asarray(archive[name], dtype=np.float64)
    except (OSError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as wrong:
        part = f": {name} must hold numbers" if name else " is not an NPZ archive"
        raise BadInput(f"{path.name}{part} ({wrong})") from None
    return _log(arrays, path.name, arm_count, lambda row: f"{path.name}, row {row}")


def read_json(path: Path, arm_count: int | None = None) -> PolicyLog:
    """The log of one JSON object with the feedback's keys, its arrays as lists.

    Arguments and errors as for `read_npz`. The file is held in memory whole.
    """
    with opened(path) as file:
        data = file.read()
    try:
        found = cast("object", json.loads(data))
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8") from None
    except json.JSONDecodeError as wrong:
        hint = "; for Vowpal Wabbit's lines the format is dsjson" if wrong.lineno == 2 else ""
        raise BadInput(f"{path.name}, line {wrong.lineno}: {wrong.msg}{hint}") from None
    if not isinstance(found, dict):
        raise BadInput(f"{path.name} must hold one JSON object with the keys {', '.join(NEEDED)}")
    fields = cast("dict[str, object]", found)
    arrays: dict[str, Array] = {}
    for name in _wanted([key for key, value in fields.items() if value is not None]):
        try:
            arrays[name] = np.asarray(fields[name], dtype=np.float64)
        except (ValueError, TypeError):
            raise BadInput(f"{path.name}: {name} must hold numbers, as many in each row") from None
    return _log(arrays, path.name, arm_count, lambda row: f"{path.name}, row {row}")


# --- a table's cells ---------------------------------------------------------------------------


def _rows(path: Path) -> Generator[tuple[int, list[str]]]:
    """The number of each row's last line, and its fields; blank lines are passed over."""
    reader = csv.reader(text for _, text in numbered(path))
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as wrong:
        raise BadInput(f"{path.name}, line {reader.line_num}: {wrong}") from None


def _picks(header: Sequence[str], source: str) -> dict[str, int]:
    """Key → index of its column, for those there are."""
    picks: dict[str, int] = {}
    for key, names in COLUMNS.items():
        if found := [name for name in names if name in header]:
            picks[key] = header.index(found[0])
        elif key in NEEDED:
            raise BadInput(f"{source}, line 1: has no column {' or '.join(names)}")
    return picks | {name: at for at, name in enumerate(header) if name.startswith(CONTEXT)}


def _number(text: str, name: str, source: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{source}, line {line}: {name} must be a number, not {text!r}") from None


# --- arrays ------------------------------------------------------------------------------------


def _wanted(names: Sequence[str]) -> list[str]:
    """Those of the names that mean something here."""
    keys = {*COLUMNS, "context", "action_context", "pi_b", "n_rounds", "n_actions"}
    return [name for name in names if name in keys]


def _log(
    arrays: Mapping[str, Array], source: str, arm_count: int | None, where: Where
) -> PolicyLog:
    """The checked log of the feedback's arrays."""
    for name in NEEDED:
        if name not in arrays:
            raise BadInput(f"{source} has no {name}")
    n = arrays["reward"].size
    if not n:
        raise BadInput(f"{source} holds no decisions")
    zeros = np.zeros(n)
    rewards, actions, propensities, positions = (
        _column(arrays.get(name, zeros), name, n, source)
        for name in ("reward", "action", "pscore", "position")
    )
    if "n_rounds" in arrays:
        _same(_count(arrays["n_rounds"], "n_rounds", source), n, "n_rounds", source)
    arms, places = whole(actions, "action", where), whole(positions, "position", where)
    count = _arm_count(arrays, arms, arm_count, source)
    contexts, features = arrays.get("context"), arrays.get("action_context")
    if contexts is not None:
        if contexts.ndim != 2:
            raise BadInput(f"{source}: context must be rows of numbers")
        _same(len(contexts), n, "rows of context", source)
    if features is not None:
        if features.ndim != 2 or not np.isfinite(features).all():
            raise BadInput(f"{source}: action_context must be rows of finite numbers")
        _same(len(features), count, "rows of action_context", source)
    log = PolicyLog(
        rewards=rewards,
        arms=arms,
        propensities=propensities,
        choices=np.full(n, count, dtype=np.int64),
        places=places,
        probabilities=_probabilities(arrays.get("pi_b"), places, count, source),
        contexts=contexts,
        features=features,
    )
    return checked(log, FIELDS, where)


def _arm_count(arrays: Mapping[str, Array], arms: Integers, given: int | None, source: str) -> int:
    """How many arms there were: as told, as logged, or up to the last that was served."""
    if given is not None:
        return given
    if (logged := arrays.get("n_actions")) is not None:
        return _count(logged, "n_actions", source)
    if (chances := arrays.get("pi_b")) is not None and chances.ndim > 1:
        return chances.shape[1]
    return int(arms.max()) + 1


def _count(value: Array, name: str, source: str) -> int:
    if value.shape != () or not value >= 1 or value != np.floor(value):
        raise BadInput(f"{source}: {name} must be a whole number from 1")
    return int(value)


def _column(values: Array, name: str, n: int, source: str) -> Array:
    if values.shape != (n,):
        raise BadInput(f"{source}: {name} must hold {n} numbers, not shape {values.shape}")
    return values


def _probabilities(
    chances: Array | None, places: Integers, count: int, source: str
) -> Array | None:
    """Shape (n, K), of (n, K) or of (n, K, positions)."""
    if chances is None:
        return None
    n = len(places)
    if chances.ndim == 2:
        chances = chances[:, :, None]
    if chances.ndim != 3 or chances.shape[:2] != (n, count):
        raise BadInput(f"{source}: pi_b must have shape ({n}, {count}), not {chances.shape}")
    if chances.shape[2] == 1:
        return chances[:, :, 0]
    if int(places.max()) >= chances.shape[2]:
        raise BadInput(f"{source}: pi_b has {chances.shape[2]} positions, fewer than position says")
    return chances[np.arange(n), :, places]


def _same(found: int, wanted: int, name: str, source: str) -> None:
    if found != wanted:
        raise BadInput(f"{source}: {name} is {found}, but there are {wanted}")
