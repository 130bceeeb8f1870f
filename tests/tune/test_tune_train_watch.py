"""What goes on beside a training: told, drawn, slowed down; runs without torch."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hookline.tune.train import Progress
from hookline.tune.train.curves import curves
from hookline.tune.train.watch import DRAWING, PROGRESS, Watch, halvings, history_of, progress_of

LOG: list[dict[str, object]] = [
    {"step": 2, "loss": 3.5, "learning_rate": 1e-5, "epoch": 0.1, "rewards/cta/mean": 0.5},
    {"step": 4, "loss": 3.0, "learning_rate": 2e-5, "rewards/cta/mean": None},
    {"step": 4, "eval_loss": 3.2, "eval_runtime": 1.0, "eval_rewards/cta/mean": 0.7},
    {"step": 4, "train_runtime": 9.0, "train_loss": 3.2},
]


def make_watch(out: Path, **changes: object) -> Watch:
    given: dict[str, object] = {
        "out": out,
        "steps": 8,
        "peak": 1e-3,
        "patience": 2,
        "stop": lambda history: "",  # pyright: ignore[reportUnknownLambdaType]
        "tell": lambda line: None,  # pyright: ignore[reportUnknownLambdaType]
    }
    return Watch(**{**given, **changes})  # pyright: ignore[reportArgumentType]


def state(log: list[dict[str, object]]) -> SimpleNamespace:
    return SimpleNamespace(log_history=log, global_step=log[-1]["step"])


def test_log_is_told_in_our_words_without_what_measures_nothing() -> None:
    assert history_of(LOG) == [
        Progress(2, {"loss": 3.5, "learning_rate": 1e-5, "rewards/cta/mean": 0.5}),
        Progress(4, {"loss": 3.0, "learning_rate": 2e-5}),
        Progress(4, {"held_out_loss": 3.2, "held_out_rewards/cta/mean": 0.7}),
    ]
    assert progress_of(LOG[3]) is None


def test_progress_file_holds_every_measure_once(tmp_path: Path) -> None:
    control = SimpleNamespace(should_training_stop=False, should_save=False)
    (tmp_path / PROGRESS).write_text('{"step": 3, "loss": 9.0}\n')  # after the last checkpoint
    told: list[str] = []
    watch = make_watch(tmp_path, tell=told.append)
    watch.on_train_begin(None, state(LOG[:1]), control)
    for end in (2, 3, 4):
        watch.on_log(None, state([dict(entry) for entry in LOG[:end]]), control)
    lines = (tmp_path / PROGRESS).read_text().splitlines()
    steps = [msgspec.json.decode(line)["step"] for line in lines]
    assert steps == [2, 4, 4]
    assert told == [
        "step 4 of 8: loss 3, learning rate 2e-05",
        "step 4 of 8: held out loss 3.2, held out rewards/cta/mean 0.7",
    ]
    assert not control.should_training_stop
    assert ET.fromstring((tmp_path / DRAWING).read_bytes()).tag.endswith("svg")


def test_stop_ends_the_training_with_a_checkpoint_and_says_why(tmp_path: Path) -> None:
    control = SimpleNamespace(should_training_stop=False, should_save=False)
    seen: list[int] = []

    def stop(history: Sequence[Progress]) -> str:
        seen.append(len(history))
        return "proxy and watchdog part" if len(seen) == 2 else ""

    watch = make_watch(tmp_path, stop=stop)
    watch.on_log(None, state(LOG[:1]), control)
    assert not control.should_training_stop
    watch.on_log(None, state(LOG[:2]), control)
    assert control.should_training_stop
    assert control.should_save
    assert (watch.why, seen) == ("proxy and watchdog part", [1, 2])


def test_what_is_heeded_is_noted(tmp_path: Path) -> None:
    control = SimpleNamespace()

    def heed(history: Sequence[Progress]) -> Mapping[str, float]:
        return {"weights/cta": float(len(history))}

    watch = make_watch(tmp_path, heed=heed)
    log = [dict(entry) for entry in LOG[:2]]
    watch.on_log(None, state(log), control)
    assert log[-1]["weights/cta"] == 2.0
    assert '"weights/cta":2.0' in (tmp_path / PROGRESS).read_text()


def test_rate_is_halved_where_held_out_rows_get_no_better(tmp_path: Path) -> None:
    scheduler = SimpleNamespace(base_lrs=[1e-3, 1e-3])
    losses = [3.0, 2.0, 2.5, 2.2, 2.4, 1.5]
    log: list[dict[str, object]] = [
        {"step": step, "eval_loss": loss} for step, loss in enumerate(losses)
    ]
    rates: list[float] = []
    watch = make_watch(tmp_path)
    for end in range(1, len(log) + 1):
        watch.on_evaluate(None, state(log[:end]), None, scheduler)
        rates.append(scheduler.base_lrs[1])
    assert rates == [1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 5e-4]


def test_of_grpo_the_reward_should_get_better(tmp_path: Path) -> None:
    scheduler = SimpleNamespace(base_lrs=[1e-3])
    log: list[dict[str, object]] = [
        {"step": step, "eval_loss": -float(step), "eval_reward": reward}
        for step, reward in enumerate([0.1, 0.2, 0.15, 0.1])
    ]
    make_watch(tmp_path).on_evaluate(None, state(log), None, scheduler)
    assert scheduler.base_lrs == [5e-4]


@given(st.lists(st.floats(-10, 10), max_size=40), st.integers(1, 5))
def test_rate_is_halved_at_most_once_in_patience_measures(
    measures: list[float], patience: int
) -> None:
    found = [halvings(measures[:end], patience) for end in range(len(measures) + 1)]
    assert all(0 <= later - before <= 1 for before, later in pairwise(found))
    assert found[-1] <= max(len(measures) - 1, 0) // patience
    assert halvings(sorted(set(measures), reverse=True), patience) == 0


def test_drawing_has_a_panel_for_every_objective() -> None:
    drawn = str(curves(history_of(LOG), steps=8))
    titles = [title for title in ("Loss", "Reward: cta", "Learning rate") if title in drawn]
    assert titles == ["Loss", "Reward: cta", "Learning rate"]
    assert "held out 3.2" in drawn
    assert "8 steps" in drawn
    assert drawn.count("<polyline") == 5  # three of our own, two held out
    ET.fromstring(drawn)


def test_drawing_leaves_out_what_is_no_number() -> None:
    drawn = str(curves([Progress(1, {"loss": nan, "kl": inf, "reward": 0.0})], steps=2))
    assert "Reward, weighted sum 0" in drawn
    assert "Loss" not in drawn
    assert "KL" not in drawn


def test_drawing_of_nothing_says_so() -> None:
    assert "Nothing measured yet" in str(curves([], steps=5))


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(-1e9, 1e9)), min_size=1, max_size=20),
    st.integers(1, 50),
)
def test_drawing_is_sound_whatever_was_measured(
    points: list[tuple[int, float]], steps: int
) -> None:
    history = [Progress(step, {"loss": value}) for step, value in sorted(points)]
    ET.fromstring(str(curves(history, steps=steps)))
