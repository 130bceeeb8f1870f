"""A shop with simulated shoppers, whose true tastes are known: for demos, tests, benchmarks.

`hookline.simulate.gym` makes a Gymnasium environment of it, and is imported apart since
Gymnasium is an extra.
"""

from hookline.simulate.latent import Taste
from hookline.simulate.parameters import Drift, Parameters
from hookline.simulate.records import Happening, Shopper, Visit, to_segment
from hookline.simulate.shop import Shop
from hookline.simulate.wear import Showings

__all__ = [
    "Drift",
    "Happening",
    "Parameters",
    "Shop",
    "Shopper",
    "Showings",
    "Taste",
    "Visit",
    "to_segment",
]
