"""The slate: which of many copies to test, and how bold to be about it.

    promise of each copy ┐
    what each copy says  ┴→ choose (dpp, literal; creativity λ) → the copies to keep
                         → front: what each λ costs
    outcomes → what slates came to → schedule: which λ to try next

All of it is arithmetic on arrays: where promises and vectors come from is the caller's business.
"""

from hookline.slate.choose import MODES, REACH, Mode, check_creativity, choose, creativity_of
from hookline.slate.front import DIALS, Pool, front, front_chart, valued
from hookline.slate.outcomes import tried_in
from hookline.slate.schedule import LEVELS, DialBelief, Tried, believe, propose
from hookline.types import FrontPoint

__all__ = [
    "DIALS",
    "LEVELS",
    "MODES",
    "REACH",
    "DialBelief",
    "FrontPoint",
    "Mode",
    "Pool",
    "Tried",
    "believe",
    "check_creativity",
    "choose",
    "creativity_of",
    "front",
    "front_chart",
    "propose",
    "tried_in",
    "valued",
]
