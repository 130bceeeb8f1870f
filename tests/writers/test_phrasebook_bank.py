import re
from collections.abc import Iterator

import pytest

from hookline.attributes import AFFINITIES
from hookline.channels import count_units
from hookline.errors import UnregisteredName
from hookline.types import ATTRIBUTE_LEVELS
from hookline.writers.phrasebook.bank import LANGUAGES, Bank, Shape, load_bank
from hookline.writers.phrasebook.lexicon import load_lexicon

NOUNS = load_lexicon()
ENGLISH_SLOTS = {
    "name", "the_name", "noun", "nouns", "a_noun", "new_noun", "do", "moment", "need", "people",
    "price", "spec", "label", "finish", "maker", "it", "its", "is", "s",
}  # fmt: skip
SLOTS = {"name", "do", "moment", "need", "people", "price", "spec", "label", "maker"}
FORBIDDEN = {
    "en": r"best|perfect|ultimate|guarantee|free|only left|now",
    "de": r"best\w*|perfekt\w*|einzig\w*|garant\w*|gratis|kostenlos|jetzt|\w*sofort|immer",
    "fr": r"meilleur\w*|parfait\w*|unique\w*|garanti\w*|gratuit\w*|maintenant|promo\w*",
    "es": r"mejor\w*|perfect\w*|únic\w*|garanti\w*|gratis|ahora|siempre|ofertas?",
    "ja": r"最|一番|完璧|保証|無料|今すぐ|限定|必ず|人気",
}
TODAY = {"en": "today", "de": "heute", "fr": "aujourd|ce jour", "es": r"\bhoy\b", "ja": "今日"}


def shapes(bank: Bank) -> Iterator[Shape]:
    """Every shape of the bank."""
    for angles in (bank.hooks, bank.support):
        for tones in angles.values():
            for pool in tones.values():
                yield from pool
    tables = (bank.proofs, bank.tails, bank.urgency, bank.calls, bank.buttons, bank.soft_buttons)
    for table in (*tables, bank.openers, bank.closers):
        for pool in table.values():
            yield from pool


def phrases(bank: Bank) -> Iterator[str]:
    """Every other phrase."""
    for family in bank.families.values():
        yield from (*family.do, *family.moment, *family.need)
    for lines in bank.people.values():
        yield from lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_cell_is_missing(language: str) -> None:
    bank = load_bank(language)
    for angles, most in ((bank.hooks, 8), (bank.support, 5)):
        assert set(angles) == set(ATTRIBUTE_LEVELS["angle"])
        for tones in angles.values():
            assert set(tones) == {*ATTRIBUTE_LEVELS["tone"], "any"}
            assert len(tones["any"]) >= most
            assert all(len(pool) >= 2 for pool in tones.values())
    assert set(bank.urgency) == {*ATTRIBUTE_LEVELS["tone"], "any"}
    for table in (bank.openers, bank.closers):
        assert set(table) == set(ATTRIBUTE_LEVELS["tone"])
        assert all(len(pool) >= 6 for pool in table.values())
    for table in (bank.calls, bank.buttons, bank.soft_buttons):
        assert set(table) == set(ATTRIBUTE_LEVELS["cta"])
    assert all(len(pool) >= 4 for pool in bank.buttons.values())
    assert set(bank.proofs) == set(bank.tails) >= {"price", "spec", "label", "brand"}
    assert set(bank.people) > set(AFFINITIES)
    assert set(bank.kin) == set(NOUNS.families)
    assert set(bank.kin.values()) <= set(bank.families)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_stands_twice_in_a_list(language: str) -> None:
    bank = load_bank(language)
    for angles in (bank.hooks, bank.support):
        for angle, tones in angles.items():
            texts = [shape.text for pool in tones.values() for shape in pool]
            assert len(set(texts)) == len(texts), (angle, sorted(texts))


@pytest.mark.parametrize("language", LANGUAGES)
def test_shapes_use_known_slots_and_support_sentences_end(language: str) -> None:
    bank = load_bank(language)
    known = ENGLISH_SLOTS if language == "en" else SLOTS
    assert {slot for shape in shapes(bank) for slot in shape.slots} == known
    ends = (".", "?", "{need}", "。", "？")
    for tones in bank.support.values():
        for pool in tones.values():
            assert all(shape.text.endswith(ends) for shape in pool)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("angle", ATTRIBUTE_LEVELS["angle"])
