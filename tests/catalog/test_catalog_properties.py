import contextlib
import csv
import gzip
import io
import json
import re
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import assume, example, given
from hypothesis import strategies as st

from hookline.catalog import Feed, read_feed_bytes
from hookline.catalog.mapping import FIELDS
from hookline.catalog.prices import BadPrice, parse_money
from hookline.catalog.text import clean, plain
from hookline.errors import BadFeed
from hookline.types import Product, dumps, loads

WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "S"]), max_size=30)
CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
NAMES = """id title price sale_price description categories attributes images availability qty
link status features attr_n_width currency name"""
COLUMNS = st.sampled_from(NAMES.split())


def check(feed: Feed) -> None:
    """What holds for every feed whatever was in the file."""
    assert feed.rows == len(feed.products) + len(feed.rejected) + feed.merged
    ids = [product.id for product in feed.products]
    assert len(set(ids)) == len(ids)
    assert set(feed.mapping.values()) <= FIELDS
    assert all(bad.reason and bad.row > 0 and "\n" not in bad.reason for bad in feed.rejected)
    for product in feed.products:
        assert product.id
        assert product.title == plain(product.title) or "<" in product.title
        assert loads(dumps(product), Product) == product
        assert product.price is None or product.price.amount > 0
        assert product.sale_price is None or product.price is not None
        assert all(key and value for key, value in product.facts.items())
    dumps(feed)


def read_or_refuse(data: bytes) -> None:
    message = ""
    try:
        check(read_feed_bytes(data, "feed"))
    except BadFeed as refused:
        message = str(refused)
    assert "\n" not in message


@given(st.binary(max_size=400))
@example(b'<?xml version="1.0" encoding="utf-7"?><item><title>+2AA-</title></item>')
@example(b'<?xml version="1.0" encoding="rot13"?><item><title>a</title></item>')
@example(b'{"title": "\\ud800", "\\udfff": "x", "attr_\\ud800": 1}')
@example(b"title\n<![foo[\n&#xd800;\n")
def test_any_bytes_give_a_feed_or_bad_feed(data: bytes) -> None:
    read_or_refuse(data)
    read_or_refuse(gzip.compress(data))


@given(st.sampled_from("\t,;|"), st.text(max_size=300))
def test_any_text_under_a_header_gives_a_feed_or_bad_feed(delimiter: str, body: str) -> None:
    head = delimiter.join(["id", "title", "price", "sale_price", "categories", "attributes"])
    read_or_refuse(f"{head}\n{body}".encode("utf-8", "replace"))


@given(st.lists(st.dictionaries(COLUMNS, CELLS, max_size=8), max_size=6))
def test_any_json_gives_a_feed_or_bad_feed(items: list[Mapping[str, object]]) -> None:
    read_or_refuse(json.dumps(items).encode())
    read_or_refuse("\n".join(map(json.dumps, items)).encode())


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8), st.data())
def test_tsv_round_trip(texts: list[tuple[str, str]], data: st.DataObject) -> None:
    rows = [
        (f"A{n}", clean(title), clean(text))
        for n, (title, text) in enumerate(texts)
        if clean(title)
        and plain(title) == clean(title)
        and plain(text) == clean(text)
        and not clean(text).startswith(clean(title))  # a heading that repeats the title is dropped
    ]
    assume(rows)
    prices = [data.draw(st.decimals("0.01", "99999", places=2)) for _ in rows]
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "title", "description", "price"])
    for row, price in zip(rows, prices, strict=True):
        writer.writerow([*row, f"{price} EUR"])
    feed = read_feed_bytes(out.getvalue().encode(), "f.tsv")
    assert feed.rejected == ()
    assert [(p.id, p.title, p.description) for p in feed.products] == rows
    assert [p.price.amount for p in feed.products if p.price] == prices


@given(st.decimals("0", "999999", places=2), st.sampled_from(["USD", "EUR", "SEK"]))
def test_money_survives_every_way_of_writing_it(amount: Decimal, currency: str) -> None:
    ways = [
        f"{amount} {currency}",
        f"{currency} {amount:,}",
        f"{amount:,}".translate(str.maketrans(",.", ".,")) + f" {currency}",
        f"{amount:,}".replace(",", "\u00a0").replace(".", ",") + currency,
    ]
    for way in ways:
        money = parse_money(way, currency="GBP")
        assert (money.amount, money.currency) == (amount, currency)


@given(st.text(max_size=40))
def test_parse_money_gives_money_or_bad_price(text: str) -> None:
    amount = Decimal(0)
    with contextlib.suppress(BadPrice):
        amount = parse_money(text, currency="USD").amount
    assert 0 <= amount <= 10**9


@given(st.text(max_size=80))
def test_plain_text_is_one_line_that_can_be_stored(text: str) -> None:
    assert plain(text) == " ".join(plain(text).split())
    assert not re.search(r"[\x00-\x1f\ud800-\udfff]", plain(text))
