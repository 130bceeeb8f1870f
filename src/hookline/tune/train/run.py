"""A model folder and lessons → a tuned model folder, whatever happens in between.

The out folder holds `run.json` (what the training is of), `checkpoints/`, `progress.jsonl` and
`progress.svg` while it goes on, then `model/` and `result.json`. Called again with the same
arguments, a training goes on from its last whole checkpoint; order and draws come to the same as
if it had never stopped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from shutil import rmtree
from typing import Final

import msgspec

from hookline.errors import BadInput, Refused
from hookline.tune.train import grpo, prefer, sft
from hookline.tune.train.folder import Folder
from hookline.tune.train.job import CHECKPOINTS, Job
from hookline.tune.train.lessons import Lesson
from hookline.tune.train.packages import Package, require, undisturbed
from hookline.tune.train.recipe import Method, Objectives, Progress, Recipe, Stop, Trained
from hookline.tune.train.watch import Watch, write_whole
from hookline.types import content_hash, dumps

RUN: Final = "run.json"
RESULT: Final = "result.json"
MODEL: Final = "model"
_STATE: Final = "trainer_state.json"
"""What transformers writes last into a checkpoint."""
_FREE: Final = ("at_once", "device")
"""What of a recipe may differ in a training that goes on."""
_NO_MEMORY: Final = "can't allocate memory"
"""What torch says where a processor's memory ends."""

_TRAINERS: Final[Mapping[Method, Callable[[Job], Package]]] = {
    "sft": sft.trainer,
    "dpo": prefer.dpo,
    "kto": prefer.kto,
    "grpo": grpo.trainer,
}


class _Result(msgspec.Struct, frozen=True):
    """What result.json says."""

    steps: int
    stopped: str


class _State(msgspec.Struct, frozen=True):
    """What matters of a checkpoint's state."""

    global_step: int


def _go_on(history: Sequence[Progress]) -> str:
    del history
    return ""


def _say_nothing(line: str) -> None:
    del line


def train(
    base: Path,
    lessons: Sequence[Lesson],
    out: Path,
    *,
    recipe: Recipe,
    held_out: Sequence[Lesson] = (),
    objectives: Objectives | None = None,
    stop: Stop = _go_on,
    tell: Callable[[str], None] = _say_nothing,
) -> Trained:
    """The tuned model's folder, `out/model`, and how the training ended.

    Args:
        base: Hugging Face folder of a causal language model with its tokenizer.
        lessons: As `read` gives them for the recipe's method.
        out: Folder for all that is written. Where a training of the same lies there, it goes on.
        recipe: How to train.
        held_out: Lessons to measure on. Without any the rate follows its schedule alone.
        objectives: What `grpo` is after; other methods take none.
        stop: Consulted at each log step. Where it says why, training ends with a checkpoint and
            without a model.
        tell: Told a line at each log step.

    Raises:
        BadInput: Where a package, the base, its tokenizer, the device or lessons are missing, a
            row is too long for the model, or objectives don't go with the method.
        Refused: Where another training lies in the folder, or memory runs out.
    """
    if not lessons:
        raise BadInput("there is nothing to learn from")
    if (recipe.method == "grpo") != (objectives is not None):
        raise BadInput("grpo goes after rewards, and no other method does")
    for package in ("torch", "transformers", "trl", "peft", "accelerate", "datasets"):
        require(package)
    _check_device(recipe.device)
    with undisturbed(["cuda"] if recipe.device == "cuda" else []):
        job = Job(
            folder=Folder.open(base),
            recipe=recipe,
            taught=lessons,
            held_out=held_out,
            objectives=objectives,
            out=out,
        )
        _begin(job)
        done = _ended(out)
        if done is not None:
            return done
        if job.folder.is_plain:
            tell(f"{base.name} has no chat template; it gets a plain one, prompts and 'Answer:'")
        return _trained(job, stop, tell)


def _check_device(device: str) -> None:
    """Finds out before training whether the device is there, and which one is meant."""
    count = require("torch").cuda.device_count()
    if device == "cuda" and count != 1:
        raise BadInput(
            f"torch sees {count} GPUs; show it one, see CUDA_VISIBLE_DEVICES, or train on cpu"
        )


