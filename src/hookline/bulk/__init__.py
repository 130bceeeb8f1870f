"""Logs too long for memory: the report's statistics over millions of rows of any system's log.

    files → `read` (DuckDB, batches in log order) → `batch` (every row checked)
    → `fold` (`means` as control variate, scores into `cells`, the split into `split`)
    → `answers` at every look → `words`

Formulas are those of `stats`: on a log that fits into memory this gives what `report` gives.
"""

from hookline.bulk.analyse import analyse_log
from hookline.bulk.export import decision_lines
from hookline.bulk.result import LogAnswer, MetricAnswer, Question, Resources
from hookline.bulk.words import to_text

__all__ = [
    "LogAnswer",
    "MetricAnswer",
    "Question",
    "Resources",
    "analyse_log",
    "decision_lines",
    "to_text",
]
