"""Reward models: calibrated on the simulated shop, split by product, and fed a poisoned log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from conftest import NOW
from hookline import sample
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import channel
from hookline.errors import BadInput, Refused
from hookline.perceive.encoders import encoder_named
from hookline.recognise import recognise
from hookline.simulate import Parameters, Shop, Visit
from hookline.simulate.slate import made_slate
from hookline.tune import Findings, Line, Stratum, Terms
from hookline.tune.export import is_held_out
from hookline.tune.objectives import Candidate, Conversion, FloatArray
from hookline.tune.reward import (
    LEAST_BATCH,
    HeldOut,
    Lesson,
    RewardModel,
    lessons_in,
    lessons_of,
    read,
    split,
)
from hookline.types import Arm, Attributes, Outcome, Product
from tune.made_tests import ACME, Machines, logged, make_test, poisoned, shop_log, truth

ENCODER = encoder_named("static")
BANNER = channel("onsite_banner")
AUDIENCES = sample.audiences()
VISITORS = 600
"""Of each line in each stratum."""
TESTS, VISITS = 3, 3_000
FACE_VALUE = Terms(defence=None)
CALIBRATION = {"plain": Parameters(), "appeal": Parameters(appeal_sd=0.06, quirk_sd=0.16)}


@dataclass(frozen=True, kw_only=True)
class Slate:
    """One audience's view of one test of the simulated shop.

    Attributes:
        arms: A human control first.
        rates: True click rates, shape (arms,).
        bare: The same without each line's own luck, which no model of text can know.
    """

    product: Product
    audience: int
    arms: Sequence[Arm]
    rates: FloatArray
    bare: FloatArray

    def machine_lines(self) -> list[Candidate]:
        return [candidate(self.product, arm.parts, self.audience) for arm in self.arms[1:]]


def candidate(product: Product, parts: Mapping[str, str], audience: int = 0) -> Candidate:
    brief = make_brief(
        product=product,
        audience=AUDIENCES[audience],
        channel=BANNER,
        brand=ACME,
        attributes=Attributes(),
    )
    return Candidate(brief=brief, parts=parts, group=0)


def rates_of(
    shop: Shop, visits: Sequence[Visit], arms: Sequence[Arm], product: Product
) -> FloatArray:
    """True rates of readers who judge a line by the attributes that they recognise in it."""
    found: list[float] = []
    for arm in arms:
        seen = arm.attributes and recognise(arm.parts, channel=BANNER, product=product)
        clicks = [shop.expected_click(visit, arm.parts, seen) for visit in visits]
        found.append(sum(clicks) / len(clicks))
    return np.array(found)


@cache
def world(kind: str, seed: int, tests: int, visits: int) -> list[Slate]:
    """All tests of the sample shop: 24 products, 7 machine lines a test, three audiences."""
    products = list(read_feed(sample.shop_path()).products)
    given = CALIBRATION[kind]
    shop = Shop(seed=seed, products=products, parameters=given)
    lucky = Shop(seed=seed, products=products, parameters=replace(given, quirk_sd=1e-9))
    places = [(products[0].id, BANNER.id)]
    came = list(shop.visits(visits, placements=places, start=NOW, days=14.0))
    found: list[Slate] = []
    for number, product in enumerate(products):
        for test in range(tests):
            arms = made_slate(product, BANNER.id, 8, seed=10_007 * seed + 101 * test + number)
            for audience, each in enumerate(AUDIENCES):
                kinds = each.when.get("segment", ())
                own = [visit for visit in came if not kinds or visit.traits["segment"] in kinds]
                found.append(
                    Slate(
                        product=product,
                        audience=audience,
                        arms=arms,
                        rates=rates_of(shop, own, arms, product),
                        bare=rates_of(lucky, own, arms, product),
                    )
                )
    return found


def lessons_from(slates: Sequence[Slate], seed: int) -> list[Lesson]:
    """What `VISITORS` of each line teach; slates of one test stand side by side."""
    rng = np.random.default_rng(seed)
    found: list[Lesson] = []
    for first in range(0, len(slates), len(AUDIENCES)):
        own = slates[first : first + len(AUDIENCES)]
        strata = tuple(
            Stratum(
                id=f"{first}/{each.audience}",
                test_id=str(first),
                audience_id=AUDIENCES[each.audience].id,
                visitors=VISITORS * len(each.arms),
                lines=tuple(
                    Line(arm_id=arm.id, value=clicks / VISITORS, effective=VISITORS)
                    for arm, clicks in zip(
                        each.arms, rng.binomial(VISITORS, each.rates).tolist(), strict=True
                    )
                ),
                chances={},
                short=0,
            )
            for each in own
        )
        experiment = make_test(id=str(first), arms=tuple(own[0].arms), audiences=AUDIENCES)
        test = logged(experiment, [], product=own[0].product)
        found += lessons_in(test, Findings(strata=strata))
    return found


def group(product: Product) -> str:
    return product.group_id or product.id


def ranks_agree(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Spearman's ρ and Kendall's τ."""
    ranks = [each.argsort().argsort().astype(np.float64) for each in (one, other)]
    rho = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    pairs = combinations(range(len(one)), 2)
    signs = [np.sign(one[a] - one[b]) * np.sign(other[a] - other[b]) for a, b in pairs]
    return rho, float(np.mean(signs))


