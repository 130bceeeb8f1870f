"""Readers of other systems' logs: the same rows from every format, and a clear word on bad ones."""

import gzip
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hookline.errors import BadInput, UnregisteredName
from hookline.logs import PolicyLog, read_log

FEEDBACK: dict[str, object] = {
    "n_rounds": 3,
    "n_actions": 3,
    "context": [[0.5, 1.0], [0.0, 2.0], [1.0, 0.0]],
    "action": [0, 2, 1],
    "position": [0, 1, 0],
    "reward": [1.0, 0.0, 0.5],
    "pscore": [0.5, 0.25, 0.2],
    "action_context": [[0.0], [1.0], [1.0]],
    "pi_b": [[0.5, 0.3, 0.2], [0.5, 0.25, 0.25], [0.4, 0.2, 0.4]],
}
TABLE = (
    "action,position,reward,pscore,context_0,note\n0,0,1,0.5,7,a\n2,1,0,0.25,8,b\n1,0,0.5,0.2,9,c\n"
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def save(path: Path, arrays: Mapping[str, NDArray[np.float64]]) -> None:
    """What `numpy.savez` writes of a dictionary of unknown keys."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, array)


def feedback(path: Path, changes: Mapping[str, object]) -> Path:
    return write(path, json.dumps({**FEEDBACK, **changes}))


def line(
    cost: float = -1.0,
    action: int = 2,
    order: Sequence[int] = (2, 1),
    chances: Sequence[float] = (0.8, 0.2),
    **more: object,
) -> str:
    """One decision as the decision service logs it."""
    made = {
        "_label_cost": cost,
        "_label_probability": chances[0],
        "_label_Action": action,
        "_labelIndex": action - 1,
        "EventId": "e",
        "a": list(order),
        "c": {"User": {"age": 3}, "_multi": [{"x": n} for n in sorted(order)]},
        "p": list(chances),
    }
    return json.dumps({name: value for name, value in (made | more).items() if value is not None})


def same(log: PolicyLog) -> None:
    assert log.arms.tolist() == [0, 2, 1]
    assert log.rewards.tolist() == [1, 0, 0.5]
    assert log.propensities.tolist() == [0.5, 0.25, 0.2]
    assert log.places.tolist() == [0, 1, 0]
    assert log.choices.tolist() == [3, 3, 3]


# --- what is read ------------------------------------------------------------------------------


def test_a_table_is_read_packed_or_not(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "\ufeff" + TABLE.replace("\n", "\r\n")))
    same(log)
    assert log.contexts is not None
    assert log.contexts.tolist() == [[7], [8], [9]]
    assert log.probabilities is None
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    same(read_log(packed))


def test_a_table_may_have_the_open_bandit_dataset_s_columns(tmp_path: Path) -> None:
    text = ",item_id,position,click,propensity_score\n0,0,0,1,0.5\n1,2,1,0,0.25\n2,1,0,0.5,0.2\n"
    same(read_log(write(tmp_path / "men.csv", text)))


def test_arrays_and_objects_are_read_whole(tmp_path: Path) -> None:
    save(tmp_path / "log.npz", {key: np.array(value) for key, value in FEEDBACK.items()})
    for log in (read_log(tmp_path / "log.npz"), read_log(feedback(tmp_path / "log.json", {}))):
        same(log)
        assert log.probabilities is not None
        assert log.probabilities.tolist() == FEEDBACK["pi_b"]
        assert log.features is not None
        assert log.features.tolist() == FEEDBACK["action_context"]
        assert log.contexts is not None
        assert log.contexts.tolist() == FEEDBACK["context"]


def test_probabilities_by_position_are_read_at_the_row_s_own(tmp_path: Path) -> None:
    rows = np.array(FEEDBACK["pi_b"])
    both = np.stack([rows, rows], axis=2)
    both[[0, 2], :, 1] = both[1, :, 0] = 1 / 3
    log = read_log(feedback(tmp_path / "log.json", {"pi_b": both.tolist()}))
    assert log.probabilities is not None
    assert log.probabilities == pytest.approx(rows)


def test_arms_are_as_many_as_told_or_served(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", TABLE)
    assert read_log(path).arm_count == 3
    assert read_log(path, arm_count=5).arm_count == 5
    with pytest.raises(BadInput, match=r"line 3: action must be the index of an arm there is"):
        read_log(path, arm_count=2)


def test_decision_service_lines_are_read(tmp_path: Path) -> None:
    lines = [
        line(),
        json.dumps({"RewardValue": 1.0, "EventId": "e"}),
        line(cost=0.25, action=3, order=(3, 1, 2), chances=(0.5, 0.25, 0.25)),
        line(_skipLearn=True),
        "",
        line(cost=0, action=1, order=(1, 2), chances=(0.2, 0.8)),
    ]
    log = read_log(write(tmp_path / "log.jsonl", "\n".join(lines)))
    assert log.rewards.tolist() == [1, -0.25, 0]
    assert log.arms.tolist() == [1, 2, 0]
    assert log.choices.tolist() == [2, 3, 2]
    assert log.propensities.tolist() == [0.8, 0.5, 0.2]
    assert log.probabilities is not None
    assert log.probabilities == pytest.approx(
        np.array([[0.2, 0.8, 0], [0.25, 0.25, 0.5], [0.2, 0.8, 0]])
    )
    assert log.skipped == {
        "a reward without its decision": 1,
        "a decision that was never shown (_skipLearn)": 1,
    }


def test_probabilities_rounded_to_single_precision_are_scaled(tmp_path: Path) -> None:
    text = line(chances=(0.80000007, 0.2))
    log = read_log(write(tmp_path / "log.dsjson", text))
    assert log.probabilities is not None
    assert log.probabilities.sum() == pytest.approx(1, abs=1e-15)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.floats(-1e6, 1e6), st.floats(1e-6, 1)),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_is_read(tmp_path: Path, rows: list[tuple[int, float, float]]) -> None:
    body = "".join(f"{arm},{reward!r},{chance!r}\n" for arm, reward, chance in rows)
    log = read_log(write(tmp_path / "log.csv", "action,reward,pscore\n" + body))
    found = zip(log.arms.tolist(), log.rewards.tolist(), log.propensities.tolist(), strict=True)
    assert list(found) == rows


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2,1,0,0.25", "2,1,0,0", "line 3: pscore must be above 0 and up to 1, not 0"),
        ("2,1,0,0.25", "2,1,0,1.5", "line 3: pscore must be above 0 and up to 1, not 1.5"),
        ("2,1,0,0.25", "2,1,0,nan", "line 3: pscore must be above 0 and up to 1, not nan"),
        ("2,1,0,0.25", "2,1,nan,0.25", "line 3: reward must be a finite number, not nan"),
        ("2,1,0,0.25", "2,1,inf,0.25", "line 3: reward must be a finite number, not inf"),
        ("2,1,0,0.25", "-1,1,0,0.25", "line 3: action must be a whole number from 0, not -1"),
        ("2,1,0,0.25", "1.5,1,0,0.25", "line 3: action must be a whole number from 0, not 1.5"),
        ("2,1,0,0.25", "2,-1,0,0.25", "line 3: position must be a whole number from 0, not -1"),
        ("2,1,0,0.25", "2,1,,0.25", "line 3: reward must be a number, not ''"),
        ("0.2,9,c\n", "0.2", "line 4: has 4 of 6 fields; it may be cut off"),
        ("pscore", "chance", "line 1: has no column pscore or propensity_score"),
    ],
)
def test_a_bad_row_of_a_table_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path / "log.csv", TABLE.replace(old, new))
    with pytest.raises(BadInput) as error:
        read_log(path)
    assert str(error.value) == f"log.csv, {message}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reward": [1, None, 0]}, "log.json, row 1: reward must be a finite number, not nan"),
        ({"pscore": [0.5, 0.2]}, r"pscore must hold 3 numbers, not shape \(2,\)"),
        ({"pscore": [0.5, 0.25, 0.3]}, "row 2: pi_b must be pscore at the served arm, not 0.2"),
        ({"pi_b": [[0.5, 0.3, 0.2]] * 2}, r"pi_b must have shape \(3, 3\)"),
        ({"pi_b": [[0.5, 0.3, 0.4]] * 3}, "row 0: the sum of pi_b must be 1, not 1.2"),
        ({"pi_b": [[1.1, -0.1, 0]] * 3}, "row 0: pi_b must be 0 or above, not -0.1"),
        ({"n_rounds": 4}, "n_rounds is 4, but there are 3"),
        ({"n_actions": 2.5}, "n_actions must be a whole number from 1"),
        ({"n_actions": 2}, "row 1: action must be the index of an arm there is, not 2"),
        ({"context": [[1.0]]}, "rows of context is 1, but there are 3"),
        ({"action_context": [[1.0]]}, "rows of action_context is 1, but there are 3"),
        ({"action": ["a", 1, 2]}, "action must hold numbers"),
        ({"pscore": None}, "has no pscore"),
        ({"reward": []}, "holds no decisions"),
    ],
)
def test_bad_arrays_are_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    if "n_actions" in changes:
        changes = {"pi_b": None, "action_context": None, **changes}
    with pytest.raises(BadInput, match=message):
        read_log(feedback(tmp_path / "log.json", changes))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (line()[:-20], "line 2: Input data was truncated"),
        (line(p=None), "line 2: p must have 2 probabilities, as a has actions"),
        (line(p=[0.8]), "line 2: p must have 2 probabilities"),
        (line(p=[0.9, 0.2]), "line 2: the sum of p must be 1, not 1.1"),
        (line(p=[0.5, 0.5]), "line 2: p must be _label_probability at the served arm, not 0.5"),
        (line(a=[2, 2]), "line 2: a must name each of the 2 actions of c._multi once, from 1"),
        (line(a=[1, 0]), "line 2: a must name each of the 2 actions"),
        (line(_label_probability=0.0), "line 2: _label_probability must be above 0 and up to 1"),
        (line(_label_probability=None), "line 2: _label_probability is missing"),
        (line(_label_cost=None), "line 2: _label_cost is missing"),
        (
            line(_label_cost="high"),
            r"line 2: Expected `float \| null`, got `str` - at `\$._label_c",
        ),
        (line(_labelIndex=0), "line 2: _labelIndex must be _label_Action less 1"),
        (line(_labelIndex=-1, _label_Action=0), "line 2: _labelIndex must be from 0 to 1, not -1"),
        (line(_labelIndex=None, _label_Action=None), "line 2: _label_Action or _labelIndex is mis"),
        (line(c={"_multi": [{}, {}], "_slots": [{}]}), "line 2: c must have _multi and no _slots"),
        (line().replace("-1.0", "NaN"), "line 2: JSON is malformed"),
        (line(pdrop=0.5), "pdrop changes"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_log(write(tmp_path / "log.dsjson", f"{line()}\n{bad}\n"))


def test_files_that_are_no_log_say_why(tmp_path: Path) -> None:
    cases = {
        "missing.csv": "does not exist",
        "log.txt": "the name doesn't tell the format",
        "empty.csv": "is empty",
        "bare.csv": "holds no decisions",
        "empty.dsjson": "holds no decisions",
        "latin.csv": "line 2: is not UTF-8",
        "list.json": "must hold one JSON object",
        "lines.json": "for Vowpal Wabbit's lines the format is dsjson",
        "no.npz": "is not an NPZ archive",
        "objects.npz": "action must hold numbers",
        "cut.csv": "is a gzip file that is cut off",
    }
    write(tmp_path / "empty.csv", "")
    write(tmp_path / "bare.csv", "action,reward,pscore\n")
    write(tmp_path / "empty.dsjson", "\n")
    (tmp_path / "latin.csv").write_bytes(b"action,reward,pscore\n\xe9,1,1\n")
    write(tmp_path / "list.json", "[1]")
    write(tmp_path / "lines.json", f"{line()}\n{line()}\n")
    write(tmp_path / "no.npz", "text")
    np.savez(tmp_path / "objects.npz", action=np.array([None, {}]))
    (tmp_path / "cut.csv").write_bytes(gzip.compress(TABLE.encode())[:-12])
    for name, message in cases.items():
        with pytest.raises(BadInput, match=message):
            read_log(tmp_path / name)
    with pytest.raises(BadInput, match="is a folder"):
        read_log(tmp_path, "csv")
    with pytest.raises(UnregisteredName, match="did you mean 'dsjson'"):
        read_log(tmp_path / "bare.csv", "dsjso")
    with pytest.raises(BadInput, match="1 arm or more"):
        read_log(tmp_path / "bare.csv", arm_count=0)
    with pytest.raises(BadInput, match="says itself how many arms"):
        read_log(tmp_path / "empty.dsjson", arm_count=2)
