"""Rows of logged lines, drawn copies and their likelihood: what tuning needs before any torch."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.brief import make_brief
from hookline.channels import CHANNELS, channel
from hookline.errors import BadInput
from hookline.house.evaluate import surprise
from hookline.house.export import export
from hookline.house.pieces import Pieces
from hookline.house.rows import Row, Written
from hookline.tune.house import Sample, advantages, can_write, draw, likelihood, row_of
from hookline.types import Attributes, Audience, Brand, Brief, Money, Product
from hookline.writers.house import DEFAULT
from hookline.writers.house.marks import MARKS
from hookline.writers.house.network import Network
from hookline.writers.house.sampler import Luck
from hookline.writers.phrasebook import Phrasebook
from made_house import CONDITIONS, PIECES, RECIPE, WORDS, weights

TOTE = Product(
    id="tote-1",
    title="Harbor Canvas Tote Bag",
    brand="Harbor",
    price=Money(amount=Decimal("49.99"), currency="USD"),
    highlights=("Inside pocket with zip",),
)
WORDS_SAID = ("the", "for", "you", "bag", "see")
NAME, THE_NAME, NOUN, NOUNS = (MARKS[slot] for slot in ("name", "the_name", "noun", "nouns"))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Random weights; every letter is a piece, so that whatever is drawn can be read back."""
    folder = tmp_path_factory.mktemp("house")
    pieces = (*PIECES, *sorted(set("".join(WORDS)) - set(WORDS)))
    export(weights(0, pieces), folder, recipe=RECIPE, pieces=pieces, conditions=CONDITIONS)
    return Network.load(folder)


@pytest.fixture(scope="module")
def shipped() -> Network:
    """The model that ships: unlike random weights, it puts blanks between words."""
    return Network.load(DEFAULT)


def brief(name: str = "onsite_banner", **changes: object) -> Brief:
    parts: dict[str, object] = {
        "product": TOTE,
        "audience": Audience(id="all", name="All", motives=("quality",)),
        "channel": CHANNELS.get(name) or channel(name),
        "brand": Brand(id="shop", name="The Shop"),
        "attributes": Attributes(proof="price"),
    }
    return make_brief(**(parts | changes))  # pyright: ignore[reportArgumentType]


def said(text: str, **changes: object) -> Row | None:
    return row_of({"headline": text, "cta": "Shop now"}, brief("onsite_banner", **changes))


def masked(text: str, **changes: object) -> str:
    row = said(text, **changes)
    assert row is not None
    return row.fields[0].text


def drawn(net: Network, asked: Brief, count: int = 60) -> Iterator[Sample]:
    for each in draw(net, [asked], count, seed=3):
        if each.fit:
            yield each


def said_word(each: Sample) -> bool:
    return any(regex.search(rf"\b{word}\b", " ".join(each.parts.values())) for word in WORDS_SAID)


# --- lines that were logged --------------------------------------------------------------------


def test_the_products_own_facts_become_slots() -> None:
    row = said("The Harbor tote bag, now $49.99. See tote bags")
    assert row is not None
    text, cta = (spot.text for spot in row.fields)
    assert text == f"{THE_NAME}, now {MARKS['price']}. See {NOUNS}"
    assert row.fields[0].widths == (len("the Harbor tote bag"), len("$49.99"), len("tote bags"))
    assert cta == "Shop now"
    assert "has price" in row.conditions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Meet the Harbor Canvas Tote Bag", f"Meet {THE_NAME}"),
        ("Meet your Harbor Canvas Tote Bag", f"Meet your {NAME}"),
        ("A tote bag to keep", f"{MARKS['a_noun']} to keep"),
        ("Pick your tote bag", f"Pick your {NOUN}"),
        ("Find a new tote bag", f"Find {MARKS['new_noun']}"),
        ("Made for you", "Made for you"),
    ],
)
def test_the_longest_slot_that_stands_in_a_text_is_taken(text: str, found: str) -> None:
    assert masked(text) == found


def test_where_noun_and_plural_are_one_word_the_plural_is_taken() -> None:
    socks = Product(id="s", title="Aurora Merino Wool Socks")
    assert masked("Soft socks", product=socks) == f"Soft {NOUNS}"


@pytest.mark.parametrize(
    "text",
    [
        "Meet your Harbor",
        "Now $39",
        "2 pockets",
        "Canvas, kept plain",
        "A \ue000 of one's own",
        "",
    ],
)
def test_what_would_be_learned_by_heart_is_no_row(text: str) -> None:
    assert said(text) is None


def test_a_line_that_the_model_cannot_be_asked_for_is_no_row() -> None:
    assert said("Made for you", locale="xx") is None
    nameless = replace(brief(), product=replace(TOTE, title="  "))
    parts = {"headline": "Made for you", "cta": "Shop"}
    assert row_of(parts, brief()) is not None
    assert row_of(parts, nameless) is None
    assert row_of({"headline": "Made for you"}, brief()) is None


def test_a_text_with_a_rare_character_is_no_row_for_pieces_without_it(net: Network) -> None:
    parts = {"headline": "see the bag.", "cta": "see!"}
    pieces = Pieces(net.build.pieces)
    assert row_of(parts, brief(), pieces) is not None
    assert row_of({**parts, "headline": "see ☃"}, brief()) is not None
    assert row_of({**parts, "headline": "see ☃"}, brief(), pieces) is None


