"""Generation with a scripted writer, human lines, and the shop's own words as control."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.brief import make_brief
from hookline.channels import CHANNELS
from hookline.control import title_control
from hookline.errors import BadInput, WriterFailed
from hookline.generate import ROUNDS, Choice, Slate, Terms, generate
from hookline.guards import GUARDS, Guard, check_all, guards_named
from hookline.judgement import human_copy
from hookline.slate import DIALS
from hookline.types import (
    Attributes,
    Audience,
    Brand,
    Brief,
    Channel,
    Copy,
    Draft,
    Field,
    Money,
    Product,
    Verdict,
    dumps,
)
from hookline.writers.base import Writer

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
GUARDS_ALL = guards_named(GUARDS)
BRAND = Brand(id="acme", name="Acme")
EVERYBODY = Audience(id="all", name="Everybody")
BANNER = CHANNELS["onsite_banner"]
MUG = Product(
    id="mug",
    title="Tin Mug",
    description="A mug for camp. Holds 300 ml.",
    price=Money(amount=Decimal("9.50"), currency="USD"),
)
IDEAS = (
    "Tea tastes of mornings",
    "Camp begins at the kettle",
    "A mug for camp and kitchen",
    "Pour, sit down, look around",
    "Small luxury, big view",
    "Take the long way home",
    "Your cup by the fire",
    "Warm hands, quiet lake",
)


def brief(product: Product = MUG, audience: str = "all", channel: Channel = BANNER) -> Brief:
    return make_brief(
        product=product,
        audience=Audience(id=audience, name=audience.title()),
        channel=channel,
        brand=BRAND,
        attributes=Attributes(),
    )


class Scripted(Writer):
    """Hands out the given headlines, a batch a call; an exception in the script is raised."""

    name: ClassVar[str] = "scripted"

    def __init__(self, *batches: Sequence[str] | WriterFailed) -> None:
        self.batches = list(batches)
        self.calls: list[tuple[str, int, int]] = []

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        self.calls.append((brief.id, n, seed))
        batch = self.batches.pop(0) if self.batches else ()
        if isinstance(batch, WriterFailed):
            raise batch
        return tuple(
            Draft(
                parts={"cta": "Shop now", "headline": line},
                writer=self.name,
                prompt="p1",
                seed=seed,
                cost_usd=0.25,
                note="fallback",
            )
            for line in batch
        )


def headlines(copies: Sequence[Copy]) -> list[str]:
    return [copy.parts["headline"] for copy in copies]


def test_generate_keeps_what_passes_and_says_where_it_comes_from() -> None:
    writer = Scripted([IDEAS[0], IDEAS[1]])
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=1, seed=1, at=AT)
    (copy,) = slate.kept
    assert copy.parts == {"headline": IDEAS[0], "cta": "Shop now"}
    assert list(copy.parts) == ["headline", "cta"]
    assert (copy.status, copy.reviewed_by, copy.created_at) == ("draft", "", AT)
    assert (copy.writer, copy.prompt, copy.cost_usd, copy.note) == (
        "scripted",
        "p1",
        0.25,
        "fallback",
    )
    assert (copy.product_id, copy.channel_id, copy.audience_id) == ("mug", "onsite_banner", "all")
    assert copy.brief_id == brief().id
    assert copy.seed == writer.calls[0][2]
    assert [verdict.guard for verdict in copy.verdicts] == list(GUARDS)
    assert slate.rejected == slate.shortfall == ()


def test_generate_keeps_what_fails_with_its_verdicts() -> None:
    slate = generate(
        [brief()], Scripted(["50% off", IDEAS[0]]), GUARDS_ALL, per_brief=1, seed=1, at=AT
    )
    (copy,) = slate.rejected
    assert (copy.status, copy.reviewed_by) == ("rejected", "guards")
    assert [v.code for v in copy.verdicts if not v.ok] == ["claims.discount"]
    assert headlines(slate.kept) == [IDEAS[0]]


def test_generate_asks_for_more_until_there_is_enough() -> None:
    writer = Scripted(["50% off", IDEAS[0]], ["60% off"], [IDEAS[1], IDEAS[2]])
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=3, seed=1, at=AT)
    assert len(slate.kept) == 3
    assert [n for _, n, _ in writer.calls] == [3 * 4, 2 * 4, 2 * 4]
    assert len({seed for _, _, seed in writer.calls}) == 3


def test_generate_gives_up_after_so_many_rounds_and_says_so() -> None:
    writer = Scripted(*([f"{n}0% off", f"Only {n} left"] for n in range(2, 9)))
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=2, seed=1, at=AT)
    assert len(writer.calls) == ROUNDS
    assert slate.kept == ()
    assert len(slate.rejected) == 2 * ROUNDS
    assert slate.shortfall == (
        "Tin Mug on On-site banner for All: 0 of 2 copies. 8 drafts were rejected, most often for "
        "claims.discount.",
    )


def test_generate_writer_that_fails_loses_nothing_else() -> None:
    writer = Scripted([IDEAS[0]], WriterFailed("the server is down"), [IDEAS[1]])
    briefs = [brief(audience=name) for name in ("a", "b", "c")]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[1]]
    assert slate.shortfall == (
        "Tin Mug on On-site banner for B: 0 of 1 copies. The writer failed: the server is down",
    )


def test_generate_silent_writer_is_named() -> None:
    slate = generate([brief()], Scripted(), GUARDS_ALL, per_brief=1, seed=1, at=AT)
    assert slate.shortfall == (
        "Tin Mug on On-site banner for All: 0 of 1 copies. The writer had nothing new to say.",
    )


def test_generate_word_for_word_repeats_are_left_out() -> None:
    others = [f"{IDEAS[0]} | Shop now", f"Shop now | {IDEAS[1]}"]
    writer = Scripted([IDEAS[0], IDEAS[1], IDEAS[2], IDEAS[2]])
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=2, seed=1, at=AT, others=others)
    assert headlines(slate.kept) == [IDEAS[2]]
    assert slate.rejected == ()


def test_generate_near_repeats_of_siblings_and_live_copy_are_rejected() -> None:
    writer = Scripted([IDEAS[0], IDEAS[2]], [f"{IDEAS[0]}!", f"{IDEAS[3]}s", IDEAS[4]])
    briefs = [brief(audience=name) for name in ("a", "b")]
    others = [f"{IDEAS[3]} | Shop now"]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, others=others)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[4]]
    codes = [v.code for copy in slate.rejected for v in copy.verdicts if not v.ok]
    assert codes == ["duplicates.exact", "duplicates.near"]


def test_generate_other_products_and_channels_are_no_siblings() -> None:
    writer = Scripted([IDEAS[0]], [IDEAS[0]])
    briefs = [brief(), brief(replace(MUG, id="mug2"))]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT)
    assert len({copy.id for copy in slate.kept}) == 2


def test_generate_of_many_that_pass_the_most_different_are_kept() -> None:
    batch = [IDEAS[0], "Tea tastes of evenings", IDEAS[7]]
    slate = generate([brief()], Scripted(batch), GUARDS_ALL, per_brief=2, seed=1, at=AT)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[7]]


def test_generate_half_characters_are_left_out() -> None:
    slate = generate(
        [brief()], Scripted(["a\ud83d", IDEAS[0]]), GUARDS_ALL, per_brief=1, seed=1, at=AT
    )
    assert headlines((*slate.kept, *slate.rejected)) == [IDEAS[0]]


def test_generate_same_seed_same_slate_and_other_seed_other_drafts() -> None:
    def slate_and_calls(seed: int) -> tuple[bytes, list[tuple[str, int, int]]]:
        writer = Scripted(IDEAS[:4], IDEAS[4:])
        briefs = [brief(audience=name) for name in ("a", "b")]
        slate = generate(briefs, writer, GUARDS_ALL, per_brief=2, seed=seed, at=AT)
        return dumps(slate), writer.calls

    assert slate_and_calls(1) == slate_and_calls(1)
    seeds = [{call[2] for call in slate_and_calls(seed)[1]} for seed in (1, 2)]
    assert len(seeds[0]) == 2
    assert not seeds[0] & seeds[1]


def test_generate_no_briefs_give_an_empty_slate() -> None:
    slate = generate([], Scripted(), GUARDS_ALL, per_brief=1, seed=1, at=AT)
    assert (slate.kept, slate.rejected, slate.shortfall) == ((), (), ())


def test_generate_no_copies_wanted_is_a_mistake() -> None:
    with pytest.raises(BadInput, match="per_brief"):
        generate([brief()], Scripted(), GUARDS_ALL, per_brief=0, seed=1, at=AT)


# --- rounds, stand-ins and money ---------------------------------------------------------------


class Stand(Scripted):
    """The one who stands in."""

    name: ClassVar[str] = "stand"


class Slow(Writer):
    """Writes one idea for each brief, the first briefs the slowest."""

    name: ClassVar[str] = "slow"

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        place = int(brief.audience.id)
        time.sleep(0.02 * (4 - place))
        parts = {"headline": IDEAS[place], "cta": "Shop now"}
        return (Draft(parts=parts, writer="slow", prompt="p", seed=seed),)


def test_generate_many_requests_at_once_give_the_same_slate_in_the_same_order() -> None:
    briefs = [brief(audience=str(place)) for place in range(4)]

    def run(at_once: int) -> tuple[bytes, list[str]]:
        done: list[str] = []
        terms = Terms(at_once=at_once, progress=lambda each, kept: done.append(each.audience.id))
        slate = generate(briefs, Slow(), GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)
        return dumps(slate), done

    assert run(1) == run(4)
    assert run(4)[1] == ["0", "1", "2", "3"]


def test_generate_tells_of_each_brief_as_it_is_done() -> None:
    """The second brief is filled in the first round, the first one in the second."""
    told: list[tuple[str, list[str]]] = []
    terms = Terms(progress=lambda each, kept: told.append((each.audience.id, headlines(kept))))
    writer = Scripted(["50% off"], [IDEAS[0]], [IDEAS[1]])
    briefs = [brief(audience=name) for name in ("a", "b")]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)
    assert told == [("b", [IDEAS[0]]), ("a", [IDEAS[1]])]
    assert headlines(slate.kept) == [IDEAS[1], IDEAS[0]], "in the order of the briefs"


def test_generate_what_waits_for_more_counts_as_live_for_its_siblings() -> None:
    """The first brief has one of two; the second may not say the same meanwhile."""
    writer = Scripted([IDEAS[0]], [IDEAS[0], IDEAS[1], IDEAS[2]], [IDEAS[3]])
    briefs = [brief(audience=name) for name in ("a", "b")]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=2, seed=1, at=AT)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[3], IDEAS[1], IDEAS[2]]


@pytest.mark.parametrize(
    ("batches", "why"),
    [
        ([WriterFailed("the server is down")], "scripted failed: the server is down"),
        ([["50% off"]], "guards rejected what scripted wrote, most often for claims.discount"),
        ([], "scripted had nothing new to say"),
    ],
)
def test_generate_stand_in_fills_what_the_writer_can_not_and_says_why(
    batches: list[Sequence[str] | WriterFailed], why: str
) -> None:
    stand = Stand([IDEAS[4], IDEAS[5]])
    slate = generate(
        [brief()],
        Scripted(*batches),
        GUARDS_ALL,
        per_brief=2,
        seed=1,
        at=AT,
        terms=Terms(stand_in=stand),
    )
    assert headlines(slate.kept) == [IDEAS[4], IDEAS[5]]
    assert {copy.note for copy in slate.kept} == {f"{why}; written by stand"}
    assert slate.notes == (f"Tin Mug on On-site banner for All: written by stand, for {why}.",)
    assert slate.shortfall == slate.left == ()


def test_generate_stand_in_adds_to_what_there_is() -> None:
    writer = Scripted([IDEAS[0]], WriterFailed("no more"))
    terms = Terms(stand_in=Stand([IDEAS[0], IDEAS[1]]))
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=2, seed=1, at=AT, terms=terms)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[1]]
    assert [copy.note for copy in slate.kept] == [
        "fallback",
        "scripted failed: no more; written by stand",
    ]


def test_generate_stand_in_that_fails_too_is_named_with_both_reasons() -> None:
    writer, stand = Scripted(WriterFailed("down")), Stand(WriterFailed("only English"))
    terms = Terms(stand_in=stand)
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)
    assert slate.shortfall == (
        "Tin Mug on On-site banner for All: 0 of 1 copies. The writer failed: down; "
        "stand could not stand in: only English",
    )
    assert slate.notes == ()


def test_generate_no_writer_stands_in_for_itself() -> None:
    writer = Scripted(WriterFailed("down"))
    terms = Terms(stand_in=writer)
    generate([brief()], writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)
    assert len(writer.calls) == 1


def test_generate_stops_asking_when_the_budget_is_spent_and_says_which_were_left() -> None:
    """A batch of two costs .50: a budget of 1.10 is good for two of four."""
    writer = Scripted(*([IDEAS[n], IDEAS[n + 4]] for n in range(4)))
    briefs = [brief(audience=name) for name in "abcd"]
    terms = Terms(budget_usd=1.1)
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)
    assert len(writer.calls) == 2
    assert slate.left == (briefs[2].id, briefs[3].id)
    assert slate.cost_usd == 1.0
    assert slate.shortfall[1] == (
        "Tin Mug on On-site banner for D: 0 of 1 copies. The writer was asked no further, since "
        "the budget of 1.1 USD is spent."
    )


def test_generate_stand_in_writes_what_the_budget_left() -> None:
    writer = Scripted([IDEAS[0]], [IDEAS[1]])
    terms = Terms(budget_usd=0.3, stand_in=Stand([IDEAS[2]]))
    briefs = [brief(audience=name) for name in "ab"]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[2]]
    assert slate.left == (briefs[1].id,)
    assert slate.kept[1].note == (
        "scripted was asked no further, since the budget of 0.3 USD is spent; written by stand"
    )


def test_generate_repairs_what_can_safely_be_mended() -> None:
    """Quotation marks and blanks go; a discount that nobody gives does not come clean."""
    long = f"{IDEAS[0]} " + "x" * 60
    writer = Scripted([f"{IDEAS[1]} 🎉", "50% off 🎉", long])
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=1, seed=1, at=AT)
    assert headlines(slate.kept) == [IDEAS[1]]
    assert all(verdict.ok for verdict in slate.kept[0].verdicts)
    assert "50% off 🎉" in headlines(slate.rejected), "as it was written"


def test_generate_keeps_account_of_rejected_drafts_too() -> None:
    writer = Scripted(["50% off", IDEAS[0], IDEAS[0]])
    slate = generate([brief()], writer, GUARDS_ALL, per_brief=1, seed=1, at=AT)
    tally = slate.writers["scripted"]
    assert (tally.requests, tally.drafts, tally.kept, tally.cost_usd) == (1, 3, 1, 0.75)


# --- the choice --------------------------------------------------------------------------------


def by_length(_brief: Brief, texts: Sequence[str]) -> np.ndarray:
    return np.array([len(text) / 10 for text in texts])


def test_generate_without_creativity_keeps_what_promises_most() -> None:
    batch = [
        f"{IDEAS[0]} by a lake in the hills",
        f"{IDEAS[2]}, from first light on",
        f"{IDEAS[2]}, from dusk till dawn on",
    ]
    kept = {
        creativity: headlines(
            generate(
                [brief()],
                Scripted(batch),
                GUARDS_ALL,
                per_brief=2,
                seed=1,
                at=AT,
                terms=Terms(choice=Choice(creativity=creativity, promise=by_length)),
            ).kept
        )
        for creativity in (0.0, 1.0)
    }
    assert set(kept[0.0]) == {batch[1], batch[2]}
    assert batch[0] in kept[1.0]


def test_generate_keeps_what_does_most_of_what_was_asked_before_what_promises_more() -> None:
    asked = replace(brief(), attributes=Attributes(angle="howto", length="short"))
    how, long = "How to pick a mug", f"{IDEAS[2]}, from dusk till dawn on"
    terms = Terms(choice=Choice(creativity=0.0, promise=by_length))
    kept = {
        wanted: generate(
            [asked],
            Scripted([long, IDEAS[0], how]),
            GUARDS_ALL,
            per_brief=wanted,
            seed=1,
            at=AT,
            terms=terms,
        ).kept
        for wanted in (1, 2, 3)
    }
    assert headlines(kept[1]) == [how]
    assert set(headlines(kept[2])) == {how, IDEAS[0]}
    assert len(kept[3]) == 3, "what was asked for less well is better than nothing"


def test_generate_creativity_of_the_category_counts() -> None:
    choice = Choice(creativity=1.0, by_category={"Kitchen": 0.0}, promise=by_length)
    in_kitchen = replace(MUG, category="Kitchen > Mugs")
    batch = [IDEAS[0], IDEAS[3], f"{IDEAS[0]} and dusk"]
    runs = [
        headlines(
            generate(
                [brief(product)],
                Scripted(batch),
                GUARDS_ALL,
                per_brief=2,
                seed=1,
                at=AT,
                terms=Terms(choice=choice),
            ).kept
        )
        for product in (MUG, in_kitchen)
    ]
    assert IDEAS[3] in runs[0]
    assert runs[1] == [batch[2], max(batch[:2], key=len)]


def test_generate_a_siblings_copy_counts_as_chosen() -> None:
    """Of two lines the second brief gets the one unlike what the first one kept."""
    writer = Scripted([IDEAS[0]], ["Tea tastes of evenings", IDEAS[7]])
    briefs = [brief(audience=name) for name in ("a", "b")]
    slate = generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT)
    assert headlines(slate.kept) == [IDEAS[0], IDEAS[7]]


def test_generate_gives_the_front_of_what_there_was_to_choose_from() -> None:
    batches = [IDEAS[:4], IDEAS[4:]]
    briefs = [brief(audience=name) for name in ("a", "b")]

    def run(choice: Choice) -> Slate:
        writer = Scripted(*batches)
        terms = Terms(choice=choice)
        return generate(briefs, writer, GUARDS_ALL, per_brief=1, seed=1, at=AT, terms=terms)

    points = run(Choice(promise=by_length)).front
    assert [point.creativity for point in points] == list(DIALS)
    lengths = sorted((len(f"{line} | Shop now") / 10 for line in IDEAS), reverse=True)
    rates = np.exp(lengths)
    assert points[0].lift == pytest.approx(rates[:2].mean() / rates.mean() - 1)
    assert points[-1].diversity >= points[0].diversity
    assert run(Choice()).front == (), "nothing promises more than another"


def test_choice_creativity_out_of_range_is_bad_input() -> None:
    with pytest.raises(BadInput, match="creativity"):
        Choice(creativity=1.5)
    with pytest.raises(BadInput, match="creativity"):
        Choice(by_category={"Shoes": -1})


# --- human lines -------------------------------------------------------------------------------


def test_human_copy_stays_a_draft_whatever_guards_say_of_its_content() -> None:
    parts = {"cta": "Shop now", "headline": "The best mug, 50% off"}
    copy = human_copy(
        product=MUG,
        channel=BANNER,
        brand=BRAND,
        audience=EVERYBODY,
        parts=parts,
        guards=GUARDS_ALL,
        at=AT,
    )
    assert (copy.status, copy.reviewed_by, copy.writer) == ("draft", "", "human")
    assert {v.code for v in copy.verdicts if not v.ok} == {"claims.superlative", "claims.discount"}
    assert (copy.attributes, copy.brief_id) == (None, "")
    assert copy.text == "The best mug, 50% off | Shop now"


def test_human_copy_is_held_to_the_call_it_makes() -> None:
    """Nobody asked the marketer for a style, so none can be missed."""
    for button in ("See the mug", "Shop now", "Learn more"):
        copy = human_copy(
            product=MUG,
            channel=BANNER,
            brand=BRAND,
            audience=EVERYBODY,
            parts={"headline": "A mug for slow mornings", "cta": button},
            guards=GUARDS_ALL,
            at=AT,
        )
        assert [v for v in copy.verdicts if not v.ok] == []
        assert (copy.attributes, copy.brand_id) == (None, BRAND.id)


@pytest.mark.parametrize(
    "parts", [{"headline": "x" * 61, "cta": "Go"}, {"headline": "x"}, {"headline": "", "cta": "Go"}]
)
def test_human_copy_that_does_not_fit_is_rejected(parts: dict[str, str]) -> None:
    copy = human_copy(
        product=MUG,
        channel=BANNER,
        brand=BRAND,
        audience=EVERYBODY,
        parts=parts,
        guards=GUARDS_ALL,
        at=AT,
    )
    assert (copy.status, copy.reviewed_by) == ("rejected", "guards")


def test_human_copy_half_characters_are_bad_input() -> None:
    with pytest.raises(BadInput, match="half a character"):
        human_copy(
            product=MUG,
            channel=BANNER,
            brand=BRAND,
            audience=EVERYBODY,
            parts={"headline": "a\ud83d", "cta": "Go"},
            guards=GUARDS_ALL,
            at=AT,
        )


def test_copy_id_depends_on_channel_product_and_parts_only() -> None:
    slate = generate([brief()], Scripted([IDEAS[0]]), GUARDS_ALL, per_brief=1, seed=1, at=AT)
    copy = human_copy(
        product=MUG,
        channel=BANNER,
        brand=BRAND,
        audience=EVERYBODY,
        parts=dict(sorted(slate.kept[0].parts.items())),
        guards=GUARDS_ALL,
        at=AT,
    )
    assert copy.id == slate.kept[0].id


# --- the shop's own words ----------------------------------------------------------------------


def verdict_codes(product: Product, channel: Channel) -> set[str]:
    parts = title_control(product, channel)
    verdicts = check_all(guards_named(["limits", "claims"]), parts, brief(product, channel=channel))
    return {verdict.code for verdict in verdicts if not verdict.ok}


def test_title_control_is_checked_in_the_products_own_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: set[str] = set()

    def noted(
        guards: Sequence[Guard], parts: Mapping[str, str], brief: Brief
    ) -> tuple[Verdict, ...]:
        seen.add(brief.locale)
        return check_all(guards, parts, brief)

    monkeypatch.setattr("hookline.control.check_all", noted)
    title_control(replace(MUG, title="Becher", locale="de-AT"), BANNER)
    assert seen == {"de-AT"}


def test_title_control_says_what_the_feed_says() -> None:
    bag = Product(
        id="b",
        title="Crown Summit Backpack for Hiking with Laptop Sleeve",
        description="Rugged enough for day hikes. Padded, adjustable shoulder straps.",
        brand="Luma",
        category="Gear > Backpacks",
    )
    assert title_control(bag, CHANNELS["google_rsa"]) == {
        "headline_1": "Crown Summit Backpack",
        "headline_2": "Backpacks",
        "headline_3": "Shop now",
        "description_1": "Rugged enough for day hikes.",
        "description_2": "Padded, adjustable shoulder straps.",
    }
    assert title_control(bag, CHANNELS["push"]) == {
        "title": "Crown Summit Backpack for Hiking with Laptop",
        "body": "Rugged enough for day hikes.",
    }


def test_title_control_leaves_unfounded_sentences_out() -> None:
    product = replace(MUG, description="Was $99 last year. A mug for camp.")
    assert title_control(product, CHANNELS["push"])["body"] == "A mug for camp."


AWKWARD = (
    Product(id="1", title="x"),
    Product(id="2", title="W" * 300),
    Product(id="3", title="日本製マグカップ" * 10),
    Product(id="4", title="Mug 👩\u200d👩\u200d👧" * 20),
    Product(id="5", title="e" + "\u0301" * 400),
    Product(id="6", title="A\nB\tC\x00\u202e\u200b D"),
    Product(id="7", title="Mug (for camp and kitchen and everywhere else there is)"),
    Product(id="8", title="50% Off! Save $20! Best mug ever, free shipping, 5-star"),
    Product(id="9", title="Not Waterproof", description="Not waterproof. Not the best."),
    Product(id="10", title="€" * 200),
)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
@pytest.mark.parametrize("product", AWKWARD, ids=[product.id for product in AWKWARD])
def test_title_control_of_awkward_products_passes(product: Product, channel: Channel) -> None:
    assert verdict_codes(product, channel) == set()


@given(
    title=st.text(min_size=1, max_size=80).filter(str.strip),
    description=st.text(max_size=120),
    highlight=st.text(max_size=30),
    least=st.integers(0, 40),
    room=st.integers(0, 60),
    units=st.sampled_from(["utf16", "gsm7", "columns"]),
    role=st.sampled_from(["hook", "support", "cta"]),
)
def test_title_control_fits_any_product_into_any_channel(
    title: str,
    description: str,
    highlight: str,
    least: int,
    room: int,
    units: Literal["utf16", "gsm7", "columns"],
    role: Literal["hook", "support", "cta"],
) -> None:
    spot = Field(
        name="text",
        max_graphemes=max(1, least + room),
        max_units=max(1, least + room),
        min_graphemes=least,
        role=role,
    )
    channel = Channel(id="any", name="Any", fields=(spot,), units=units)
    product = Product(id="p", title=title, description=description, highlights=(highlight,))
    assert verdict_codes(product, channel) == set()
