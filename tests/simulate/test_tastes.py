"""Tastes: centred, saturating, with interactions."""

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest

from hookline.simulate import Parameters
from hookline.simulate.tastes import Tastes
from hookline.types import Angle, Attributes, CtaStyle, Length, Proof, Tone, Urgency

ALL = [
    Attributes(angle=a, tone=t, cta=c, proof=p, urgency=u, length=n)
    for a, t, c, p, u, n in product(
        *(get_args(kind) for kind in (Angle, Tone, CtaStyle, Proof, Urgency, Length))
    )
]
PARAMETERS = Parameters()


@pytest.mark.parametrize("taste", PARAMETERS.tastes)
def test_factor_averages_one_over_all_copy(taste: str) -> None:
    tastes = Tastes(PARAMETERS)
    found = [tastes.factor(taste, each, mobile=False, day=0.0) for each in ALL]
    assert np.mean(found) == pytest.approx(1.0, abs=0.02)
    assert 1.25 < max(found) < 1 + PARAMETERS.taste_span


def test_factor_is_the_same_for_all_tastes_where_not_personal() -> None:
    tastes = Tastes(Parameters(personal=False))
    for each in ALL[::97]:
        found = {
            tastes.factor(name, each, mobile=mobile, day=0.0)
            for name in PARAMETERS.tastes
            for mobile in (True, False)
        }
        assert len(found) == 1


def test_factor_is_not_additive_in_the_attributes_even_in_logs() -> None:
    tastes = Tastes(PARAMETERS)

    def log(angle: Angle, proof: Proof) -> float:
        attributes = Attributes(angle=angle, proof=proof)
        return float(np.log(tastes.factor("bargain", attributes, mobile=False, day=0.0)))

    both = log("value", "price") - log("benefit", "none")
    apart = log("value", "none") + log("benefit", "price") - 2 * log("benefit", "none")
    assert abs(both - apart) > 0.02


def test_factor_prefers_short_copy_on_mobile() -> None:
    tastes = Tastes(PARAMETERS)
    short, full = Attributes(length="short"), Attributes(length="full")

    def edge(mobile: bool) -> float:
        return tastes.factor("craft", short, mobile=mobile, day=0.0) / tastes.factor(
            "craft", full, mobile=mobile, day=0.0
        )

    assert edge(True) > 1.05 * edge(False)


def in_fashion(day: float, **settings: Any) -> np.ndarray:
    """What the fashion of that day alone does to all copy, shape (copies,)."""
    plain = Parameters(taste_strength=0.0, taste_span=1e4, **settings)
    tastes = Tastes(replace(plain, fashion_sd=0.1), 5)
    return np.array([tastes.factor("busy", each, mobile=False, day=day) - 1 for each in ALL])


def test_fashion_stands_still_where_tastes_do() -> None:
    assert in_fashion(0.0).std() == pytest.approx(0.1 * 6**0.5, rel=0.4)
    assert (in_fashion(0.0) == in_fashion(77.0)).all()


def test_fashion_moves_evenly_or_jumps_and_keeps_its_spread() -> None:
    settings: dict[str, Any] = {"drift": "gradual", "drift_days": 10.0}
    old, half, new = (in_fashion(day, **settings) for day in (0.0, 5.0, 10.0))
    assert half == pytest.approx((old + new) / 2**0.5, abs=1e-6)
    assert abs(np.corrcoef(old, new)[0, 1]) < 0.7
    settings["drift"] = "abrupt"
    assert (in_fashion(9.9, **settings) == old).all()
    assert (in_fashion(10.0, **settings) == new).all()


def test_fashion_comes_back_with_the_season() -> None:
    settings: dict[str, Any] = {"drift": "seasonal", "drift_days": 10.0}
    assert in_fashion(20.0, **settings) == pytest.approx(in_fashion(0.0, **settings))
