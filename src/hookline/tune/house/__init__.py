"""Tuning the house model: on lines that won, on pairs, on what was clicked, and by reward.

    logged lines → rows with slots (`masked`) → `taught`      → a folder that the house writer reads
    briefs → copies drawn (`drawn`) → scored  → `rewarded`    ↗
                                              → `ranked` → `taught`, a few rounds

Needs torch, which `pip install 'hookline[train]'` brings; drawing and reading need none.
"""

from hookline.tune.house.drawn import Sample, can_write, draw
from hookline.tune.house.masked import row_of
from hookline.tune.house.ranked import Round, ranked, tune_by_rank
from hookline.tune.house.reading import Reader, likelihood
from hookline.tune.house.recipes import Memory, Progress, Ranking, Rewarding, Teaching
from hookline.tune.house.rewarded import Score, advantages, tune_by_reward
from hookline.tune.house.taught import Judged, Preferred, Won, tune_preferences, tune_supervised
from hookline.tune.house.tuner import HouseTuner

__all__ = [
    "HouseTuner",
    "Judged",
    "Memory",
    "Preferred",
    "Progress",
    "Ranking",
    "Reader",
    "Rewarding",
    "Round",
    "Sample",
    "Score",
    "Teaching",
    "Won",
    "advantages",
    "can_write",
    "draw",
    "likelihood",
    "ranked",
    "row_of",
    "tune_by_rank",
    "tune_by_reward",
    "tune_preferences",
    "tune_supervised",
]
