"""Supervised: the model learns to write the lines that won."""

from hookline.tune.train.job import Job
from hookline.tune.train.packages import Package, require


def trainer(job: Job) -> Package:
    """TRL's trainer for the job; the loss counts answers only, not prompts."""
    trl = require("trl")
    args = trl.SFTConfig(**job.settings(), max_length=None, completion_only_loss=True)
    return trl.SFTTrainer(args=args, **job.parts())
