"""Quantities: what digits, words, units and signs of every kind are read as."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.guards.quantities import fold, quantities


def read(text: str) -> list[tuple[str, set[Decimal]]]:
    return [(quantity.kind, set(quantity.values)) for quantity in quantities(fold(text))]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Café” ＡＢＣ", '"cafe" abc'),
        ("5\u00a0% \u2013 5\u200b0", "5 % - 50"),
        ("12\u202f000", "12000"),
        ("٣٤٥ ३ 𝟟", "345 3 7"),
        ("1½ ② m³ 9⁹⁹", "1 1/2 2 m3 9 99"),
        ("Core™2", "core 2"),
        ("straße", "strasse"),
    ],
)
def test_fold_makes_texts_comparable(text: str, plain: str) -> None:
    assert fold(text) == plain


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1299", "count", "1299"),
        ("$1,299.00", "money", "1299"),
        ("1.299,00 €", "money", "1299"),
        ("1'299.00 CHF", "money", "1299"),
        ("1 299 €", "money", "1299"),
        ("EUR1299", "money", "1299"),
        ("$.99", "money", "0.99"),
        ("99¢", "money", "0.99"),
        ("fifty dollars", "money", "50"),
        ("8GB", "data", "8000000"),
        ("eight gigabytes", "data", "8000000"),
        ("1 TB", "data", "1000000000"),
        ('17"', "length", "0.4318"),
        ("17-inch", "length", "0.4318"),
        ("17 in.", "length", "0.4318"),
        ("3/4 inch", "length", "0.01905"),
        ("1 1/2 inch", "length", "0.0381"),
        ("2 lb", "mass", "907.18474"),
        ("32 oz", "mass", "907.18474"),
        ("1.5 hours", "time", "5400"),
        ("one year", "months", "12"),
        ("half a litre", "volume", "500"),
        ("two-pack", "pack", "2"),
        ("pack of six", "pack", "6"),
        ("6 pc(s)", "pack", "6"),
        ("twenty-five percent", "percent", "25"),
        ("one hundred and fifty", "count", "150"),
        ("2 million", "count", "2000000"),
        ("a dozen", "count", "12"),
        ("-15 °C", "celsius", "-15"),
        ("1080p", "~p", "1080"),
        ("5.000", "count", "5000"),
        ("0.500", "count", "0.5"),
        ("1,5", "count", "1.5"),
    ],
)
def test_quantities_one_is_read(text: str, kind: str, value: str) -> None:
    assert read(text) == [(kind, {Decimal(value)})]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("5-10 hours", ["time", "time"]),
        ("5 to 10 hours", ["time", "time"]),
        ("20 x 30 cm", ["length", "length"]),
        ("2x4GB", ["count", "data"]),
        ("$20-30", ["money", "money"]),
        ("2 in 1", ["count", "count"]),
        ("10/100/1000", ["count", "count", "count"]),
        ("dv7-1211ea", ["code", "~ea"]),
        ("2.0.1", ["code"]),
        ("the one, zero fuss", []),
        ("one's own", []),
        ("4 a day", ["count"]),
    ],
)
def test_quantities_units_are_shared_where_they_are_meant_to(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in read(text)] == kinds


def test_quantities_ambiguous_point_has_both_readings() -> None:
    assert read("1.299") == [("count", {Decimal("1.299"), Decimal(1299)})]


def test_quantities_sign_may_stand_for_several_currencies() -> None:
    (quantity,) = quantities("$5")
    assert {"USD", "CAD"} <= quantity.currencies
    (quantity,) = quantities("us$5")
    assert quantity.currencies == {"USD"}


@given(st.text(max_size=100))
def test_quantities_of_any_text_lie_in_order_within_it(text: str) -> None:
    folded = fold(text)
    last = -1
    for quantity in quantities(folded):
        assert last < quantity.start < quantity.end <= len(folded)
        assert bool(quantity.code) != bool(quantity.written)
        last = quantity.start


@given(st.decimals(min_value=0, max_value=10**6, places=2))
def test_quantities_any_price_is_read_back(amount: Decimal) -> None:
    assert read(f"${amount:,}") == [("money", {amount})]
    assert read(f"{amount:,} USD") == [("money", {amount})]


@given(st.text(max_size=30))
def test_quantities_no_digit_is_overlooked(text: str) -> None:
    folded = fold(text)
    covered = {i for q in quantities(folded) for i in range(q.start, q.end)}
    assert all(i in covered for i, char in enumerate(folded) if char in "0123456789")
