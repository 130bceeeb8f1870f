"""What another policy would have earned, from a log that this one made: off-policy evaluation.

    log (reward, arm, propensity) + target policy's probabilities → importance `weights`
    → `estimators` `ips`, `snips`, `dr`; `softening` `switch_dr`, `dros`; weights on creative
    attributes in place of arms: `mips` → `PolicyValue` with one of the `intervals`;
    `evaluate.off_policy` is all of them

Notation: decision i has context x_i, arm A_i, reward Y_i, and A_i was drawn with propensity p_i.
The target policy would have drawn arm a with π(a | x_i), and a reward model, fitted on other
rows, expects q(x_i, a). The weight is w_i = π(A_i | x_i) / p_i.

Every estimator assumes that p_i is what A_i was really drawn with, that every arm the target shows
could have been drawn (p > 0 wherever π > 0; `mips` asks it of attributes), and that a decision's
reward does not depend on the others. The interval `OneLook` is for a log of fixed size and takes
rows for independent: a visitor's many decisions make it too narrow. `EveryLook` is a confidence
sequence: it may be looked at daily, and lets the logging policy learn as it goes.
"""

from hookline.stats.ope.estimators import dr, ips, snips
from hookline.stats.ope.evaluate import off_policy
from hookline.stats.ope.intervals import EveryLook, OneLook, PolicyValue
from hookline.stats.ope.mips import attribute_cells, marginal_weights, mips
from hookline.stats.ope.softening import dros, shrunk, switch_dr, switched
from hookline.stats.ope.weights import effective_sample, importance_weights, model_values

__all__ = [
    "EveryLook",
    "OneLook",
    "PolicyValue",
    "attribute_cells",
    "dr",
    "dros",
    "effective_sample",
    "importance_weights",
    "ips",
    "marginal_weights",
    "mips",
    "model_values",
    "off_policy",
    "shrunk",
    "snips",
    "switch_dr",
    "switched",
]
