"""The text prior: what a line of copy may be expected to earn before anybody saw it.

    line → `encoder` ┐
         → `ngrams`  ┴→ score → `calibrate` → forecast with its doubt

It is learned from past tests' within-test effects only (`train`), so it says which of several lines
for the same thing will be clicked more, and nothing of how often. The one that ships learned from
headlines; see `default/README.md`.
"""

from hookline.prior.calibrate import Belief, calibrate, together
from hookline.prior.model import CARD, DEFAULT, TextPrior

__all__ = ["CARD", "DEFAULT", "Belief", "TextPrior", "calibrate", "together"]
