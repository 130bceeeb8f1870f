"""Any causal language model's folder, tuned on what sold, with TRL and PEFT.

Rows (`lessons`) and a recipe (`recipe`) make a job (`job`) for one of the methods (`sft`, `prefer`,
`grpo`); while it trains it is watched (`watch`) and drawn (`curves`), and it ends as a folder
(`folder`) again. `run` puts it together. Packages are bound when training starts (`packages`).
"""

from hookline.tune.train.lessons import Lesson, plan, read
from hookline.tune.train.recipe import (
    Conversation,
    Method,
    Objectives,
    Progress,
    Recipe,
    Reward,
    Score,
    Stop,
    Trained,
    Weigh,
)
from hookline.tune.train.run import train

__all__ = [
    "Conversation",
    "Lesson",
    "Method",
    "Objectives",
    "Progress",
    "Recipe",
    "Reward",
    "Score",
    "Stop",
    "Trained",
    "Weigh",
    "plan",
    "read",
    "train",
]
