"""Experiment + outcomes → `Report` → text and JSON.

Outcomes become arrays (`table`), these scores and moments (`evidence`), these figures
(`analysis`), also of creative attributes (`elements`), of guard metrics (`guardrails`), of orders
to come (`maturity`) and of the time it takes (`wait`); these a verdict (`verdict`), in words
(`words`), and all of it text or JSON (`render`). May it be trusted, is asked first (`split`).
"""

from hookline.report.analysis import Analysis, analyze, combine
from hookline.report.elements import element_note, strongest
from hookline.report.guardrails import harms
from hookline.report.render import to_json, to_text
from hookline.report.words import amount, amounts, harm_name, harm_note, rule_words

__all__ = [
    "Analysis",
    "amount",
    "amounts",
    "analyze",
    "combine",
    "element_note",
    "harm_name",
    "harm_note",
    "harms",
    "rule_words",
    "strongest",
    "to_json",
    "to_text",
]
