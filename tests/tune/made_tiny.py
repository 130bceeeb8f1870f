"""What tests of the house model's tuning share: a tiny model's sizes, its lines and briefs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.house.rows import Row
from hookline.house.train import Recipe
from hookline.prior.export import require
from hookline.tune.house import (
    Sample,
    Teaching,
)
from hookline.types import Attributes, Audience, Brand, Brief, Product

RECIPE = Recipe(width=32, layers=2, heads=2, places=40, passes=30, batch=512, rate=1e-2)
HEADLINES = ("Made for you", "See the {}", "The {}, today", "The {} for you")
CTAS = ("Shop now", "Get it")
TEACHING = Teaching(passes=2, batch=128, rate=3e-3, warm_up=2)


def found_torch() -> Any:
    pytest.importorskip("torch", reason="torch is not installed: nothing to tune with")
    return require("torch")


def briefs(count: int) -> list[Brief]:
    return [
        make_brief(
            product=Product(id=f"p{at}", title=f"Harbor {name} Tote Bag"),
            audience=Audience(id="all", name="All"),
            channel=channel("onsite_banner"),
            brand=Brand(id="shop", name="The Shop"),
            attributes=Attributes(),
        )
        for at, name in zip(range(count), ("Canvas", "Linen", "Denim", "Jute"), strict=False)
    ]


def row(each: Sample) -> Row:
    assert each.row is not None
    return each.row


def has_you(samples: Sequence[Sample]) -> np.ndarray:
    return np.array([float("you" in " ".join(each.parts.values())) for each in samples])
