"""A house model with random weights, for tests that ask how it runs and not what it says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hookline.house.export import export
from hookline.house.train import Recipe
from hookline.writers.house.marks import FIELD, MARKS
from hookline.writers.house.network import ROOMS, Floats, Network

RECIPE = Recipe(width=16, layers=2, heads=2, places=64)
WORDS = ("see", " the", " bag", ".", " for", " you", "!", "日本")
PIECES = (FIELD, *(text for mark in MARKS.values() for text in (mark, f" {mark}")), *WORDS)
CONDITIONS = ("", "role hook", "role cta", "locale en")


def weights(seed: int = 0, pieces: Sequence[str] = PIECES) -> dict[str, Floats]:
    """Random weights of the recipe."""
    rng = np.random.default_rng(seed)
    width = RECIPE.width
    shapes: dict[str, tuple[int, ...]] = {
        "pieces": (len(pieces), width),
        "places": (RECIPE.places, width),
        "rooms": (ROOMS, width),
        "conditions": (len(CONDITIONS), width),
        "norm": (width,),
    }
    for layer in range(RECIPE.layers):
        shapes |= {f"{layer}.{part}_norm": (width,) for part in ("attention", "inner")}
        shapes |= {f"{layer}.qkv": (width, 3 * width), f"{layer}.out": (width, width)}
        shapes |= {f"{layer}.up": (width, 4 * width), f"{layer}.down": (4 * width, width)}
    return {name: rng.normal(0, 0.15, shape).astype(np.float32) for name, shape in shapes.items()}


def network(folder: Path, seed: int = 0) -> Network:
    """The model with random weights, written to a folder and read back."""
    export(weights(seed), folder, recipe=RECIPE, pieces=PIECES, conditions=CONDITIONS)
    return Network.load(folder)
