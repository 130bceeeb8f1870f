"""Rewards: the model writes several answers to a prompt and learns from the better ones.

GRPO (Shao et al. 2024), the rewards normalised one by one within the answers to a prompt before
they are summed (GDPO, Liu et al. 2026), and `beta` times the divergence from the base in the loss.
"""

from collections.abc import Callable, Mapping, Sequence

from hookline.errors import BadInput
from hookline.tune.train.folder import as_turns
from hookline.tune.train.job import Job
from hookline.tune.train.packages import Package, require
from hookline.tune.train.recipe import Objectives, Progress, Reward, Turns
from hookline.tune.train.watch import Heed

_Key = tuple[tuple[str, str], ...]


def trainer(job: Job) -> Package:
    """TRL's trainer for the job's objectives."""
    trl, recipe, objectives = require("trl"), job.recipe, _objectives(job)
    own = {
        "beta": recipe.pull,
        "num_generations": recipe.generations,
        "max_completion_length": recipe.room,
        "temperature": recipe.temperature,
        "reward_weights": [float(reward.weight) for reward in objectives.rewards],
        "multi_objective_aggregation": (
            "normalize_then_sum" if recipe.normalised else "sum_then_normalize"
        ),
        "shuffle_dataset": False,
        "per_device_eval_batch_size": recipe.generations,
    }
    asked: dict[_Key, Turns] = {
        _key(job.folder.turns(lesson.prompt)): as_turns(lesson.prompt)
        for lesson in (*job.taught, *job.held_out)
    }
    return trl.GRPOTrainer(
        args=trl.GRPOConfig(**{**job.settings(), **own}),
        reward_funcs=[_scored(reward, asked) for reward in objectives.rewards],
        **job.parts(),
    )


def heed(made: Package, job: Job) -> Heed:
    """Weighs the trainer's rewards anew, given all that was measured so far; gives the weights."""
    objectives, tensor = _objectives(job), require("torch").tensor

    def weigh(history: Sequence[Progress]) -> Mapping[str, float]:
        if objectives.weigh is None or not history:
            return {}
        weights = {reward.name: reward.weight for reward in objectives.rewards}
        weights |= objectives.weigh(history)
        made.reward_weights = tensor([float(weights[each.name]) for each in objectives.rewards])
        return {f"weights/{name}": float(weight) for name, weight in weights.items()}

    return weigh


def _objectives(job: Job) -> Objectives:
    if job.objectives is None:
        raise BadInput("grpo needs rewards to go after")
    return job.objectives


def _scored(reward: Reward, asked: Mapping[_Key, Turns]) -> Callable[..., list[float]]:
    """The reward as TRL calls one: by its name, and with more than it needs."""

    def score(
        *, prompts: Sequence[Turns], completions: Sequence[Turns], **_: object
    ) -> list[float]:
        known = [asked[_key(prompt)] for prompt in prompts]
        return [float(value) for value in reward.score(known, completions)]

    score.__name__ = reward.name
    return score


def _key(turns: Turns) -> _Key:
    return tuple((turn["role"], turn["content"]) for turn in turns)