def test_every_angle_has_headlines_for_the_smallest_field(language: str, angle: str) -> None:
    short = [
        shape
        for shape in load_bank(language).hooks[angle]["any"]
        if not shape.slots and count_units(shape.text, "columns") <= 30
    ]
    assert len(short) >= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_call_has_a_short_form_without_the_name(language: str) -> None:
    bank = load_bank(language)
    for style in ATTRIBUTE_LEVELS["cta"]:
        for pool, most in ((bank.calls, 18), (bank.buttons, 20), (bank.soft_buttons, 20)):
            texts = [s.text for s in pool[style] if not s.slots]
            assert style == "none" or any(len(text) <= most for text in texts), (style, texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_bank_states_no_number_and_praises_nothing(language: str) -> None:
    bank = load_bank(language)
    whole = r"(?:{})" if language == "ja" else r"\b(?:{})\b"
    forbidden = re.compile(whole.format(FORBIDDEN[language]), re.IGNORECASE)
    for text in [*(shape.text for shape in shapes(bank)), *phrases(bank)]:
        assert not re.search(r"\d|!|！|%|[$€£¥]", text), text
        assert not forbidden.search(text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_today_is_only_said_where_copy_presses(language: str) -> None:
    bank = load_bank(language)
    pressing = {s.text for t in (bank.urgency, bank.soft_buttons) for p in t.values() for s in p}
    for shape in shapes(bank):
        if shape.text not in pressing:
            assert not re.search(TODAY[language], shape.text, re.IGNORECASE), shape.text
    assert sum(bool(re.search(TODAY[language], text, re.IGNORECASE)) for text in pressing) >= 12


@pytest.mark.parametrize("language", [name for name in LANGUAGES if load_bank(name).grammar.sms])
def test_bank_stays_in_the_sms_alphabet_where_it_says_so(language: str) -> None:
    bank = load_bank(language)
    for text in [*(shape.text for shape in shapes(bank)), *phrases(bank)]:
        bare = re.sub(r"[{}]", "", text)
        assert count_units(bare, "gsm7") == len(bare), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_needs_are_questions_and_the_rest_is_not(language: str) -> None:
    for family in load_bank(language).families.values():
        assert all(len(part) >= 2 for part in (family.do, family.moment, family.need))
        assert all(need.endswith(("?", "？")) and len(need) <= 50 for need in family.need)
        assert not any(text[-1] in ".?!。" for text in (*family.do, *family.moment))
        assert any(len(text) <= 26 for text in family.do)


def test_japanese_is_written_without_blanks_and_french_with_firm_ones() -> None:
    japanese = load_bank("ja")
    for text in [*(shape.text for shape in shapes(japanese)), *phrases(japanese)]:
        assert not re.search(r"[ .,?:;]", text), text
    for shape in shapes(load_bank("fr")):
        assert not re.search(r"[^\u00a0][?:;!]", shape.text), shape.text


def test_french_infinitives_do_not_elide() -> None:
    for family in load_bank("fr").families.values():
        assert all(text[0] not in "aàâeéèêhioœuy" for text in family.do), family.do


@pytest.mark.parametrize(
    ("language", "texts", "wanted"),
    [
        ("de", ["Große Schreibtischlampe, schwarz"], "home"),
        ("fr", ["Tasses en grès"], "kitchen"),
        ("es", ["Nova 9", "Casa > Lámparas"], "home"),
        ("ja", ["電気ケトル 1.0L"], "kitchen"),
        ("de", ["Nova 9"], "general"),
    ],
)
def test_family_is_found_by_a_native_noun(language: str, texts: list[str], wanted: str) -> None:
    assert load_bank(language).family(texts) == wanted


def test_unknown_language_is_named() -> None:
    with pytest.raises(UnregisteredName, match="de, en, es, fr, ja"):
        load_bank("it")


def test_lexicon_knows_number_and_countability() -> None:
    by_words = {" ".join(words): noun for words, noun in NOUNS.nouns.items()}
    assert by_words["lamps"].is_plural
    assert by_words["lamps"].text == "lamps"
    assert by_words["leggings"].plural == "leggings"
    assert by_words["short"].text == "shorts"
    assert not by_words["paper"].countable
    assert by_words["usb hub"].text == "USB hub"
    assert by_words["chef's knife"].plural == "chef's knives"
    assert NOUNS.find(["The", "Tiny", "DESK", "LAMP,", "white"]) == (4, by_words["desk lamp"])
    assert NOUNS.find(["Quux"]) is None


def test_version_is_stable_and_of_its_language() -> None:
    assert load_bank("en") is load_bank("en")
    versions = {load_bank(language).version for language in LANGUAGES}
    assert len(versions) == len(LANGUAGES)
    assert all(re.fullmatch(r"[0-9a-f]{20}", version) for version in versions)
