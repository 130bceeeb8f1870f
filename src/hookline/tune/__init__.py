"""From the log of tests to what a writer can learn from.

A test and its outcomes (`logged`) are heard, machines' clicks left out (`screen`), compared line by
line within one audience and one period (`strata`), and become rows (`rows`) of prompts and answers
(`asked`), which are written as lines of JSON (`export`). No torch here.
"""

from hookline.tune.export import check_form, held_out, lines
from hookline.tune.logged import Defence, LoggedTest, Terms
from hookline.tune.rows import (
    AnyRow,
    Harvest,
    Kind,
    Pair,
    Row,
    Unpaired,
    Won,
    effective_rows,
    harvest,
)
from hookline.tune.strata import Findings, Line, Stratum, study

__all__ = [
    "AnyRow",
    "Defence",
    "Findings",
    "Harvest",
    "Kind",
    "Line",
    "LoggedTest",
    "Pair",
    "Row",
    "Stratum",
    "Terms",
    "Unpaired",
    "Won",
    "check_form",
    "effective_rows",
    "harvest",
    "held_out",
    "lines",
    "study",
]
