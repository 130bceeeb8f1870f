"""From a log's file to another policy's value, in the library and on the command line."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from hookline.cli import app
from hookline.errors import BadInput
from hookline.logs import PolicyLog, choose_target, evaluate, read_log
from hookline.stats import EveryLook, OneLook

MEANS = np.array([0.1, 0.4, 0.4])
LOGGING = np.array([0.5, 0.3, 0.2])
N = 4_000


@pytest.fixture(name="log_file")
def made_log(tmp_path: Path) -> Path:
    """A log with all probabilities; arms 1 and 2 have the same features and the same worth."""
    rng = np.random.default_rng(9)
    arms = rng.choice(3, size=N, p=LOGGING)
    return save(tmp_path / "log.npz", arms, (rng.random(N) < MEANS[arms]).astype(float))


def save(
    path: Path,
    arms: NDArray[np.int64],
    rewards: NDArray[np.float64],
    features: Sequence[Sequence[float]] = ((0.0,), (1.0,), (1.0,)),
) -> Path:
    """The file, as OBP's keys."""
    np.savez(
        path,
        action=arms,
        reward=rewards,
        pscore=LOGGING[arms],
        pi_b=np.tile(LOGGING, (N, 1)),
        action_context=np.array(features),
    )
    return path


def look() -> OneLook:
    return OneLook(rng=np.random.default_rng(0), resamples=300)


def test_uniform_is_valued_by_every_estimator(log_file: Path) -> None:
    log = read_log(log_file)
    found = evaluate(log, choose_target(log, "uniform"), look())
    assert list(found.values) == ["ips", "snips", "dr", "switch_dr", "dros", "mips"]
    assert (found.n, found.arms, found.skipped) == (N, 3, {})
    assert found.logged == pytest.approx(log.rewards.mean())
    for value in found.values.values():
        assert value.low is not None
        assert value.high is not None
        assert value.low < MEANS.mean() < value.high
    assert found.values["mips"].effective > found.values["ips"].effective


def test_mips_is_left_out_where_arms_share_nothing(log_file: Path) -> None:
    log = read_log(log_file)
    log = read_log(save(log_file, log.arms, log.rewards, [[0.0], [1.0], [2.0]]))
    assert "mips" not in evaluate(log, choose_target(log, "uniform"), look()).values


def test_best_is_chosen_on_the_first_half_and_tried_on_the_second(log_file: Path) -> None:
    log = read_log(log_file)
    target = choose_target(log, "best")
    assert target.first == N // 2
    arm = int(target.probabilities[0].argmax())
    assert arm in {1, 2}
    found = evaluate(log, target, EveryLook(horizon=N))
    assert found.n == N // 2
    low, high = found.values["dr"].low, found.values["dr"].high
    assert low is not None
    assert high is not None
    assert low < MEANS[arm] < high


def test_best_needs_rewards(log_file: Path) -> None:
    log = read_log(save(log_file, read_log(log_file).arms, np.zeros(N)))
    with pytest.raises(BadInput, match="no arm has 20 rewards"):
        choose_target(log, "best")


def uneven() -> PolicyLog:
    """Two rows, one with two arms and one with three."""
    return PolicyLog(
        rewards=np.zeros(2),
        arms=np.array([0, 2]),
        propensities=np.array([0.5, 0.5]),
        choices=np.array([2, 3]),
        places=np.zeros(2, dtype=np.int64),
    )


def test_rows_with_other_arms_share_only_what_they_have(tmp_path: Path) -> None:
    assert choose_target(uneven(), "uniform").probabilities == pytest.approx(
        np.array([[1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]])
    )
    with pytest.raises(BadInput, match="the same arms on every line"):
        choose_target(uneven(), "best")
    path = tmp_path / "policy.json"
    path.write_text("[0, 0, 1]")
    with pytest.raises(BadInput, match="row 0: shows an arm that the log's row 0 has not"):
        choose_target(uneven(), str(path))


def test_a_file_s_policy_is_for_all_rows_or_each(log_file: Path, tmp_path: Path) -> None:
    log = read_log(log_file)
    whole, each = tmp_path / "whole.json", tmp_path / "each.npy"
    whole.write_text(json.dumps([0.2, 0.3, 0.5]))
    np.save(each, np.tile([0.2, 0.3, 0.5], (N, 1)))
    first, second = (choose_target(log, str(path)) for path in (whole, each))
    assert (first.probabilities == second.probabilities).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[0.5, 0.5]", "must hold 3 probabilities, or 4000 rows of them"),
        ("[0.5, 0.6, 0.1]", "row 0: must be probabilities that sum to 1"),
        ("[1.5, -0.5, 0.0]", "row 0: must be probabilities that sum to 1"),
        ("[0.5, ", "must hold rows of probabilities"),
        ("[[0.5, 0.5, 0], [1]]", "must hold rows of probabilities"),
    ],
)
def test_a_bad_policy_file_is_named(
    log_file: Path, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        choose_target(read_log(log_file), str(path))


# --- the command -------------------------------------------------------------------------------


def test_the_command_prints_and_writes_the_values(log_file: Path, tmp_path: Path) -> None:
    written = tmp_path / "out.json"
    done = CliRunner().invoke(app, ["evaluate", str(log_file), "--json", str(written)])
    assert done.exit_code == 0, done.output
    assert "4,000 decisions among 3 arms" in done.output
    found = json.loads(written.read_text())
    assert found["values"]["snips"]["estimate"] == pytest.approx(MEANS.mean(), abs=0.03)
    assert f"{found['values']['mips']['estimate']:.5g}" in done.output


def test_the_command_says_why_there_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("action,reward,pscore\n0,1,0.5\n1,0,0.5\n")
    done = CliRunner().invoke(app, ["evaluate", str(path)])
    assert done.exit_code == 0
    assert "ips, snips, dr, switch_dr, dros: needs an effective sample of 100, has 2" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--interval", "sequence"], "needs --horizon"),
        (["--horizon", "5"], "--horizon is for --interval sequence"),
        (["--policy", "nothing.json"], "nothing.json does not exist"),
        (["--json", "no/such/folder.json"], "can't be written"),
    ],
)
def test_the_command_refuses_in_one_line(log_file: Path, options: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", str(log_file), *options])
    assert isinstance(done.exception, BadInput)
    assert message in str(done.exception)


def test_a_sequence_is_wider_than_one_look(log_file: Path) -> None:
    log = read_log(log_file)
    target = choose_target(log, "uniform")
    widths = [
        (found.high or 0) - (found.low or 0)
        for found in (
            evaluate(log, target, interval).values["ips"]
            for interval in (look(), EveryLook(horizon=N))
        )
    ]
    assert 1.3 < widths[1] / widths[0] < 1.8
