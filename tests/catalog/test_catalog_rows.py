from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hookline.catalog import Feed, read_feed, read_feed_bytes
from hookline.catalog.prices import BadPrice, parse_money
from hookline.catalog.sheet import Cell
from hookline.catalog.text import plain
from hookline.errors import BadFeed, BadInput


def feed_of(*rows: str, **options: Any) -> Feed:
    return read_feed_bytes("\n".join(rows).encode(), "f.csv", **options)


def reasons(feed: Feed) -> list[tuple[int, str]]:
    return [(bad.row, bad.reason) for bad in feed.rejected]


def test_rejected_rows_have_number_and_reason() -> None:
    feed = feed_of(
        "id,title,price",
        "A1,Mug,9.50",
        ",Hat,1",
        "A3,,1",
        "A1,Cup,1",
        "A5,Pan,abc",
        "A6,Pot,-4",
        "A7,Lid,",
        "A8,Can,0",
    )
    assert [product.id for product in feed.products] == ["A1", "A7", "A8"]
    assert reasons(feed) == [
        (3, "no id"),
        (4, "no title"),
        (5, "duplicate of row 2: id 'A1' is used there"),
        (6, "bad price: 'abc' is not a price"),
        (7, "bad price: -4 is below zero"),
    ]
    assert feed.products[1].price is feed.products[2].price is None
    assert [(note.row, note.reason) for note in feed.notes] == [(9, "price 0 was left out")]
    assert feed.rows == 8


def test_row_numbers_count_blank_rows_as_a_spreadsheet_does() -> None:
    feed = feed_of("id,title", "", "A1,Mug", ",,", "A2,")
    assert reasons(feed) == [(5, "no title")]
    assert feed.rows == 2


@pytest.mark.parametrize(
    ("sale", "note"),
    [
        ("soon", "is not a price"),
        ("9.50", "not below"),
        ("12", "not below"),
        ("8 EUR", "not below"),
    ],
)
def test_bad_sale_price_is_left_out_and_the_product_kept(sale: str, note: str) -> None:
    feed = feed_of("id,title,price,sale_price", f"A1,Mug,9.50,{sale}")
    assert str(feed.products[0].price) == "9.50 USD"
    assert feed.products[0].sale_price is None
    assert note in feed.notes[0].reason


def test_sale_price_alone_is_the_price() -> None:
    (mug,) = feed_of("id,title,sale_price", "A1,Mug,8").products
    assert (str(mug.price), mug.sale_price) == ("8.00 USD", None)


@pytest.mark.parametrize(
    ("at", "sale"),
    [
        (None, None),
        (datetime(2026, 3, 1, tzinfo=UTC), "8.00 USD"),
        (datetime(2026, 5, 1, tzinfo=UTC), None),
    ],
)
def test_sale_with_dates_counts_only_while_it_is_on(at: datetime | None, sale: str | None) -> None:
    dates = "2026-02-24T13:00-0800/2026-03-29T15:30-0800"
    feed = feed_of(
        "id,title,price,sale_price,sale_price_effective_date", f"A1,Mug,9,8,{dates}", at=at
    )
    price = feed.products[0].sale_price
    assert (str(price) if price else None) == sale
    assert len(feed.notes) == (0 if sale else 1)


@pytest.mark.parametrize(("last", "on"), [("2026-04-01", True), ("soon", False), ("", True)])
def test_sale_with_dates_in_two_columns(last: str, on: bool) -> None:
    head = "id,title,price,special_price,special_price_from_date,special_price_to_date"
    at = datetime(2026, 3, 1, tzinfo=UTC)
    feed = feed_of(head, f"A1,Mug,9,8,2026-02-01,{last}", at=at)
    assert (feed.products[0].sale_price is not None) == on


@pytest.mark.parametrize("cell", ["Light|Cold, wet or hot", "Light\nCold, wet or hot"])
def test_highlights_in_lines_and_bars(cell: str) -> None:
    feed = feed_of("id,title,highlights", f'A1,Mug,"{cell}"')
    assert feed.products[0].highlights == ("Light", "Cold, wet or hot")


def test_product_details_with_commas_in_values() -> None:
    cell = "Make:Materials:Tin, enamel,Size:Height:9 cm,nonsense:"
    feed = feed_of("id,title,product_detail", f'A1,Mug,"{cell}"')
    assert feed.products[0].facts == {"materials": "Tin, enamel", "height": "9 cm"}


