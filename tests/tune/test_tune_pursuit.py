"""What a writer in training is paid, what is remembered, and when the watch ends it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput
from hookline.guards import GUARDS, guards_named
from hookline.perceive.encoders import encoder_named
from hookline.tune.duals import Fixed, Weights
from hookline.tune.objectives import (
    CallToAction,
    Candidate,
    Conversion,
    FloatArray,
    MarginalDiversity,
    Objective,
    groups_of,
)
from hookline.tune.pursuit import LOOK_EVERY, Guardian, Pursuit, base_look, candidates_of
from hookline.tune.reward import HeldOut, Lesson, RewardModel
from hookline.tune.watch import Limits, Watch
from hookline.types import Attributes, Audience, Brand, Brief, Product

MUG = Product(id="mug", title="Hearth Enamel Mug")
LINES = ("A mug for camp", "Coffee outdoors", "Your desk, quieter", "Take tea along")
ENCODER = encoder_named("static")


@dataclass(frozen=True)
class Line:
    """A drawn copy."""

    headline: str
    group: int = 0
    cta: str = "Shop now"
    loglik: float = -1.0
    brief: Brief = field(
        default_factory=lambda: make_brief(
            product=MUG,
            audience=Audience(id="all", name="Everybody"),
            channel=channel("onsite_banner"),
            brand=Brand(id="acme", name="Acme"),
            attributes=Attributes(cta="shop"),
        )
    )

    @property
    def parts(self) -> dict[str, str]:
        return {"headline": self.headline, "cta": self.cta}


class Short:
    """Foretells that short copy sells."""

    def predict(self, candidates: Sequence[Candidate], /) -> FloatArray:
        return np.tile([-len(each.text) / 100 for each in candidates], (2, 1))


def batch(count: int = 2) -> list[Line]:
    return [Line(text, group) for group in range(count) for text in LINES]


def pursuit(guardian: Guardian | None = None) -> Pursuit:
    objectives: list[Objective] = [
        Conversion(model=Short()),
        MarginalDiversity(encoder=ENCODER),
        CallToAction(),
    ]
    mix = Weights(goals={"conversion": 1.0}, bounds={"cta": 0.9, "diversity": 0.2})
    return Pursuit(objectives=objectives, mix=mix, guards=guards_named(GUARDS), guardian=guardian)


def held_out() -> HeldOut:
    lessons = [
        Lesson(
            candidate=Candidate(brief=Line(text).brief, parts=Line(text).parts, group=0),
            gain=0.1 * sign,
            precision=50.0,
            stratum=f"{product}",
            product_id=f"{product}",
        )
        for product in range(3)
        for sign, text in ((1, LINES[product]), (-1, LINES[product + 1]))
    ]
    return HeldOut(RewardModel.fit(lessons, ENCODER, seed=1, members=4))


def guardian(limits: Limits | None = None) -> Guardian:
    model = held_out()
    base = base_look([batch()], Conversion(model=Short()), model, entropy=2.0)
    return Guardian(held_out=model, watch=Watch(base=base, limits=limits or Limits()))


def test_pays_what_sells_more_and_what_guards_reject_least() -> None:
    paid = pursuit().pay([*batch(1), Line("The best mug in the world, guaranteed")])
    assert paid.argmin() == 4
    assert paid[:4].argmax() == min(range(4), key=lambda at: len(LINES[at]))


def test_an_unmet_bound_weighs_more_after_each_step() -> None:
    found = replace(pursuit(), guards=())
    for _ in range(3):
        found.pay([replace(line, cta="Learn more") for line in batch()])
    weights = [each.weights["cta"] for each in found.paid]
    assert weights[0] == 0
    assert weights[0] < weights[1] < weights[2]


def test_what_guards_reject_teaches_the_weights_nothing() -> None:
    found = pursuit()
    found.pay([replace(line, cta="Learn more") for line in batch()])
    assert found.paid[0].passed == 0
    assert found.mix.weights["cta"] == 0


def test_no_copy_is_paid_nothing() -> None:
    found = pursuit()
    assert found.pay([]).shape == (0,)
    assert found.paid == []


def test_goes_on_as_it_was_after_it_was_kept() -> None:
    one, other = pursuit(guardian()), pursuit(guardian())
    for step in range(1, 2 * LOOK_EVERY + 1):
        one.pay(batch())
        one.watched(step, 2.0)
        if step == LOOK_EVERY + 1:
            other.load(one.dump())
        elif step > LOOK_EVERY + 1:
            other.pay(batch())
            other.watched(step, 2.0)
    assert other.mix == one.mix
    assert (other.paid, other.looks, other.why) == (one.paid, one.looks, one.why)
    assert len(one.looks) == 2


def test_fixed_weights_are_kept_too() -> None:
    one = replace(pursuit(), mix=Fixed(fixed={"conversion": 1.0}))
    one.pay(batch())
    other = replace(pursuit(), mix=Fixed(fixed={"conversion": 1.0}))
    other.load(one.dump())
    assert other.mix == one.mix


def test_the_watch_ends_a_training_whose_draws_become_one() -> None:
    found = pursuit(guardian())
    going: list[bool] = []
    for step in range(1, 6 * LOOK_EVERY + 1):
        found.pay([Line(LINES[0], group) for group in range(2) for _ in LINES])
        going.append(found.watched(step, 0.1))
    assert all(going[: LOOK_EVERY - 1])
    assert not going[-1]
    assert found.why


def test_a_look_is_left_out_where_too_few_copies_fit() -> None:
    found = pursuit(guardian())
    for step in range(1, LOOK_EVERY + 1):
        found.pay(batch(1))
        assert found.watched(step, 2.0)
    assert found.looks == []


def test_base_look_is_the_mean_of_its_batches() -> None:
    model = held_out()
    found = base_look([batch()], Conversion(model=Short()), model, entropy=1.5)
    assert (found.texts, found.entropy, found.step) == (8, 1.5, 0)
    assert found.proxy.mean == pytest.approx(
        np.mean([-len(each.text) / 100 for each in candidates_of(batch())])
    )
    assert groups_of(candidates_of(batch())).tolist() == [0] * 4 + [1] * 4
    other = [replace(line, headline=f"{line.headline}, and more of it") for line in batch()]
    model_of = Conversion(model=Short())
    both = base_look([batch(), other], model_of, model, entropy=1.5)
    alone = base_look([other], model_of, model, entropy=1.5)
    assert both.texts == 8
    assert both.self_bleu == pytest.approx((found.self_bleu + alone.self_bleu) / 2)
    assert both.held_out.mean == pytest.approx((found.held_out.mean + alone.held_out.mean) / 2)
    with pytest.raises(BadInput, match="as many copies"):
        base_look([batch(), [*batch(), *other]], model_of, model)


def test_much_at_once_is_inspected_in_as_many_looks_as_it_makes() -> None:
    found = pursuit(guardian())
    assert found.inspect([*batch(4), *batch()[:5]], 2) == found.why
    assert [each.step for each in found.looks] == [2, 2]
    assert pursuit().inspect(batch(), 1) == ""


def test_what_is_hardly_fluent_is_paid_like_what_guards_reject() -> None:
    lines = [*batch()[:3], replace(batch()[3], loglik=-9.0)]
    found = replace(pursuit(), floor=-2.0)
    assert found.pay(lines).argmin() == 3
    assert found.paid[0].passed == pytest.approx(0.75)


def test_weights_that_settle_are_found_before_anything_is_paid() -> None:
    found = replace(pursuit(), guards=(), settles=True)
    found.pay([replace(line, cta="Learn more") for line in batch()])
    assert found.paid[0].weights["cta"] > 0