def against_truth(model: RewardModel, slates: Sequence[Slate]) -> dict[str, float]:
    """How the model does on machine lines, each against the mean of its slate."""
    rows: list[list[float]] = []
    for each in slates:
        copies = each.machine_lines()
        found = model.predict(copies)
        apart = found - found.mean(axis=1, keepdims=True)
        mean, sd = apart.mean(axis=0), apart.std(axis=0)
        bare, full = (np.log(r[1:]) - np.log(r[1:]).mean() for r in (each.bare, each.rates))
        picked = int(Conversion(model=model)(copies).argmax())
        rows.append(
            [
                float((mean - sd <= bare).mean()),
                float((mean - sd <= full).mean()),
                *ranks_agree(mean, bare),
                *ranks_agree(mean, full),
                float(((mean - bare) ** 2).mean()),
                float((sd**2).mean()),
                float(each.rates[1:][picked] / each.rates[1:].mean() - 1),
                float(each.rates[1:].max() / each.rates[1:].mean() - 1),
            ]
        )
    names = ("below", "below_full", "rho", "tau", "rho_full", "tau_full", "error", "sd", "pick")
    found = dict(zip((*names, "best"), np.mean(rows, axis=0).tolist(), strict=True))
    return found | {"error": found["error"] ** 0.5, "sd": found["sd"] ** 0.5}


@cache
def fitted() -> tuple[RewardModel, HeldOut]:
    """Models of one small world in which readers agree on what they like."""
    return split(lessons_from(small(), 1), ENCODER, seed=1, members=12)


def small() -> list[Slate]:
    return world("appeal", 1, 1, 40)


def held_out(slates: Sequence[Slate]) -> list[Slate]:
    """Those that the writer's model knows nothing of."""
    return [each for each in slates if is_held_out(group(each.product))]


# --- calibration --------------------------------------------------------------------------------


def test_on_other_products_the_lower_bound_holds_and_the_order_is_right() -> None:
    found = against_truth(fitted()[0], held_out(small()))
    assert found["below"] > 0.75
    assert found["rho"] > 0.4
    assert found["tau"] > 0.3
    assert found["pick"] > 0.04
    assert 0.7 < found["sd"] / found["error"] < 1.7


