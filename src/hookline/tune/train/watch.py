"""What goes on while a trainer of transformers trains: told, drawn, stopped, slowed down.

Everything here is a function of what was measured so far, which every checkpoint holds. So a
training that goes on later tells, stops and slows down as if it had never been interrupted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hookline.tune.train.curves import HELD_OUT, curves
from hookline.tune.train.packages import Package, require
from hookline.tune.train.recipe import Progress, Stop
from hookline.types import dumps

PROGRESS: Final = "progress.jsonl"
DRAWING: Final = "progress.svg"
_SILENT: Final = ("epoch", "step", "num_tokens", "total_flos", "step_time")
_SPEEDS: Final = ("_runtime", "_per_second", "/std")
_TOLD: Final = ("loss", "reward", "kl", "rewards/margins", "learning_rate")
"""What a progress line names; the rest is in the drawing and the file."""

Entry = Mapping[str, object]
"""What transformers logs at one step."""
Heed = Callable[[Sequence[Progress]], Mapping[str, float]]
"""Does something about all that was measured so far; gives what else is to be noted."""


def progress_of(entry: Entry) -> Progress | None:
    """What an entry of the trainer's log says; None where it measures nothing.

    Examples:
        >>> progress_of({"step": 5, "eval_loss": 2.5, "epoch": 0.1, "eval_runtime": 3.0})
        Progress(step=5, values={'held_out_loss': 2.5})
    """
    if "loss" not in entry and "eval_loss" not in entry:
        return None  # the summary at the end of a session
    values = {
        HELD_OUT + name.removeprefix("eval_") if name.startswith("eval_") else name: float(value)
        for name, value in entry.items()
        if isinstance(value, int | float)
        and name.removeprefix("eval_") not in _SILENT
        and not name.endswith(_SPEEDS)
    }
    step = entry["step"]
    return Progress(step if isinstance(step, int) else 0, values)


def history_of(log: Sequence[Entry]) -> list[Progress]:
    """All that the trainer's log says."""
    return [progress for entry in log if (progress := progress_of(entry)) is not None]


def halvings(measures: Sequence[float], patience: int) -> int:
    """How often the rate is to be halved: once for every `patience` measures without a better one.

    Args:
        measures: Losses on held-out rows in order, lower is better.
        patience: At least 1.

    Examples:
        >>> halvings([3.0, 2.0, 2.1, 2.2, 2.3], patience=3), halvings([3.0, 2.0, 1.0], patience=3)
        (1, 0)
    """
    best, waited, count = float("inf"), 0, 0
    for measure in measures:
        best, waited = (measure, 0) if measure < best else (best, waited + 1)
        if waited == patience:
            waited, count = 0, count + 1
    return count


def _nothing(history: Sequence[Progress]) -> Mapping[str, float]:
    del history
    return {}


@dataclass(slots=True)
class Watch:
    """What is done at each of the trainer's log steps; transformers calls the `on_` functions.

    Attributes:
        out: Folder for the progress file and the drawing.
        steps: Of the whole training.
        peak: The highest learning rate.
        patience: As in `Recipe`.
        stop: Consulted at each log step.
        tell: Told a line at each log step.
        heed: Called before training and at each log step.
        step: Steps done.
        why: Why training was stopped, "" where it was not.
    """

    out: Path
    steps: int
    peak: float
    patience: int
    stop: Stop
    tell: Callable[[str], None]
    heed: Heed = _nothing
    step: int = 0
    why: str = ""

    def on_train_begin(self, args: object, state: Package, control: object, **_: object) -> None:
        """Writes the progress file anew: lines after the last checkpoint are measured again."""
        del args, control
        history = history_of(state.log_history)
        self.step = state.global_step
        write_whole(self.out / PROGRESS, b"".join(map(_line, history)))
        self.heed(history)

    def on_step_end(self, args: object, state: Package, control: object, **_: object) -> None:
        """Notes how far training is."""
        del args, control
        self.step = state.global_step

    def on_log(self, args: object, state: Package, control: Package, **_: object) -> None:
        """Tells, draws, and asks whether to stop; a stop leaves a checkpoint."""
        del args
        entry = state.log_history[-1]
        if progress_of(entry) is None:
            return
        if "loss" in entry:
            entry |= self.heed(history_of(state.log_history))
        history = history_of(state.log_history)
        newest = history[-1]
        with (self.out / PROGRESS).open("ab") as file:
            file.write(_line(newest))
        write_whole(self.out / DRAWING, curves(history, steps=self.steps).encode())
        self.tell(_told(newest, self.steps))
        self.why = self.why or self.stop(history)
        if self.why:
            control.should_training_stop = control.should_save = True

    def on_evaluate(
        self, args: object, state: Package, control: object, lr_scheduler: Package, **_: object
    ) -> None:
        """Halves the rate where held-out rows have got no better for long.

        Of `grpo` it is the reward that should get better: its loss says little.
        """
        del args, control
        found = [progress.values for progress in history_of(state.log_history)]
        rewards = [-values["held_out_reward"] for values in found if "held_out_reward" in values]
        losses = [values["held_out_loss"] for values in found if "held_out_loss" in values]
        rate = self.peak * 0.5 ** halvings(rewards or losses, self.patience)
        lr_scheduler.base_lrs = [rate] * len(lr_scheduler.base_lrs)

    def callback(self) -> Package:
        """This, as a callback of transformers, which would be told of other events too."""
        base = require("transformers").TrainerCallback
        names = ("on_train_begin", "on_step_end", "on_log", "on_evaluate")
        own = {name: staticmethod(getattr(self, name)) for name in names}
        return type("Watching", (base,), own)()


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _line(progress: Progress) -> bytes:
    """The values by name: a checkpoint doesn't keep the order in which they came."""
    return dumps({"step": progress.step, **dict(sorted(progress.values.items()))}) + b"\n"


def _told(progress: Progress, steps: int) -> str:
    """One line for a person."""
    values = {
        name.replace("_", " "): value
        for name, value in progress.values.items()
        if name.removeprefix(HELD_OUT) in _TOLD or name.endswith("/mean")
    }
    shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
    return f"step {progress.step:,} of {steps:,}: {shown}"
