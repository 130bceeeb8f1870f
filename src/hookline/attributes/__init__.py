"""Which creative attributes to ask the writer for.

Levels and a design that spreads a test over them (`design`); what outcomes say of each level, line
by line (`sums`), audience by audience (`effects`), in rows for people (`elements`); and what to ask
for next (`policy`), given the log (`history`). Beside attributes stand whole lines: how each did in
its test (`lines`), what that is worth telling a writer (`lessons`), and which of two prompts wrote
better ones (`rivals`).
"""

from hookline.attributes.design import AFFINITIES, SYNONYMS, code_of, design
from hookline.attributes.effects import Belief, Taste, Trial, believe
from hookline.attributes.elements import elements
from hookline.attributes.history import learned_from
from hookline.attributes.lessons import lessons_from
from hookline.attributes.lines import Standing, standings
from hookline.attributes.policy import AttributePolicy
from hookline.attributes.rivals import rivals

__all__ = [
    "AFFINITIES",
    "SYNONYMS",
    "AttributePolicy",
    "Belief",
    "Standing",
    "Taste",
    "Trial",
    "believe",
    "code_of",
    "design",
    "elements",
    "learned_from",
    "lessons_from",
    "rivals",
    "standings",
]