def test_price_unit_cents_is_never_guessed() -> None:
    rows = ("id,title,price", "A1,Mug,4995")
    assert str(feed_of(*rows).products[0].price) == "4995.00 USD"
    assert str(feed_of(*rows, price_unit="cents").products[0].price) == "49.95 USD"
    refused = feed_of(rows[0], "A1,Mug,49.95", price_unit="cents")
    assert reasons(refused) == [(2, "bad price: 49.95 is not a whole number of cents")]


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("15", "15.00 USD"),
        ("15.00 EUR", "15.00 EUR"),
        ("EUR 15", "15.00 EUR"),
        ("$15.5", "15.50 USD"),
        ("C$15", "15.00 CAD"),
        ("15,99 €", "15.99 EUR"),
        ("1,299.00", "1299.00 USD"),
        ("1.299,00 €", "1299.00 EUR"),
        ("1 299,00 kr", "1299.00 SEK"),
        ("1'299.00 CHF", "1299.00 CHF"),
        ("1,299", "1299.00 USD"),
        ("1.299.000", "1299000.00 USD"),
        ("52.0000", "52.00 USD"),
        ("0.999", "1.00 USD"),
        (".99", "0.99 USD"),
        ("15,- €", "15.00 EUR"),
        ("1.250 KWD", "1.25 KWD"),
    ],
)
def test_parse_money_reads(text: str, money: str) -> None:
    assert str(parse_money(text, currency="USD")) == money


@pytest.mark.parametrize(
    "text",
    ["", "abc", "15 abc", "10-20", "from 15", "15/16", "1.299", "1.2.3", "1,2,3", "9" * 30, "１５"],
)
def test_parse_money_refuses(text: str) -> None:
    with pytest.raises(BadPrice):
        parse_money(text, currency="USD")


@pytest.mark.parametrize("value", [True, None, [], {"a": 1}, Decimal("1e999999"), Decimal(-1)])
def test_parse_money_refuses_values(value: Cell) -> None:
    with pytest.raises(BadPrice):
        parse_money(value, currency="USD")


def test_dollar_stands_for_the_feeds_own_dollar() -> None:
    assert str(parse_money("$5", currency="CAD")) == "5.00 CAD"


def test_ids_from_titles_are_stable_and_told_in_the_mapping() -> None:
    head = "title,description,price"
    feed = feed_of(head, "Café Mug®,Red,5", "Hat,Wool,9", "Hat,Straw,9", "Hat,Wool,8", "帽子,,")
    ids = [product.id for product in feed.products]
    assert feed.mapping["(title)"] == "id"
    assert ids[0] == "cafe-mug"
    assert len(set(ids)) == 4
    assert all(name.startswith("hat-") for name in ids[1:3])
    assert reasons(feed) == [(5, "duplicate of row 3: same title, text and picture")]
    moved = feed_of(head, "Hat,Straw,7", "Hat,Wool,7")
    assert [product.id for product in moved.products] == [ids[2], ids[1]]


def test_mapping_given_outranks_the_guess() -> None:
    rows = ("nummer,bezeichnung,title,preis,farbe", "7,Becher,x,9,rot")
    told = {"nummer": "id", "Bezeichnung": "title", "preis": "price", "farbe": "facts"}
    feed = feed_of(*rows, mapping=told)
    (mug,) = feed.products
    assert (mug.id, mug.title, str(mug.price)) == ("7", "Becher", "9.00 USD")
    assert mug.facts == {"farbe": "rot"}
    assert feed.unmapped == ("title",)


def test_mapping_tells_columns_of_other_scripts_apart() -> None:
    rows = ("型番,名称,価格", "7,カップ,900 JPY")
    told = {"型番": "id", "名称": "title", "価格": "price"}
    (cup,) = feed_of(*rows, mapping=told).products
    assert (cup.id, cup.title, str(cup.price)) == ("7", "カップ", "900.00 JPY")
    with pytest.raises(BadFeed, match="no column '題名'"):
        feed_of(*rows, mapping={"題名": "title"})


