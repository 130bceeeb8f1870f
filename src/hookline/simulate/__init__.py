"""A shop with simulated shoppers, whose true tastes are known: for demos, tests, benchmarks."""

from hookline.simulate.parameters import Parameters, Taste
from hookline.simulate.records import Happening, Shopper, Visit, to_segment
from hookline.simulate.shoppers import Shop

__all__ = ["Happening", "Parameters", "Shop", "Shopper", "Taste", "Visit", "to_segment"]