def _begin(job: Job) -> None:
    """Checks all that can be known before, and says in the folder what the training is of."""
    room = job.recipe.room if job.recipe.method == "grpo" else 0
    for lessons in (job.taught, job.held_out):
        job.folder.check_room(lessons, room)
    path = job.out / RUN
    recipe = {name: value for name, value in asdict(job.recipe).items() if name not in _FREE}
    rewards = job.objectives.rewards if job.objectives else ()
    run = {
        "recipe": recipe,
        "base": job.folder.fingerprint,
        "rows": content_hash([asdict(lesson) for lesson in job.taught]),
        "held_out": content_hash([asdict(lesson) for lesson in job.held_out]),
        "rewards": {reward.name: reward.weight for reward in rewards},
    }
    if not path.exists():
        job.out.mkdir(parents=True, exist_ok=True)
        write_whole(path, dumps(run))
    known = msgspec.json.decode(path.read_bytes())
    wanted = msgspec.json.decode(dumps(run))
    differing = sorted(name for name in run if known.get(name) != wanted[name])
    if differing:
        raise Refused(
            f"another training lies in {job.out}: {' and '.join(differing)} differ. Train into "
            "another folder, or with what it was begun with"
        )


def _ended(out: Path) -> Trained | None:
    """How the training in the folder ended; None where it has not."""
    if not (out / RESULT).exists():
        return None
    result = msgspec.json.decode((out / RESULT).read_bytes(), type=_Result)
    if result.stopped:
        return Trained(None, result.steps, result.stopped)
    return Trained(out / MODEL, result.steps) if (out / MODEL).is_dir() else None


def _trained(job: Job, stop: Stop, tell: Callable[[str], None]) -> Trained:
    """Trains what is left, and exports."""
    step, _ = _newest(job.out / CHECKPOINTS)
    stopped = ""
    if step < job.steps:
        stopped, step = _learn(job, stop, tell)
    if not stopped:
        last = job.out / CHECKPOINTS / f"checkpoint-{step}"
        job.folder.export(last, job.out / MODEL, dtype=job.dtype)
    write_whole(job.out / RESULT, dumps({"steps": step, "stopped": stopped}))
    return Trained(None if stopped else job.out / MODEL, step, stopped)


def _learn(job: Job, stop: Stop, tell: Callable[[str], None]) -> tuple[str, int]:
    """Why training was stopped, "" where it was not, and the steps done.

    Raises:
        Refused: Where memory runs out.
    """
    recipe = job.recipe
    step, checkpoint = _newest(job.out / CHECKPOINTS)
    watch = Watch(
        out=job.out,
        steps=job.steps,
        peak=recipe.peak,
        patience=recipe.patience,
        stop=stop,
        tell=tell,
        step=step,
    )
    try:
        trainer = _TRAINERS[recipe.method](job)
        if recipe.method == "grpo":
            watch.heed = grpo.heed(trainer, job)
        trainer.remove_callback(require("transformers").PrinterCallback)
        trainer.add_callback(watch.callback())
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except RuntimeError as error:
        if not (isinstance(error, require("torch").OutOfMemoryError) or _NO_MEMORY in str(error)):
            raise
        kept, _ = _newest(job.out / CHECKPOINTS)
        raise Refused(
            f"out of memory at step {watch.step} of {job.steps}: lower at_once, now "
            f"{recipe.at_once}, which changes memory and not what is learned. What was learned up "
            f"to step {kept} is kept, and the same command goes on from there"
        ) from error
    return watch.why, watch.step


def _newest(folder: Path) -> tuple[int, Path | None]:
    """Step and folder of the last whole checkpoint, (0, None) without one; others are removed."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        try:
            state = msgspec.json.decode((path / _STATE).read_bytes(), type=_State)
        except (OSError, msgspec.MsgspecError):  # killed while it was written
            rmtree(path)
        else:
            found.append((state.global_step, path))
    return max(found, default=(0, None))