def test_mapping_shown_can_be_given_back() -> None:
    rows = ("title,sku,price,attr_size,attr_t_material", "Mug,7,9,XL,Tin")
    first = feed_of(*rows, mapping={"sku": "", "(title)": "id"})
    assert first.products[0].id == "mug"
    assert first.mapping["attr_*"] == "facts"
    assert feed_of(*rows, mapping=first.mapping) == first


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"mapping": {"nope": "title"}}, BadFeed, "no column 'nope'"),
        ({"mapping": {"id": "colour"}}, BadInput, "no field"),
        ({"currency": "usd"}, BadInput, "ISO 4217"),
        ({"at": datetime(2026, 1, 1)}, BadInput, "time zone"),  # noqa: DTZ001 - the point of it
    ],
)
def test_wrong_arguments_say_so(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        feed_of("id,title", "A1,Mug", **options)


def test_unknown_columns_never_become_facts() -> None:
    feed = feed_of("id,title,material,cost,popularity,margin", "A1,Mug,Tin,3,99,60")
    assert feed.products[0].facts == {"material": "Tin"}
    assert feed.unmapped == ("cost", "popularity", "margin")


def test_facts_leave_out_what_could_mislead() -> None:
    head = "id,title,condition,waterproof,material"
    feed = feed_of(head, "A1,Mug,new,1,N/A", "A2,Cup,used,yes,Tin")
    assert feed.products[0].facts == {}
    assert feed.products[1].facts == {"condition": "used", "waterproof": "yes", "material": "Tin"}


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("in stock", "in_stock"),
        ("https://schema.org/OutOfStock", "out_of_stock"),
        ("pre-order", "preorder"),
        ("onbackorder", "backorder"),
        ("perhaps", ""),
    ],
)
def test_availability_words(cell: str, word: str) -> None:
    feed = feed_of("id,title,availability", f"A1,Mug,{cell}")
    assert feed.products[0].availability == word
    assert bool(feed.notes) == (word == "")


def test_quantity_stands_in_for_availability() -> None:
    feed = feed_of("id,title,qty", "A1,Mug,3", "A2,Cup,0", "A3,Pan,lots")
    assert [p.availability for p in feed.products] == ["in_stock", "out_of_stock", ""]


@pytest.mark.parametrize("column", ["link", "image_link"])
def test_addresses_of_other_schemes_are_left_out(column: str) -> None:
    feed = feed_of(f"id,title,{column}", "A1,Mug,javascript:alert(1)", "A2,Cup,/a b.jpg")
    assert [getattr(product, column) for product in feed.products] == ["", "/a%20b.jpg"]
    assert "not a web address" in feed.notes[0].reason


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("Food, Beverages & Tobacco > Beverages", "Food, Beverages & Tobacco > Beverages"),
        ("2271", ""),
        ("Default Category", ""),
        ("Home / Mugs", "Home > Mugs"),
        ("A | B", "A > B"),
        ("Gear\nBags\nCollections\nErin Recommends", "Gear > Bags"),
    ],
)
def test_category_paths(cell: str, path: str) -> None:
    assert feed_of("id,title,category", f'A1,Mug,"{cell}"').products[0].category == path


def test_categories_column_takes_the_deepest_path() -> None:
    row = 'A1,Mug,"Sale, Home > Mugs > Tin, Gifts > Small"'
    assert feed_of("id,title,categories", row).products[0].category == "Home > Mugs > Tin"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  a \u200b b\u00ad\x07 ", "a b"),
        ("AT&amp;T &trade;", "AT&T ™"),
        ("&lt;p&gt;Twice &amp;amp; escaped&lt;/p&gt;", "Twice & escaped"),
        ("<style>p{}</style><p>Kept</p><script>x()</script>", "Kept"),
        ("I <3 mugs, 5 < 6", "I <3 mugs, 5 < 6"),
        ("cafÃ© â€œhotâ€\u009d", "café “hot”"),
        ("Dynex\u0099", "Dynex™"),
        ("Features\nA lid", "Features. A lid"),
        ("First.\\nSecond", "First. Second"),
        ("- **Lid**: steel\n- Cup", "Lid: steel. Cup"),
        ("e\u0301", "é"),
        ("family 👩‍👩‍👧", "family 👩‍👩‍👧"),
        ("\ud800x", "x"),
    ],
)
def test_plain_text(raw: str, text: str) -> None:
    assert plain(raw) == text


def test_plain_text_of_malformed_markup_still_reads() -> None:
    assert plain("<![foo[ a <b>bold</b> move") == "bold move"


def test_heading_that_repeats_the_title_is_dropped() -> None:
    feed = feed_of("id,title,description", 'A1,Tin mug,"Tin mug\n\nHolds tea."')
    assert feed.products[0].description == "Holds tea."


def test_id_longer_than_a_shop_would_write_is_rejected() -> None:
    assert "longer than 200" in reasons(feed_of("id,title", f"{'a' * 201},Mug"))[0][1]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(BadFeed, match="does not exist"):
        read_feed(tmp_path / "none.csv")
    with pytest.raises(BadFeed, match="is a folder"):
        read_feed(tmp_path)


def test_path_that_cannot_be_one() -> None:
    with pytest.raises(BadFeed, match="cannot be read"):
        read_feed(Path("a\0b"))


def test_file_over_the_limit_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"id,title\nA1,Mug\n")
    monkeypatch.setattr("hookline.catalog.feed.LARGEST", 5)
    with pytest.raises(BadFeed, match="larger than"):
        read_feed(path)


def test_read_feed_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"id,title\nA1,Mug\n")
    assert read_feed(path, locale="de").products[0].locale == "de"