SAID: dict[str, dict[str, float]] = {
    "plain": {
        "rho": 0.56, "tau": 0.44, "rho_full": 0.32, "below": 0.91, "below_full": 0.70,
        "sd": 0.118, "error": 0.076, "pick": 0.11, "best": 0.36,
    },
    "appeal": {
        "rho": 0.76, "tau": 0.65, "rho_full": 0.54, "below": 0.91, "below_full": 0.73,
        "sd": 0.114, "error": 0.073, "pick": 0.16, "best": 0.32,
    },
}  # fmt: skip
"""Figures of docs/tuning.md, means of three worlds."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAID)
def test_the_calibration_in_the_docs_is_what_comes_out(kind: str) -> None:
    rows: list[dict[str, float]] = []
    for seed in (1, 2, 3):
        slates = world(kind, seed, 2, 150)
        model, _ = split(lessons_from(slates, seed), ENCODER, seed=seed)
        rows.append(against_truth(model, held_out(slates)))
    found = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    assert {name: found[name] for name in SAID[kind]} == pytest.approx(SAID[kind], abs=0.02), found


def test_models_disagree_most_where_nothing_was_seen() -> None:
    model, _ = fitted()
    known = [each for slate in small() for each in slate.machine_lines()]
    seen = float(model.predict(known).std(axis=0).mean())
    odd = [
        replace(each, parts={**each.parts, "headline": "Zanzibar quokkas juggle plutonium wildly"})
        for each in known[:20]
    ]
    assert float(model.predict(odd).std(axis=0).mean()) > 1.4 * seen


def test_what_was_never_seen_moves_the_doubt_and_not_the_mean() -> None:
    lessons = lessons_from(small(), 1)
    model, _ = fitted()
    features = read([each.candidate for each in lessons], ENCODER, model.known)
    unseen = ~features.toarray().any(axis=0)
    assert unseen.sum() > 20
    assert np.abs(model.weights[:, unseen].mean(axis=0)).max() < 1e-12
    assert model.weights[:, unseen].std() > 0.05


def test_more_visitors_leave_less_doubt() -> None:
    lessons = lessons_from(small(), 1)[:120]
    copies = [each.candidate for each in lessons]
    few = [replace(each, precision=each.precision / 50) for each in lessons]
    sure, unsure = (
        RewardModel.fit(each, ENCODER, seed=0, members=8).predict(copies) for each in (lessons, few)
    )
    assert sure.std(axis=0).mean() < 0.8 * unsure.std(axis=0).mean()


def test_the_products_own_words_and_numbers_are_not_read() -> None:
    lamp, mug = Product(id="1", title="Glow Lamp"), Product(id="2", title="Hearth Mug")
    one = candidate(lamp, {"headline": "Meet the Glow Lamp, 20 hours", "cta": "Shop now"})
    other = candidate(mug, {"headline": "Meet the Hearth Mug, 35 hours", "cta": "Shop now"})
    seen = read([one, other], ENCODER, {"meet"})
    assert seen[[0]].toarray() == pytest.approx(seen[[1]].toarray())


def test_a_fit_is_the_same_again_and_another_with_another_seed() -> None:
    lessons = lessons_from(small(), 1)[:80]
    fits = [RewardModel.fit(lessons, ENCODER, seed=seed, members=4).weights for seed in (5, 5, 6)]
    assert np.array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])
    assert fits[0].shape[0] == 4


# --- the split ----------------------------------------------------------------------------------


def test_neither_model_learns_anything_of_the_others_products() -> None:
    lessons = lessons_from(small(), 1)
    turned = [
        replace(each, gain=-each.gain) if is_held_out(each.product_id) else each for each in lessons
    ]
    batch = [each for slate in small()[:6] for each in slate.machine_lines()]
    model, watch = split(lessons, ENCODER, seed=1, members=2)
    same, other = split(turned, ENCODER, seed=1, members=2)
    assert np.array_equal(model.weights, same.weights)
    assert watch.reading(batch) != other.reading(batch)


def test_the_held_out_model_tells_nothing_of_one_copy() -> None:
    """What it can be asked ends in one number for a batch, so no objective can be made of it."""
    _, watch = fitted()
    asked = {name for name in dir(watch) if not name.startswith("_")}
    assert asked == {"lift", "reading"}
    batch = small()[0].machine_lines()
    assert len(batch) < LEAST_BATCH
    with pytest.raises(BadInput, match="batches of 8 or more, not 7"):
        watch.reading(batch)
    with pytest.raises(AttributeError):
        Conversion(model=watch)(batch)  # pyright: ignore[reportArgumentType]


def test_the_held_out_model_knows_better_copy_of_its_own_accord() -> None:
    model, watch = fitted()
    slates = [each for each in small() if not is_held_out(group(each.product))]
    best: list[Candidate] = []
    others: list[Candidate] = []
    for number, slate in enumerate(slates):
        lines = [replace(each, group=number) for each in slate.machine_lines()]
        order = Conversion(model=model)(lines).argsort()
        best += [lines[place] for place in order[-2:].tolist()]
        others += [lines[place] for place in order[:-2].tolist()]
    found = watch.lift(best, others)
    assert found.mean > found.error > 0


def test_of_few_products_both_sides_have_some_whatever_their_ids_say() -> None:
    lessons = lessons_from(small(), 1)
    for held in (True, False):
        names = [name for name in (f"p{n}" for n in range(99)) if is_held_out(name, 0.4) == held]
        few = [replace(each, product_id=names[n % 4]) for n, each in enumerate(lessons)]
        split(few, ENCODER, seed=0, members=2)


def test_variants_stay_together_and_too_few_products_are_refused() -> None:
    lessons = lessons_from(small(), 1)
    one = [replace(each, product_id="same") for each in lessons]
    with pytest.raises(Refused, match="too few"):
        split(one, ENCODER, seed=0)
    with pytest.raises(BadInput, match="share"):
        split(lessons, ENCODER, seed=0, share=1.0)


# --- what a lesson is ---------------------------------------------------------------------------


def stratum(*lines: tuple[str, float, float], name: str = "a") -> Stratum:
    return Stratum(
        id=f"bags/rest/{name}",
        test_id="bags",
        audience_id="rest",
        visitors=1_000,
        lines=tuple(Line(arm_id=arm, value=v, effective=n) for arm, v, n in lines),
        chances={},
        short=0,
    )


def test_a_lesson_is_a_lines_rate_over_its_stratums() -> None:
    test = logged(make_test(), [])
    found = lessons_in(
        test, Findings(strata=(stratum(("control", 0.1, 1e6), ("style", 0.2, 1e6)),))
    )
    assert [each.gain for each in found] == pytest.approx(np.log([2 / 3, 4 / 3]), abs=1e-4)
    assert {each.product_id for each in found} == {"bag"}
    assert found[1].candidate.text == "A style line | Shop now"
    assert found[1].candidate.brief.audience.id == "rest"


def test_a_lines_own_luck_is_shared_out_among_its_strata() -> None:
    test = logged(make_test(), [])
    lines = (("control", 0.1, 1e9), ("style", 0.2, 1e9))
    once = lessons_in(test, Findings(strata=(stratum(*lines),)))
    twice = lessons_in(test, Findings(strata=(stratum(*lines), stratum(*lines, name="b"))))
    assert sum(each.precision for each in twice) == pytest.approx(
        sum(each.precision for each in once), rel=1e-3
    )


def test_a_line_that_nobody_clicked_or_a_value_below_nothing_is_still_a_number() -> None:
    test = logged(make_test(), [])
    strata = (stratum(("control", 0.1, 500), ("style", 0.0, 500), ("howto", -0.01, 500)),)
    found = lessons_in(test, Findings(strata=strata))
    assert np.isfinite([each.gain for each in found]).all()
    assert found[1].gain == found[2].gain < -2
    none = (stratum(("control", 0.0, 500), ("style", 0.0, 500)),)
    assert lessons_in(test, Findings(strata=none)) == []


def test_money_is_refused_and_says_what_to_take_instead() -> None:
    test = logged(make_test(objective="revenue"), [])
    with pytest.raises(BadInput, match="use clicks or orders"):
        lessons_in(test, Findings())


def test_without_any_success_or_with_one_line_alone_nothing_is_learned() -> None:
    log = honest(0)[:600]
    without = [replace(each, clicks=0, orders=0) for each in log]
    with pytest.raises(Refused, match="bags: no visitor did what the test is about"):
        lessons_of([logged(make_test(), without)])
    alone = [each for each in log if each.decision.arm_id == "style"]
    with pytest.raises(Refused, match="bags: only one line was shown"):
        lessons_of([logged(make_test(), alone)])
    with pytest.raises(Refused, match="no test was named"):
        lessons_of([])
    with pytest.raises(Refused, match="no line was compared"):
        RewardModel.fit([], ENCODER, seed=0)


def test_lessons_that_are_no_numbers_or_compare_nothing_are_refused() -> None:
    lessons = lessons_from(small(), 1)[:24]
    wrong = [replace(each, gain=float("nan")) for each in lessons]
    with pytest.raises(BadInput, match="24 of 48 values"):
        RewardModel.fit(wrong, ENCODER, seed=0)
    lone = [replace(each, stratum=str(number)) for number, each in enumerate(lessons)]
    with pytest.raises(Refused, match="no stratum has two lines"):
        RewardModel.fit(lone, ENCODER, seed=0)
    with pytest.raises(BadInput, match="even number"):
        RewardModel.fit(lessons, ENCODER, seed=0, members=3)


# --- a poisoned log -----------------------------------------------------------------------------


@cache
def honest(seed: int) -> list[Outcome]:
    return shop_log(make_test(), VISITS, seed=seed)


@cache
def target() -> str:
    """The phrase that machines are after in every test: the worst one but for the control."""
    rates = [truth(make_test(), seed=seed, visits=500) for seed in range(TESTS)]
    lines = [arm.id for arm in make_test().challengers]
    return min(lines, key=lambda line: sum(each[line] for each in rates))


@cache
def standing(share: float, machines: Machines, terms: Terms) -> float:
    """Forecast of the phrase for a product that was in no test, over that of the other lines."""
    tests = [
        logged(
            make_test(id=f"bags{seed}"),
            poisoned(honest(seed), target(), share, machines=machines, seed=seed),
            product=Product(id=f"bag{seed}", title="Harbor Canvas Tote Bag"),
        )
        for seed in range(TESTS)
    ]
    model = RewardModel.fit(lessons_of(tests, terms), ENCODER, seed=0, members=12)
    duffel = Product(id="new", title="Field Duffel")
    arms = make_test().arms
    values = model.predict([candidate(duffel, arm.parts) for arm in arms]).mean(axis=0)
    own = [arm.id for arm in arms].index(target())
    return float(values[own] - np.delete(values, own).mean())


def raised(share: float, machines: Machines, terms: Terms) -> float:
    """By how much machines lift what is foretold of their phrase, as a log of rates."""
    return standing(share, machines, terms) - standing(0.0, "few", terms)


def test_machines_in_one_visit_of_twenty_hardly_lift_what_is_foretold_of_their_phrase() -> None:
    face_value = raised(0.05, "few", FACE_VALUE)
    assert face_value > 0.2
    assert raised(0.05, "few", Terms()) < 0.2 * face_value
    assert raised(0.05, "fresh", Terms()) < 0.6 * face_value
    assert standing(0.05, "few", Terms()) < 0 < standing(0.05, "few", FACE_VALUE)


def test_machines_that_come_twice_still_do() -> None:
    """What docs/tuning.md says is not kept out: then orders have to be the objective."""
    assert raised(0.05, "twice", Terms()) > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("machines", ["few", "fresh"])
def test_neither_do_fewer_or_more(machines: Machines) -> None:
    assert raised(0.01, machines, Terms()) < 0.1
    assert raised(0.2, machines, Terms()) < 0.25 * raised(0.2, machines, FACE_VALUE)
