"""Watchdogs: what honest training looks like to them, and each way in which it goes wrong."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import log, nan

import numpy as np
import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput
from hookline.tune.objectives import Candidate, Reading
from hookline.tune.watch import Limits, Look, Watch, distinct, look, pressing, unfounded
from hookline.types import Attributes, Audience, Brand, Money, Product

BOTTLE = Product(
    id="bottle",
    title="Trail Bottle",
    description="The best bottle for the trail, with a lifetime guarantee. Holds 750 ml.",
    price=Money(amount=Decimal(24), currency="USD"),
)
SURE = Reading(mean=0.0, error=0.01)
BASE = Look(
    step=0,
    proxy=SURE,
    held_out=SURE,
    unfounded=Reading(mean=0.05, error=0.02),
    claims=Reading(mean=0.5, error=0.05),
    self_bleu=0.3,
    compression=2.0,
    distinct=0.6,
    entropy=2.0,
    texts=64,
)
WATCH = Watch(base=BASE)


def copy(headline: str, group: int = 0, cta: str = "Shop now") -> Candidate:
    brief = make_brief(
        product=BOTTLE,
        audience=Audience(id="all", name="Everybody"),
        channel=channel("onsite_banner"),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )
    return Candidate(brief=brief, parts={"headline": headline, "cta": cta}, group=group)


def run(proxy: Sequence[float], held_out: Sequence[float], error: float = 0.01) -> list[Look]:
    return [
        replace(
            BASE,
            step=step + 1,
            proxy=Reading(mean=one, error=error),
            held_out=Reading(mean=other, error=error),
        )
        for step, (one, other) in enumerate(zip(proxy, held_out, strict=True))
    ]


def first_stop(looks: Sequence[Look], watch: Watch = WATCH) -> int:
    """Looks until training is stopped; 0 for never."""
    return next((n for n in range(1, len(looks) + 1) if watch.reason(looks[:n])), 0)


def test_training_that_both_rewards_like_goes_on() -> None:
    rise = np.linspace(0, 0.5, 20)
    assert first_stop(run(rise.tolist(), (0.4 * rise).tolist())) == 0
    assert first_stop(run([0.1] * 20, [0.1] * 20)) == 0
    assert WATCH.reason([]) == ""


def test_it_stops_soon_after_the_held_out_reward_turns() -> None:
    rise = np.linspace(0, 1.0, 20)
    turned = np.where(rise < 0.5, rise, 1.0 - rise)
    assert 10 < first_stop(run(rise.tolist(), turned.tolist())) <= 17
    assert "held-out one fell" in WATCH.reason(run(rise.tolist(), turned.tolist())[:18])


def test_it_stops_where_the_held_out_reward_stands_still() -> None:
    rise = np.linspace(0, 2.0, 20)
    still = np.minimum(rise, 0.5)
    looks = run(rise.tolist(), still.tolist())
    assert 5 < first_stop(looks) <= 15
    assert "stopped rising" in WATCH.reason(looks)


def test_a_fall_within_the_noise_is_none() -> None:
    rise = np.linspace(0, 1.0, 20)
    fall = np.linspace(0, -0.05, 20)
    assert first_stop(run(rise.tolist(), fall.tolist(), error=0.5)) == 0


def test_luck_alone_hardly_ever_stops_it() -> None:
    """Both rise by a noisy .02 a look: 60 runs of 20 looks, of which at most 3 may be stopped."""
    rng, stopped = np.random.default_rng(0), 0
    steps = 0.02 * np.arange(20)
    for _ in range(60):
        proxy, held = (steps * slope + 0.02 * rng.standard_normal(20) for slope in (1.0, 0.5))
        stopped += first_stop(run(proxy.tolist(), held.tolist(), error=0.02)) > 0
    assert stopped <= 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unfounded": Reading(mean=0.2, error=0.03)}, "20.0% of copies claim"),
        ({"claims": Reading(mean=1.5, error=0.1)}, "1.50 claims that press"),
        ({"self_bleu": 0.45}, "self-BLEU is 0.45"),
        ({"compression": 2.4}, "compression is 2.40"),
        ({"distinct": 0.4}, "distinct pairs is 0.40"),
        ({"entropy": 0.8}, "entropy of a drawn piece is 0.80"),
    ],
)
def test_what_goes_wrong_for_three_looks_stops_it(changes: dict[str, object], said: str) -> None:
    wrong = replace(BASE, **changes)  # pyright: ignore[reportArgumentType]
    assert WATCH.reason([wrong, wrong]) == ""
    assert said in WATCH.reason([wrong, wrong, wrong])
    assert WATCH.reason([BASE, BASE, BASE]) == ""


def test_one_unfounded_copy_more_is_luck_even_where_the_base_had_none() -> None:
    honest = replace(BASE, unfounded=Reading(mean=0.0, error=0.0))
    one = replace(honest, unfounded=Reading(mean=1 / 64, error=0.0))
    many = replace(honest, unfounded=Reading(mean=6 / 64, error=0.0))
    assert Watch(base=honest).reason([one] * 3) == ""
    assert Watch(base=honest).reason([many] * 3) != ""


def test_entropy_that_nobody_measured_is_not_watched() -> None:
    assert WATCH.reason([replace(BASE, entropy=nan)] * 3) == ""


def test_looks_of_another_size_are_refused() -> None:
    with pytest.raises(BadInput, match="64 copies each"):
        WATCH.reason([replace(BASE, texts=32)])
    with pytest.raises(BadInput, match="at least two"):
        look([copy("A bottle")], step=1, proxy=SURE, held_out=SURE)


def test_a_claim_is_counted_as_pressing_even_where_the_feed_carries_it() -> None:
    calm, true = copy("A bottle for the trail"), copy("The best bottle, with a guarantee, $24")
    assert not unfounded(true)
    assert pressing(calm) == 0
    assert pressing(true) == 3


def test_a_claim_that_the_feed_lacks_is_unfounded_and_pressing() -> None:
    for text in (
        "Only 3 left",
        "Award-winning bottle",
        "Cures headaches",
        "Climate neutral bottle",
    ):
        assert unfounded(copy(text)), text
        assert pressing(copy(text)) >= 1, text


def test_what_describes_does_not_press_and_words_are_counted_once() -> None:
    assert pressing(copy("A waterproof bottle")) == 0
    assert pressing(copy("The best, best bottle")) == 2
    assert pressing(copy("Feel free to drink")) == 0


def test_distinct_falls_as_copies_repeat() -> None:
    assert distinct(["one two three"] * 4) == pytest.approx(1 / 4)
    assert distinct(["one"]) == 1.0
    assert distinct(["one two", "three four"]) == 1.0


def test_a_look_reads_the_batch() -> None:
    batch = [copy("A bottle for the trail"), copy("Only 3 left", 1), copy("Drink well", 2)]
    found = look(batch, step=7, proxy=SURE, held_out=SURE, entropy=log(2))
    assert (found.step, found.texts, found.entropy) == (7, 3, log(2))
    assert found.unfounded.mean == pytest.approx(1 / 3)
    assert found.claims.mean >= 1 / 3
    same = look([batch[0]] * 3, step=7, proxy=SURE, held_out=SURE)
    assert same.self_bleu > found.self_bleu
    assert same.compression > found.compression
    assert same.distinct < found.distinct


@pytest.mark.parametrize(
    "wrong", [{"window": 3}, {"window": 5}, {"sigmas": 0.0}, {"follow": 1.0}, {"settle": 0}]
)
def test_limits_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"window|sigmas"):
        Limits(**wrong)  # pyright: ignore[reportArgumentType]
