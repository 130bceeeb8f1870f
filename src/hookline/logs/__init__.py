"""Logs that other systems made, and what another policy would have earned on them.

    file → lines → `obp` (Open Bandit Pipeline's keys: CSV, NPZ, JSON) or `dsjson` (Vowpal Wabbit)
    → `record.PolicyLog`, every row checked → `target` (which policy is asked about)
    → `evaluate` (`stats.off_policy`)

A bad row is an error that names file, line and field: a log is evidence, and a reader that drops
rows it doesn't like makes evidence up. What is left out on purpose is counted in `skipped`.
"""

from hookline.logs.evaluate import Evaluation, evaluate
from hookline.logs.read import FORMATS, read_log
from hookline.logs.record import PolicyLog
from hookline.logs.target import Target, choose_target

__all__ = ["FORMATS", "Evaluation", "PolicyLog", "Target", "choose_target", "evaluate", "read_log"]
