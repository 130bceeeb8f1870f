"""The table of guards, and checking a copy with all of them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.channels import CHANNELS
from hookline.errors import UnregisteredName
from hookline.guards import GUARDS, Guard, check_all, guards_named
from hookline.types import Attributes, Audience, Brand, Brief, Product, Verdict

BRIEF = Brief(
    id="b",
    product=Product(id="p", title="Tin Mug"),
    audience=Audience(id="all", name="Everybody"),
    channel=CHANNELS["onsite_banner"],
    brand=Brand(id="acme", name="Acme"),
    attributes=Attributes(),
)
GOOD = {"headline": "A mug for camp", "cta": "Shop now"}


class Faulty(Guard):
    name: ClassVar[str] = "faulty"

    def check(
        self, parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
    ) -> tuple[Verdict, ...]:
        raise ZeroDivisionError


class Silent(Faulty):
    name: ClassVar[str] = "silent"

    def check(
        self, parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
    ) -> tuple[Verdict, ...]:
        return ()


def test_guards_are_registered_by_their_own_names() -> None:
    assert list(GUARDS) == [
        "limits",
        "claims",
        "brand",
        "cta",
        "sentiment",
        "readability",
        "language",
        "profanity",
        "targeting",
        "privacy",
        "residue",
        "markup",
        "duplicates",
    ]
    assert all(guard().name == name for name, guard in GUARDS.items())


def test_guards_named_keeps_the_order() -> None:
    assert [guard.name for guard in guards_named(["brand", "limits"])] == ["brand", "limits"]


def test_guards_named_unknown_name_is_refused_with_a_hint() -> None:
    with pytest.raises(UnregisteredName, match="did you mean 'claims'"):
        guards_named(["limits", "clams"])


def test_check_all_gives_each_guards_verdicts_in_order() -> None:
    verdicts = check_all(guards_named(GUARDS), GOOD, BRIEF)
    assert [(verdict.guard, verdict.ok) for verdict in verdicts] == [(n, True) for n in GUARDS]


@pytest.mark.parametrize("guard", [Faulty(), Silent()])
def test_check_all_broken_guard_fails_the_copy(guard: Guard) -> None:
    verdicts = check_all([guard, *guards_named(["limits"])], GOOD, BRIEF)
    assert [(verdict.code, verdict.ok) for verdict in verdicts] == [
        (f"{guard.name}.fault", False),
        ("ok", True),
    ]
    assert verdicts[0].reason


@given(
    st.dictionaries(st.text(max_size=10), st.text(max_size=60), max_size=4),
    st.lists(st.text(max_size=30), max_size=3),
)
def test_check_all_any_parts_and_product_get_verdicts(
    parts: dict[str, str], texts: list[str]
) -> None:
    product = Product(id="p", title=" ".join(texts), facts=dict.fromkeys(texts, "5 kg"))
    brief = Brief(
        id="b",
        product=product,
        audience=BRIEF.audience,
        channel=BRIEF.channel,
        brand=BRIEF.brand,
        attributes=BRIEF.attributes,
    )
    guards = guards_named(GUARDS)
    verdicts = check_all(guards, parts, brief, texts)
    assert not any(verdict.code.endswith(".fault") for verdict in verdicts)
    assert verdicts == check_all(guards, parts, brief, texts)


def test_check_all_lone_surrogate_gets_verdicts_of_every_guard() -> None:
    verdicts = check_all(
        guards_named(GUARDS), {"headline": "a\ud83d", "cta": "b"}, BRIEF, ["\ud83d"]
    )
    assert {verdict.guard for verdict in verdicts} == set(GUARDS)
    assert not any(verdict.code.endswith(".fault") for verdict in verdicts)
