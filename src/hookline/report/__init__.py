"""Experiment + outcomes → `Report` → text and JSON.

Outcomes become arrays (`table`), these scores and moments (`evidence`), these figures
(`analysis`), these words (`verdict`), and all of it text or JSON (`render`).
"""

from hookline.report.analysis import Analysis, analyze, combine
from hookline.report.render import to_json, to_text

__all__ = ["Analysis", "analyze", "combine", "to_json", "to_text"]
