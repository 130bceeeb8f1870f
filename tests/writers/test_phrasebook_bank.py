import re
from collections.abc import Iterator

import pytest

from hookline.attributes import AFFINITIES
from hookline.channels import count_units
from hookline.types import ATTRIBUTE_LEVELS
from hookline.writers.phrasebook.bank import Shape, load_bank

BANK = load_bank()
SLOTS = {
    "name", "the_name", "noun", "nouns", "a_noun", "new_noun", "do", "moment", "need", "people",
    "price", "spec", "label", "finish", "maker", "it", "its", "is", "s",
}  # fmt: skip


def shapes() -> Iterator[Shape]:
    """Every shape of the bank."""
    for angles in (BANK.hooks, BANK.support):
        for tones in angles.values():
            for pool in tones.values():
                yield from pool
    for table in (BANK.proofs, BANK.tails, BANK.urgency, BANK.calls, BANK.buttons):
        for pool in table.values():
            yield from pool
    for pool in BANK.soft_buttons.values():
        yield from pool


def phrases() -> Iterator[str]:
    """Every other phrase."""
    for family in BANK.families.values():
        yield from (*family.do, *family.moment, *family.need)
    for lines in BANK.people.values():
        yield from lines


def test_there_are_shapes_for_every_attribute() -> None:
    for angles in (BANK.hooks, BANK.support):
        assert set(angles) == set(ATTRIBUTE_LEVELS["angle"])
        for tones in angles.values():
            assert set(tones) == {*ATTRIBUTE_LEVELS["tone"], "any"}
            assert all(len(pool) >= 3 for pool in tones.values())
    assert set(BANK.urgency) == {*ATTRIBUTE_LEVELS["tone"], "any"}
    for table in (BANK.calls, BANK.buttons, BANK.soft_buttons):
        assert set(table) == set(ATTRIBUTE_LEVELS["cta"])
    assert set(BANK.proofs) == set(BANK.tails) == {"price", "spec", "label", "finish", "brand"}
    assert set(BANK.people) > set(AFFINITIES)


def test_shapes_use_known_slots_and_support_sentences_end() -> None:
    assert {slot for shape in shapes() for slot in shape.slots} == SLOTS
    for tones in BANK.support.values():
        for pool in tones.values():
            assert all(shape.text.endswith((".", "?", "{need}")) for shape in pool)


@pytest.mark.parametrize("angle", ATTRIBUTE_LEVELS["angle"])
def test_every_angle_has_headlines_for_the_smallest_field(angle: str) -> None:
    short = [s for s in BANK.hooks[angle]["any"] if not s.slots and len(s.text) <= 30]
    short += [s for s in BANK.hooks[angle]["any"] if s.slots == ("need",)]
    assert len(short) >= 2


def test_bank_states_no_number_and_stays_in_the_sms_alphabet() -> None:
    for text in [*(shape.text for shape in shapes()), *phrases()]:
        assert not re.search(r"\d|!|%|[$€£]", text), text
        assert not re.search(r"\b(?:best|perfect|ultimate|guarantee|free|only left)\b", text), text
        bare = re.sub(r"[{}]", "", text)
        assert count_units(bare, "gsm7") == len(bare), text


def test_needs_are_questions_and_the_rest_is_not() -> None:
    for family in BANK.families.values():
        assert all(len(part) >= 2 for part in (family.do, family.moment, family.need))
        assert all(need.endswith("?") and len(need) <= 50 for need in family.need)
        assert not any(text[-1] in ".?!" for text in (*family.do, *family.moment))
        assert any(len(text) <= 26 for text in family.do)


def test_lexicon_knows_number_and_countability() -> None:
    by_words = {" ".join(words): noun for words, noun in BANK.lexicon.items()}
    assert by_words["lamps"].is_plural
    assert by_words["lamps"].text == "lamps"
    assert by_words["leggings"].plural == "leggings"
    assert by_words["short"].text == "shorts"
    assert not by_words["paper"].countable
    assert by_words["usb hub"].text == "USB hub"
    assert by_words["chef's knife"].plural == "chef's knives"
    assert BANK.find(["The", "Tiny", "DESK", "LAMP,", "white"]) == (4, by_words["desk lamp"])
    assert BANK.find(["Quux"]) is None


def test_version_is_stable() -> None:
    assert load_bank() is BANK
    assert re.fullmatch(r"[0-9a-f]{20}", BANK.version)
