"""What every method needs: the model, the rows in the order they are learned, the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from hookline.tune.train.folder import Folder
from hookline.tune.train.lessons import Lesson, plan
from hookline.tune.train.packages import Package, require
from hookline.tune.train.recipe import Objectives, Recipe

CHECKPOINTS: Final = "checkpoints"
FLOOR: Final = 0.1
"""Where the rate ends, as a share of its peak."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One training.

    Attributes:
        folder: The base.
        recipe: How to train.
        taught: Rows to learn from, at least one.
        held_out: Rows to measure on, or none.
        objectives: What `grpo` is after; other methods have none.
        out: Folder for checkpoints.
    """

    folder: Folder
    recipe: Recipe
    taught: Sequence[Lesson]
    held_out: Sequence[Lesson]
    objectives: Objectives | None
    out: Path

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.recipe.length(len(self.taught))

    @property
    def dtype(self) -> Package:
        """Of the weights: full precision where all of them learn, since small steps would be lost.

        On an accelerator adapters learn beside a base in bfloat16.
        """
        torch = require("torch")
        return torch.bfloat16 if self.recipe.lora and self._has_bf16 else torch.float32

    @property
    def _has_bf16(self) -> bool:
        return self.recipe.device == "cuda" and require("torch").cuda.is_bf16_supported()

    def rows(self, lessons: Sequence[Lesson], count: int) -> Package:
        """A data set of so many rows, drawn by weight, in the order to be learned."""
        order = plan([lesson.weight for lesson in lessons], count, self.recipe.seed)
        columns = [self._columns(lesson) for lesson in lessons]
        return require("datasets").Dataset.from_list([columns[place] for place in order.tolist()])

    def _columns(self, lesson: Lesson) -> dict[str, object]:
        """TRL's columns."""
        label = {} if lesson.label is None else {"label": lesson.label}
        answers = {name: self.folder.turns(said) for name, said in lesson.answers.items()}
        return {"prompt": self.folder.turns(lesson.prompt), **answers, **label}

    def parts(self) -> dict[str, Package]:
        """What TRL's trainers are given in common."""
        held_out = self.rows(self.held_out, len(self.held_out)) if self.held_out else None
        adapters = require("peft").LoraConfig(
            task_type="CAUSAL_LM",
            r=self.recipe.rank,
            lora_alpha=2 * self.recipe.rank,
            target_modules="all-linear",
        )
        return {
            "model": self.folder.model(self.dtype),
            "processing_class": self.folder.tokenizer,
            "train_dataset": self.rows(self.taught, self.steps * self.recipe.drawn),
            "eval_dataset": held_out,
            "peft_config": adapters if self.recipe.lora else None,
        }

    def settings(self) -> dict[str, object]:
        """What TRL's configurations are given in common.

        Rows come as they are drawn, and none is cut: too long ones were refused before.
        """
        recipe, cpu = self.recipe, self.recipe.device == "cpu"
        return {
            "output_dir": str(self.out / CHECKPOINTS),
            "max_steps": self.steps,
            "per_device_train_batch_size": recipe.at_once,
            "per_device_eval_batch_size": recipe.at_once,
            "gradient_accumulation_steps": recipe.batch // recipe.at_once,
            "learning_rate": recipe.peak,
            "lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": FLOOR},
            "warmup_steps": ceil(recipe.warm_up * self.steps),
            "logging_steps": recipe.tell_every,
            "eval_strategy": "steps" if self.held_out else "no",
            "eval_steps": recipe.save_every,
            "save_strategy": "steps",
            "save_steps": recipe.save_every,
            "save_total_limit": 2,
            "seed": recipe.seed,
            "use_cpu": cpu,
            "bf16": self._has_bf16,
            "dataloader_pin_memory": not cpu,
            "gradient_checkpointing": False,
            "train_sampling_strategy": "sequential",
            "report_to": [],
            "disable_tqdm": True,
        }
