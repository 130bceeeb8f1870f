"""The front: what it says of known pools, which of its points are beaten, and its drawing."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hookline.errors import BadInput
from hookline.slate import FrontPoint, Pool, choose, front, front_chart, valued
from hookline.slate.front import DIALS

# Two promising twins and two that are worth less and share nothing.
POOL = Pool(
    promise=np.log([2.0, 2.0, 1.0, 1.0]),
    vectors=np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]),
)


def test_valued_by_hand() -> None:
    assert valued(POOL, [0, 1]) == pytest.approx((0.0, 2.0 / 1.5 - 1))
    assert valued(POOL, [0, 2]) == pytest.approx((1.0, 0.0))


def test_front_of_a_known_pool_goes_from_promise_to_variety() -> None:
    points = front([POOL, POOL], 2, dials=(0.0, 1.0))
    assert [(p.creativity, p.diversity, round(p.lift, 9)) for p in points] == [
        (0.0, 0.0, round(1 / 3, 9)),
        (1.0, 1.0, 0.0),
    ]
    assert all(point.efficient for point in points)


def test_front_marks_the_dials_that_another_beats() -> None:
    rng = np.random.default_rng(3)
    pools = [
        Pool(promise=rng.normal(0, 0.2, 12), vectors=rng.normal(0.5, 1, (12, 6))) for _ in range(4)
    ]
    points = front(pools, 3, mode="literal")
    for point in points:
        beats = [p for p in points if p.diversity > point.diversity and p.lift > point.lift]
        assert not (beats and point.efficient)
    assert points[0].efficient
    assert len(points) == len(DIALS)


def test_front_is_the_mean_over_pools_that_leave_a_choice() -> None:
    small = Pool(promise=np.zeros(2), vectors=np.eye(2))
    assert front([POOL, small], 2) == front([POOL], 2)
    [point] = front([POOL], 3, dials=(0.5,))
    assert (point.diversity, point.lift) == valued(
        POOL, choose(POOL.promise, POOL.vectors, 3, creativity=0.5)
    )


def test_front_without_a_choice_is_bad_input() -> None:
    for count in (1, 4):
        with pytest.raises(BadInput, match="leave a choice"):
            front([POOL], count)


def test_chart_is_sound_svg_with_every_dial_and_reference() -> None:
    points = (
        FrontPoint(creativity=0.2, diversity=0.4, lift=0.1),
        FrontPoint(creativity=0.8, diversity=0.5, lift=-0.05, efficient=False),
    )
    drawn = str(front_chart({"<dpp>": points}, references={"people": 0.6}))
    root = ET.fromstring(drawn)
    words = "".join(root.itertext())
    assert "creativity 0.2: diversity 0.400, predicted clicks +10.0%" in words
    assert "creativity 0.8" in words
    assert "people" in words
    assert "<dpp>" in words


def test_chart_of_nothing_says_so() -> None:
    assert "No slates yet" in front_chart({})
