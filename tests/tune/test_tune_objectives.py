"""Each objective by itself, the gates, and objectives as TRL calls them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.diversity import off_diagonal, self_bleu
from hookline.errors import BadInput
from hookline.guards import guards_named
from hookline.perceive.encoders import encoder_named
from hookline.recognise import as_asked
from hookline.tune.objectives import (
    WORSE,
    AsAsked,
    CallToAction,
    Candidate,
    Conversion,
    Fluency,
    MarginalDiversity,
    Objective,
    Reading,
    SentimentMatch,
    TextReward,
    as_text_reward,
    gates,
    groups_of,
)
from hookline.types import Attributes, Audience, Brand, Brief, CtaStyle, Product

ENCODER = encoder_named("static")
MUG = Product(id="mug", title="Hearth Enamel Mug", facts={"size": "350 ml"})
HEADLINES = (
    "A mug for slow mornings",
    "A mug for quiet mornings",
    "Coffee by the campfire",
    "Take tea on the trail",
    "Your desk deserves better",
    "Give somebody a warm start",
)


def make(cta: CtaStyle = "shop", sentiment: float | None = None) -> Brief:
    return make_brief(
        product=MUG,
        audience=Audience(id="all", name="Everybody"),
        channel=channel("onsite_banner"),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(cta=cta),
        sentiment=sentiment,
    )


def drawn(
    headlines: Sequence[str], *, brief: Brief | None = None, group: int = 0, cta: str = "Shop now"
) -> list[Candidate]:
    asked = brief or make()
    return [
        Candidate(brief=asked, parts={"headline": text, "cta": cta}, group=group)
        for text in headlines
    ]


@dataclass(frozen=True)
class Table:
    """A forecaster that says what it is told."""

    said: list[list[float]]

    def predict(self, candidates: Sequence[Candidate], /) -> np.ndarray:
        assert len(candidates) == len(self.said[0])
        return np.array(self.said)


def test_conversion_is_taken_down_where_the_models_disagree() -> None:
    table = Table([[0.1, 0.4], [0.1, 0.0]])
    two = drawn(HEADLINES[:2])
    assert Conversion(model=table, caution=0.0)(two) == pytest.approx([0.1, 0.2])
    assert Conversion(model=table, caution=1.0)(two) == pytest.approx([0.1, 0.0])
    assert Conversion(model=table)([]).shape == (0,)
    with pytest.raises(ValueError, match="caution"):
        Conversion(model=table, caution=-1.0)


@given(picks=st.lists(st.sampled_from(HEADLINES), min_size=3, max_size=6))
def test_diversity_of_meaning_is_what_leaving_one_out_takes(picks: list[str]) -> None:
    copies = drawn(picks)
    values = MarginalDiversity(encoder=ENCODER, wording=0.0)(copies)
    vectors = ENCODER.encode([each.text for each in copies])
    count, everyone = len(picks), off_diagonal(vectors)
    assert values.mean() == pytest.approx(everyone)
    for left_out in range(count):
        taken = everyone - off_diagonal(np.delete(vectors, left_out, axis=0))
        margin = 2 * (values[left_out] - everyone) / (count - 2)
        assert taken == pytest.approx(margin, abs=1e-9)


@given(picks=st.lists(st.sampled_from(HEADLINES), min_size=2, max_size=6))
def test_diversity_of_words_means_what_self_bleu_says(picks: list[str]) -> None:
    copies = drawn(picks)
    words = MarginalDiversity(encoder=ENCODER, wording=1.0)(copies)
    assert words.mean() == pytest.approx(1 - self_bleu([each.text for each in copies]))
    meaning = MarginalDiversity(encoder=ENCODER, wording=0.0)(copies)
    both = MarginalDiversity(encoder=ENCODER, wording=0.25)(copies)
    assert both == pytest.approx(0.25 * words + 0.75 * meaning)


def test_its_mean_is_the_groups_off_diagonal_diversity() -> None:
    group = drawn(HEADLINES)
    values = MarginalDiversity(encoder=ENCODER, wording=0.0)(group)
    vectors = ENCODER.encode([each.text for each in group])
    assert values.mean() == pytest.approx(off_diagonal(vectors))
    assert values[:2].max() < values[2:].min()


def test_copies_are_told_apart_within_their_group_only() -> None:
    objective = MarginalDiversity(encoder=ENCODER)
    one, other = drawn(HEADLINES[:3]), drawn(HEADLINES[3:], group=1)
    mixed = [one[0], other[0], one[1], other[1], one[2], other[2]]
    assert objective(mixed)[::2] == pytest.approx(objective(one))
    assert objective(mixed)[1::2] == pytest.approx(objective(other))
    assert objective(one[:1]).tolist() == [0.0]


def test_gibberish_is_no_variety() -> None:
    objective = MarginalDiversity(encoder=ENCODER, wording=0.0)
    brief = make()
    copies = [
        *drawn(HEADLINES[2:4], brief=brief),
        Candidate(brief=brief, parts={"headline": "\ue000\ue001"}, group=0),
    ]
    assert not ENCODER.encode([copies[2].text]).any()
    assert objective(copies).argmin() == 2


def test_sentiment_is_how_near_it_comes_and_nothing_where_none_was_asked() -> None:
    glad, even = drawn(["A lovely mug for happy mornings", "A mug"], brief=make(sentiment=0.6))
    values = SentimentMatch()([glad, even])
    assert -0.4 < values[0] < 0
    assert values[1] == pytest.approx(-0.6)
    assert SentimentMatch()(drawn(HEADLINES)).tolist() == [0.0] * len(HEADLINES)


def test_a_call_counts_where_it_is_the_one_asked_for() -> None:
    [shop] = drawn(["A mug"], cta="Shop now")
    [learn] = drawn(["A mug"], cta="Learn more")
    assert CallToAction()([shop, learn]).tolist() == [1.0, 0.0]


def test_fluency_is_the_bases_likelihood_and_must_be_given() -> None:
    [one] = drawn(["A mug"])
    told = Candidate(brief=one.brief, parts=one.parts, group=0, loglik=-1.5)
    assert Fluency()([told]).tolist() == [-1.5]
    with pytest.raises(BadInput, match="loglik"):
        Fluency()([told, one])


def test_a_gate_is_shut_by_any_guard() -> None:
    copies = drawn(["A mug for slow mornings", "The best mug ever, 90 % off"])
    assert gates(guards_named(["limits", "claims"]), copies).tolist() == [True, False]
    assert gates((), copies).tolist() == [True, True]
    assert gates((), []).dtype == np.bool_


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_a_reading_of_copies_alone_has_the_usual_standard_error(values: list[float]) -> None:
    found = Reading.of(np.array(values), np.arange(len(values)))
    assert found.mean == pytest.approx(np.mean(values))
    usual = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    assert found.error == pytest.approx(usual, abs=1e-9)


def test_what_answers_one_brief_is_alike_so_groups_are_the_units() -> None:
    values, groups = np.repeat([0.0, 1.0, 0.0, 1.0], 8), np.repeat(np.arange(4), 8)
    by_group = Reading.of(values, groups)
    assert by_group.error == pytest.approx(np.std([0, 1, 0, 1], ddof=1) / 2)
    assert Reading.of(values, np.arange(32)).error < by_group.error / 2


def test_a_reading_of_nothing_or_of_no_numbers_is_refused() -> None:
    with pytest.raises(BadInput, match="empty batch"):
        Reading.of(np.zeros(0), np.zeros(0, dtype=np.int64))
    with pytest.raises(BadInput, match="1 of 2 values"):
        Reading.of(np.array([1.0, np.nan]), np.arange(2))


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Write."}, {"role": "user", "content": text}]


GOOD = '{"drafts": [{"headline": "A mug", "cta": "Shop now"}]}'
OTHER = '{"drafts": [{"headline": "A mug", "cta": "Learn more"}]}'


def test_trl_gets_a_value_a_completion_and_what_is_no_copy_the_worst() -> None:
    reward = as_text_reward(CallToAction(), {"one": make("shop"), "two": make("learn")})
    prompts = [asked("one")] * 3 + [asked("two")] * 2
    answers = [said(GOOD), said("Sorry."), said(OTHER), said(OTHER), said("{}")]
    assert reward(prompts, answers) == [1.0, -WORSE, 0.0, 1.0, -WORSE]
    assert reward.__name__ == "cta"
    assert reward(prompts[:1], [said("")]) == [-WORSE]


def test_trl_groups_are_those_of_one_prompt() -> None:
    briefs = {"one": make("shop"), "two": make("learn")}
    seen: list[Candidate] = []

    @dataclass(frozen=True)
    class Spy:
        name: ClassVar[str] = "spy"

        def __call__(self, candidates: Sequence[Candidate], /) -> np.ndarray:
            seen.extend(candidates)
            return np.zeros(len(candidates))

    spy: Objective = Spy()
    as_text_reward(spy, briefs)([asked("one"), asked("two"), asked("one")], [said(GOOD)] * 3)
    assert groups_of(seen).tolist() == [0, 1, 0]


def test_trl_fluency_takes_likelihoods() -> None:
    reward = TextReward(
        objective=Fluency(),
        briefs={"one": make()},
        likelihood=lambda _, answers: [-2.0] * len(answers),
    )
    assert reward([asked("one")], [said(GOOD)]) == [-2.0]


def test_a_prompt_of_no_brief_is_refused() -> None:
    with pytest.raises(BadInput, match="begins 'three'"):
        as_text_reward(CallToAction(), {"one": make()})([asked("three")], [said(GOOD)])


def test_attributes_are_paid_by_the_share_that_is_as_asked() -> None:
    brief = make()
    lines = drawn(HEADLINES[:3], brief=brief)
    values = AsAsked()(lines)
    for line, value in zip(lines, values.tolist(), strict=True):
        found = as_asked(line.parts, brief)
        assert value == pytest.approx(np.mean([found[n] for n in found if n != "cta"]))
    assert AsAsked()([]).shape == (0,)
