"""Facts that expire: what a feed makes untrue leaves every test, until a person releases it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import NOW, make_context, make_experiment
from hookline.app import App, open_app
from hookline.catalog import Feed
from hookline.errors import BadInput, Refused
from hookline.generate import Slate
from hookline.settings import read_settings
from hookline.types import Action, Audience, Brand, Copy, Money, Product, loads
from hookline.wire import CopyOrder

LATER = NOW + timedelta(hours=1)
MUG = Product(
    id="p1",
    title="Tin Mug",
    price=Money(amount=Decimal(12), currency="USD"),
    availability="in_stock",
    facts={"Colour": "Blue"},
)
DEARER = replace(MUG, price=Money(amount=Decimal(15), currency="USD"))
LINES = {
    "control": "A mug for camp",
    "priced": "Yours for $12.00",
    "blue": "Blue mornings",
    "plain": "Put the kettle on",
}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A running test of four human lines; one quotes the price, one the colour."""
    made = open_app(
        read_settings(
            database=f"sqlite:///{tmp_path}/q.db", learn_every_s=0, prior="none", encoder="none"
        )
    )
    made.import_catalog(feed(MUG), at=NOW)
    made.desk.put_brand(Brand(id="camp", name="Camp"), at=NOW)
    made.desk.put_audience(Audience(id="all", name="All"), at=NOW)
    start(made, "control")
    yield made
    made.close()


def feed(*products: Product) -> Feed:
    return Feed(
        format="tsv", products=products, rejected=(), mapping={}, unmapped=(), notes=(),
        rows=len(products), merged=0,
    )  # fmt: skip


def start(app: App, control: str) -> None:
    lines = {
        name: app.desk.add_control(
            product_id="p1",
            channel_id="onsite_banner",
            brand_id="camp",
            parts={"headline": text, "cta": "See the mug"},
            at=NOW,
        )
        for name, text in LINES.items()
    }
    app.review([copy.id for copy in lines.values()], "approved", at=NOW, by="test")
    app.live.create_experiment(
        make_experiment(arms=(), status="draft", started_at=None),
        copy_ids=[copy.id for name, copy in lines.items() if name != control],
        control_id=lines[control].id,
        audience_ids=["all"],
        at=NOW,
    )
    app.live.move("boots", "review", at=NOW)
    app.live.move("boots", "running", at=NOW)


def line(app: App, name: str) -> Copy:
    return next(copy for copy in app.desk.copies() if copy.parts["headline"] == LINES[name])


def verbs(app: App) -> list[tuple[str, str, str]]:
    actions = (loads(row.body, Action) for row in app.store.read() if row.kind == "action")
    return [(each.verb, each.subject, each.by) for each in actions]


def shown(app: App, n: int = 200, prefix: str = "v") -> set[str]:
    return {app.live.decide("boots", make_context(f"{prefix}{k}")).arm.text for k in range(n)}


def test_a_changed_price_takes_out_what_quotes_it_and_nothing_else(app: App) -> None:
    priced = line(app, "priced")
    assert any("$12.00" in text for text in shown(app))
    (held,) = app.import_catalog(feed(DEARER), at=LATER, by="shop")
    assert (held.id, held.status, held.reviewed_by) == (priced.id, "quarantined", "guard")
    assert '"12.00 USD"; the feed now has "15.00 USD"' in held.note
    assert line(app, "priced") == held
    assert not any("$12.00" in text for text in shown(app))  # not even to those who had it
    assert app.live.experiment("boots").status == "running"
    assert [arm.held for arm in app.live.experiment("boots").arms].count(True) == 1
    assert verbs(app)[-3:] == [
        ("import", "catalog", "shop"),
        ("quarantine", priced.id, "guard"),
        ("quarantine", "boots", "guard"),
    ]


def test_release_puts_the_line_back_and_replay_agrees(app: App) -> None:
    shown(app)
    app.live.learn()
    app.import_catalog(feed(DEARER), at=LATER)
    shown(app, prefix="w")
    priced = line(app, "priced")
    (done,) = app.review([priced.id], "approved", at=LATER, by="Ann", note="still $12 with us")
    assert done.note.startswith("still $12 with us The copy quotes the price")
    assert verbs(app)[-2:] == [("approved", priced.id, "Ann"), ("release", "boots", "Ann")]
    assert any("$12.00" in text for text in shown(app, prefix="x"))
    app.live.learn()
    assert app.live.replay().same
    assert app.import_catalog(feed(DEARER), at=LATER) == []  # the same feed again changes nothing


def test_a_line_taken_out_for_another_reason_stays_out_on_release(app: App) -> None:
    priced, blue = line(app, "priced"), line(app, "blue")
    app.live.retire("boots", [blue.id], at=NOW)
    app.import_catalog(feed(replace(DEARER, facts={"Colour": "Red"})), at=LATER)
    assert {copy.id for copy in app.desk.copies(status="quarantined")} == {priced.id, blue.id}
    app.review([priced.id, blue.id], "approved", at=LATER, by="Ann")
    active = {arm.id for arm in app.live.experiment("boots").arms if arm.active}
    assert priced.id in active
    assert blue.id not in active


