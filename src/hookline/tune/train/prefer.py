"""Preferences: the model learns which of two lines is better, or what is clicked and what not.

Both hold the model near its base with `beta`: DPO (Rafailov et al. 2023) by the implicit reward of
pairs, KTO (Ethayarajh et al. 2024) by each answer's gain over the mean divergence.
"""

from hookline.tune.train.job import Job
from hookline.tune.train.packages import Package, require


def dpo(job: Job) -> Package:
    """TRL's trainer for pairs."""
    trl = require("trl")
    args = trl.DPOConfig(**job.settings(), max_length=None, beta=job.recipe.pull)
    return trl.DPOTrainer(args=args, **job.parts())


def kto(job: Job) -> Package:
    """TRL's trainer for clicked and not clicked; rows' weights have balanced the two."""
    trl = require("trl")
    args = trl.KTOConfig(**job.settings(), max_length=None, beta=job.recipe.pull)
    return trl.KTOTrainer(args=args, **job.parts())
