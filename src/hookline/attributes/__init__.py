"""Which creative attributes to ask the writer for.

Levels and a design that spreads a test over them (`design`); what outcomes say of each level, line
by line (`sums`), audience by audience (`effects`), in rows for people (`elements`); and what to ask
for next (`policy`), given the log (`history`).
"""

from hookline.attributes.design import AFFINITIES, SYNONYMS, code_of, design
from hookline.attributes.effects import Belief, Taste, Trial, believe
from hookline.attributes.elements import elements
from hookline.attributes.history import learned_from
from hookline.attributes.policy import AttributePolicy

__all__ = [
    "AFFINITIES",
    "SYNONYMS",
    "AttributePolicy",
    "Belief",
    "Taste",
    "Trial",
    "believe",
    "code_of",
    "design",
    "elements",
    "learned_from",
]