def test_what_is_rejected_in_quarantine_does_not_come_back(app: App) -> None:
    priced = line(app, "priced")
    app.import_catalog(feed(DEARER), at=LATER)
    app.review([priced.id], "rejected", at=LATER, by="Ann")
    app.review([priced.id], "approved", at=LATER, by="Ann")
    assert priced.id not in {arm.id for arm in app.live.experiment("boots").challengers}


def test_a_shipped_line_gives_way_to_the_control(app: App) -> None:
    app.live.ship("boots", line(app, "priced").id, at=NOW)
    app.import_catalog(feed(DEARER), at=LATER)
    assert app.live.experiment("boots").status == "paused"
    assert shown(app) == {f"{LINES['control']} | See the mug"}


def test_without_its_control_a_test_pauses_and_the_shops_words_serve(tmp_path: Path) -> None:
    made = open_app(
        read_settings(
            database=f"sqlite:///{tmp_path}/c.db", learn_every_s=0, prior="none", encoder="none"
        )
    )
    made.import_catalog(feed(MUG), at=NOW)
    made.desk.put_brand(Brand(id="camp", name="Camp"), at=NOW)
    made.desk.put_audience(Audience(id="all", name="All"), at=NOW)
    start(made, "priced")
    control = line(made, "priced").id
    shown(made)
    made.import_catalog(feed(DEARER), at=LATER)
    assert made.live.experiment("boots").status == "paused"
    assert shown(made) == {"Tin Mug | Shop now"}
    assert made.live.decide("boots", make_context("v1")).decision_id == ""
    made.live.retire("boots", [line(made, "blue").id, line(made, "plain").id], at=LATER)
    made.live.retire("boots", [line(made, "control").id], at=LATER)
    assert "shop's own words serve everybody" in made.live.experiment_report("boots").sentence
    with pytest.raises(Refused, match="no longer approved"):
        made.live.move("boots", "running", at=LATER)
    with pytest.raises(Refused, match="is the control"):
        made.review([control], "retired", at=LATER, by="Ann")
    made.import_catalog(feed(replace(DEARER, title="Tin Cup")), at=LATER)
    assert shown(made) == {"Tin Cup | Shop now"}  # what stands in keeps up with the feed
    made.review([control], "approved", at=LATER, by="Ann")
    made.live.move("boots", "running", at=LATER)
    assert made.live.experiment("boots").stand_in is None
    made.live.learn()
    assert made.live.replay().same
    made.close()


def test_a_product_that_is_gone_counts_only_where_the_feed_is_whole(app: App) -> None:
    other = feed(Product(id="p2", title="Tin Bowl"))
    assert app.import_catalog(other, at=LATER) == []
    held = app.import_catalog(other, at=LATER, whole=True)
    assert len(held) == len(LINES)
    assert {copy.note for copy in held} == {"The feed no longer has the product."}
    app.review([held[0].id], "approved", at=LATER, by="Ann", note="sold in the shop")
    assert app.import_catalog(other, at=LATER, whole=True) == []  # said once, and answered


def test_a_second_change_adds_its_reason(app: App) -> None:
    app.import_catalog(feed(DEARER), at=LATER)
    dearest = replace(MUG, price=Money(amount=Decimal(18), currency="USD"))
    app.import_catalog(feed(dearest), at=LATER)
    assert line(app, "priced").status == "quarantined"
    app.import_catalog(feed(MUG), at=LATER)
    assert line(app, "priced").status == "quarantined"  # only a person releases


def test_drafts_are_held_back_too_and_nobody_quarantines_by_hand(app: App) -> None:
    draft = app.desk.add_control(
        product_id="p1",
        channel_id="onsite_banner",
        brand_id="camp",
        parts={"headline": "Just $12.00", "cta": "See the mug"},
        at=NOW,
    )
    held = app.import_catalog(feed(DEARER), at=LATER)
    assert draft.id in {copy.id for copy in held}
    with pytest.raises(BadInput, match="only a change of the feed"):
        app.review([line(app, "plain").id], "quarantined", at=LATER, by="Ann")
    assert line(app, "plain").status == "approved"


def test_what_a_crash_left_undone_the_next_import_does(app: App) -> None:
    app.desk.import_catalog(feed(DEARER), at=LATER)  # and the process ended here
    assert all(arm.active for arm in app.live.experiment("boots").arms)
    app.import_catalog(feed(DEARER), at=LATER)
    assert [arm.held for arm in app.live.experiment("boots").arms].count(True) == 1


def test_a_feed_that_comes_while_copy_is_written_holds_it_back(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = replace(line(app, "priced"), id="new", status="draft")

    def meanwhile(*_args: object, **_rest: object) -> Slate:
        app.import_catalog(feed(DEARER), at=LATER)
        return Slate(kept=(made,), rejected=(), shortfall=())

    monkeypatch.setattr("hookline.desk.generate", meanwhile)
    order = CopyOrder(
        product_id="p1", channels=["onsite_banner"], audiences=["all"], brand="camp", creativity=0.7
    )
    (kept,) = app.desk.write_copy(order, at=LATER).kept
    assert (kept.status, kept.creativity) == ("quarantined", 0.7)
    assert app.desk.writings()[0].kept == ("new",)
