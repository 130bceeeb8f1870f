"""Brand kits: what is read, and the one line that says what is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline import sample
from hookline.brand import MAX_RESTRICTIONS, MAX_TERMS, read_brand
from hookline.errors import BadInput
from hookline.types import Brand, dumps

KIT: dict[str, object] = {"id": "acme", "name": "Acme"}


def kit(**fields: object) -> bytes:
    return json.dumps(KIT | fields).encode()


def test_read_brand_reads_every_field() -> None:
    brand = Brand(
        id="acme",
        name="Acme",
        voice=("warm",),
        banned_terms=("cheap",),
        glossary={"Iphone": "iPhone"},
        disclaimers={"loan": "Terms apply."},
        restrictions=("No health claims.",),
        max_exclamations=0,
        emoji=True,
        locale="en-GB",
    )
    assert read_brand(dumps(brand)) == brand


def test_read_brand_defaults_are_those_of_the_record() -> None:
    assert read_brand(kit()) == Brand(id="acme", name="Acme")


def test_read_brand_reads_the_sample_kit() -> None:
    assert read_brand(dumps(sample.brand())) == sample.brand()


def test_read_brand_strips_blanks() -> None:
    assert read_brand(kit(banned_terms=[" cheap "])).banned_terms == ("cheap",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "must be a JSON object, not a list"),
        (b"null", "must be a JSON object, not nothing"),
        (b'{"id": "acme"}', "has no name"),
        (b'{"name": "Acme"}', "has no id"),
        (kit(id=""), "'id' of the brand kit is empty"),
        (kit(name=7), "'name' of the brand kit must be text, not a number"),
        (kit(name="A\nB"), "line break"),
        (kit(banned_words=["x"]), "no field 'banned_words'; did you mean 'banned_terms'?"),
        (kit(xyz=1), "no field 'xyz'; it knows id, name"),
        (kit(banned_terms="cheap"), "'banned_terms' of the brand kit must be a list of texts"),
        (kit(banned_terms=["a", ""]), "'banned_terms[1]' of the brand kit is empty"),
        (kit(banned_terms=["a", None]), "'banned_terms[1]' of the brand kit must be text"),
        (kit(banned_terms=["a"] * 26), "has 26 entries; at most 25 go"),
        (kit(restrictions=["a"] * 41), "has 41 entries; at most 40 go"),
        (kit(glossary=["a"]), "'glossary' of the brand kit must map texts to texts, not a list"),
        (kit(glossary={"a": 1}), "'glossary[a]' of the brand kit must be text"),
        (kit(disclaimers={" ": "x"}), "'disclaimers key' of the brand kit is empty"),
        (kit(emoji="yes"), "'emoji' of the brand kit must be true or false, not text"),
        (kit(emoji=1), "'emoji' of the brand kit must be true or false, not a number"),
        (kit(max_exclamations=-1), "must be a whole number from 0 on, not -1"),
        (kit(max_exclamations=1.5), "must be a whole number from 0 on, not 1.5"),
        (kit(max_exclamations=True), "must be a whole number from 0 on, not True"),
    ],
)
def test_read_brand_says_in_one_line_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_brand(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_read_brand_takes_as_many_terms_as_google_ads() -> None:
    terms, rules = ["a"] * MAX_TERMS, ["b"] * MAX_RESTRICTIONS
    brand = read_brand(kit(banned_terms=terms, restrictions=rules))
    assert (len(brand.banned_terms), len(brand.restrictions)) == (25, 40)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Brand.__dataclass_fields__, "x"]), json_values))
def test_read_brand_any_object_is_a_brand_or_bad_input(fields: dict[str, object]) -> None:
    try:
        brand = read_brand(kit(**fields))
    except BadInput:
        return
    assert read_brand(dumps(brand)) == brand