@given(st.sampled_from(sorted(CHANNELS)), st.sampled_from(["price", "brand", "spec"]))
@settings(max_examples=12)
def test_what_the_phrasebook_says_can_be_said_with_slots(name: str, proof: str) -> None:
    asked = brief(name, attributes=Attributes(proof=proof))  # pyright: ignore[reportArgumentType]
    for draft in Phrasebook().write(asked, 3, seed=1):
        row = row_of(draft.parts, asked)
        assert row is not None, draft.parts
        assert not any(word in str(row.fields) for word in ("Harbor", "Canvas", "zip", "49"))


# --- copies that are drawn ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["onsite_banner", "push"])
def test_a_drawn_copy_read_back_is_the_row_that_was_drawn(shipped: Network, name: str) -> None:
    for proof in ("price", "brand"):
        asked = brief(name, attributes=Attributes(proof=proof))
        copies = [each for each in draw(shipped, [asked], 8, seed=3) if each.fit]
        assert len(copies) > 3
        for each in copies:
            assert each.row == row_of(each.parts, asked)


def test_draws_are_grouped_seeded_and_say_what_fits(net: Network) -> None:
    strict = replace(brief().brand, banned_terms=WORDS_SAID)
    briefs = [brief("sms"), brief(), brief(brand=strict), brief("sms", locale="en-GB")]
    copies = draw(net, briefs, 40, seed=(1, 2))
    assert [each.group for each in copies] == [at for at in range(4) for _ in range(40)]
    assert all(each.brief == briefs[each.group] for each in copies)
    assert copies == draw(net, briefs, 40, seed=(1, 2))
    assert copies != draw(net, briefs, 40, seed=(1, 3))
    assert {each.fit for each in copies} == {True, False}
    unended = [each for each in copies if each.row is None]
    assert unended
    assert all(not each.parts and not each.fit for each in unended)
    banned = [each for each in copies if each.group == 2 and said_word(each)]
    assert banned
    assert not any(each.fit for each in banned)
    assert all(each.row is not None for each in banned)


def test_a_brief_that_the_model_cannot_write_for_is_refused(net: Network) -> None:
    for asked in (brief(locale="de"), replace(brief(), product=replace(TOTE, title=" "))):
        assert not can_write(net, asked)
        with pytest.raises(BadInput, match="can't write"):
            draw(net, [brief(), asked], 2, seed=0)
    assert can_write(net, brief())


# --- how likely rows are -----------------------------------------------------------------------


def test_likelihood_is_that_of_the_surprise(net: Network) -> None:
    rows = [each.row for each in drawn(net, brief(), 80) if each.row is not None]
    known = [only_known(row, net) for row in rows]
    alone = [surprise(net, [row], most=1, seed=0).perplexity for row in known]
    assert len(rows) > 3
    assert likelihood(net, rows) == pytest.approx(-np.log(alone), rel=1e-4)


def only_known(row: Row, net: Network) -> Row:
    """The row asked only for what the model knows; `surprise` leaves out others."""
    known = net.build.conditions
    spots = [
        Written(
            conditions=tuple(name for name in spot.conditions if name in known),
            room=spot.room,
            text=spot.text,
            widths=spot.widths,
        )
        for spot in row.fields
    ]
    conditions = tuple(name for name in row.conditions if name in known)
    return Row(source=row.source, conditions=conditions, fields=tuple(spots))


def test_likelihood_of_what_the_model_cannot_read_is_none(net: Network) -> None:
    good = next(each.row for each in drawn(net, brief()) if each.row is not None)
    odd = Row(source="copy", conditions=(), fields=(Written(conditions=(), room=20, text="☃"),))
    found = likelihood(net, [odd, good])
    assert np.isnan(found[0])
    assert found[1] < 0


def test_the_likeliest_draws_are_likelier_than_others(shipped: Network) -> None:
    bold = draw(shipped, [brief()], 12, seed=0)
    careful = draw(shipped, [brief()], 12, seed=0, luck=Luck(temperature=0.3, top_p=0.5))
    means = [
        likelihood(shipped, [each.row for each in copies if each.row is not None]).mean()
        for copies in (bold, careful)
    ]
    assert means[1] > means[0]


# --- what scores are worth ---------------------------------------------------------------------


@given(st.integers(0, 1000), st.integers(2, 6))
def test_advantages_are_centred_within_their_group_and_order_as_scores_do(
    seed: int, size: int
) -> None:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(4), size)
    scores, fit = rng.normal(size=len(groups)), rng.random(len(groups)) < 0.7
    found = advantages(scores, groups, fit)
    for group in range(4):
        inside = groups == group
        assert found[inside].mean() == pytest.approx(0, abs=1e-9)
        good, bad = found[inside & fit], found[inside & ~fit]
        assert (np.argsort(good) == np.argsort(scores[inside & fit])).all()
        if len(good) and len(bad):
            assert bad.max() < good.min()
            assert len(set(bad)) == 1
        elif not len(good):
            assert not found[inside].any()


def test_advantages_do_not_change_with_the_scale_of_scores() -> None:
    rng = np.random.default_rng(0)
    groups, scores = np.repeat(np.arange(5), 6), rng.normal(size=30)
    fit = np.arange(30) % 4 > 0
    assert advantages(100 * scores + 7, groups, fit) == pytest.approx(
        advantages(scores, groups, fit), abs=1e-4
    )


def test_copies_that_all_score_alike_teach_nothing_but_to_fit() -> None:
    same = np.ones(4)
    group = np.zeros(4, np.intp)
    assert not advantages(same, group, np.ones(4, np.bool_)).any()
    assert advantages(same, group, np.arange(4) > 0)[0] < 0
