"""The schedule of the dial: where it starts, what it learns, and that it keeps the floor."""

import numpy as np
import pytest

from hookline.errors import BadInput
from hookline.slate import LEVELS, Tried, believe, propose


def tried(
    creativity: float, rate: float, *, control: float = 0.05, visitors: int = 20_000
) -> Tried:
    return Tried(
        creativity=creativity,
        visitors=visitors,
        conversions=round(visitors * rate),
        control_visitors=visitors,
        control_conversions=round(visitors * control),
    )


def test_nothing_known_starts_where_the_marketer_set_it() -> None:
    assert [propose([], start=start, seed=1) for start in (0.0, 0.44, 0.5, 1.0)] == [
        0.2, 0.4, 0.5, 0.8,
    ]  # fmt: skip


def test_belief_beforehand_is_the_controls_rate_and_says_so_of_all_alike() -> None:
    beliefs = believe([], floor=1.0)
    assert [belief.creativity for belief in beliefs] == list(LEVELS)
    assert {belief.lift for belief in beliefs} == {0.0}
    assert [belief.risk for belief in beliefs] == pytest.approx([0.5] * len(LEVELS))
    assert len({round(belief.sd, 9) for belief in beliefs}) == 1


def test_what_was_seen_at_one_dial_says_less_of_distant_ones() -> None:
    beliefs = believe([tried(0.2, 0.06)] * 6)
    lifts = [belief.lift for belief in beliefs]
    assert lifts == sorted(lifts, reverse=True)
    assert lifts[0] == pytest.approx(np.log(1.2), abs=0.02)
    assert 0 < lifts[-1] < lifts[0]
    sds = [belief.sd for belief in beliefs]
    assert sds == sorted(sds)


def test_a_slate_few_saw_hardly_moves_belief() -> None:
    [few, *_] = believe([tried(0.2, 0.1, visitors=60)])
    [many, *_] = believe([tried(0.2, 0.1)])
    assert few.lift < 0.25 * many.lift


def test_the_best_dial_is_found_and_kept_to() -> None:
    log = [tried(dial, 0.05 + 0.01 * dial) for dial in LEVELS for _ in range(12)]
    proposals = [propose(log, start=0.2, seed=seed) for seed in range(40)]
    assert np.mean([proposal >= 0.6 for proposal in proposals]) >= 0.9


def test_dials_below_the_floor_are_not_tried() -> None:
    """Conversion falls from +10 % at .2 to -20 % at .8: the bold half is left alone."""
    log = [tried(dial, 0.05 * (1.2 - 0.5 * dial)) for dial in LEVELS for _ in range(6)]
    risky = {belief.creativity for belief in believe(log) if belief.risk > 0.1}
    assert {0.7, 0.8} <= risky
    assert not risky & {propose(log, start=0.3, seed=seed) for seed in range(60)}


def test_a_start_below_the_floor_is_left() -> None:
    log = [tried(0.8, 0.04)] * 6 + [tried(0.2, 0.055)] * 6
    assert {propose(log, start=0.8, seed=seed) for seed in range(30)} <= {0.2, 0.3, 0.4}


def test_where_all_fail_the_least_bad_is_proposed() -> None:
    log = [tried(dial, 0.03 - 0.01 * dial) for dial in LEVELS for _ in range(6)]
    assert {propose(log, start=0.5, seed=seed) for seed in range(5)} == {0.2}


def test_the_dial_widens_only_as_what_was_seen_makes_that_safe() -> None:
    """After one good slate the neighbours are open, and no dial beyond what is likely safe."""
    log: list[Tried] = [tried(0.5, 0.056)] * 3
    opened = {belief.creativity for belief in believe(log) if belief.risk <= 0.1}
    assert 0.4 in opened
    assert {propose(log, start=0.5, seed=seed) for seed in range(50)} <= opened | {0.5}


def test_the_same_log_in_any_order_and_seed_give_the_same_dial() -> None:
    log = [tried(dial, 0.05 + 0.002 * n) for n, dial in enumerate(LEVELS)]
    for seed in range(5):
        assert propose(log, start=0.5, seed=seed) == propose(log[::-1], start=0.5, seed=seed)


def test_simulated_schedule_keeps_the_floor_and_earns() -> None:
    """Truth: conversion over control peaks at .6 and falls under the floor at .8."""
    rng = np.random.default_rng(8)
    truth = dict(zip(LEVELS, (1.0, 1.03, 1.07, 1.12, 1.15, 1.0, 0.8), strict=True))
    log: list[Tried] = []
    for turn in range(120):
        dial = propose(log, start=0.4, seed=turn)
        shown, rate = 8_000, 0.05
        log.append(
            Tried(
                creativity=dial,
                visitors=shown,
                conversions=int(rng.binomial(shown, rate * truth[dial])),
                control_visitors=shown,
                control_conversions=int(rng.binomial(shown, rate)),
            )
        )
    late = [truth[each.creativity] for each in log[60:]]
    assert np.mean(late) > 1.1
    assert np.mean([each.creativity == 0.8 for each in log]) < 0.1


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: propose([], start=1.2, seed=1), "creativity"),
        (lambda: propose([], start=0.5, seed=1, floor=0), "floor"),
        (lambda: propose([], start=0.5, seed=1, levels=()), "level"),
        (lambda: believe([tried(1.5, 0.05)]), "creativity"),
        (lambda: believe([tried(0.5, 1.5)]), "conversions"),
    ],
)
def test_numbers_out_of_range_are_bad_input(call: object, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        call()  # pyright: ignore[reportCallIssue]
