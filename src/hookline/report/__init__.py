"""Experiment + outcomes → `Report` → text and JSON.

Outcomes become arrays (`table`), these scores and moments (`evidence`), these figures
(`analysis`), also of creative attributes (`elements`), these words (`verdict`), and all of it text
or JSON (`render`). Whether it can be trusted is asked first (`split`).
"""

from hookline.report.analysis import Analysis, analyze, combine
from hookline.report.elements import element_note, strongest
from hookline.report.render import to_json, to_text

__all__ = ["Analysis", "analyze", "combine", "element_note", "strongest", "to_json", "to_text"]
