"""The phrasebook in all of its languages: every cell, awkward products, limits, claims, variety."""

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, cycle, product

import msgspec
import pytest
from rapidfuzz import fuzz

from hookline.brief import make_brief
from hookline.channels import CHANNELS, channel
from hookline.guards import check_all, guards_named
from hookline.sentiment import BAND, score
from hookline.types import ATTRIBUTE_LEVELS, Attributes, Audience, Brand, Brief, Money, Product
from hookline.writers.phrasebook import Phrasebook
from hookline.writers.phrasebook.bank import LANGUAGES, load_bank

WRITER = Phrasebook()
GUARDS = guards_named(["limits", "claims", "brand", "duplicates"])
OWN = {
    "en": Product(id="own", title="Nova Desk Lamp, black, 60 cm", brand="Lumen"),
    "de": Product(id="own", title="Schreibtischlampe Nova, schwarz, 60 cm", brand="Lumen"),
    "fr": Product(id="own", title="Lampe de bureau Nova en métal noir", brand="Lumen"),
    "es": Product(id="own", title="Lámpara de escritorio Nova, negro", brand="Lumen"),
    "ja": Product(id="own", title="電気ケトル 1.0L ステンレス", brand="ユニ"),
}
AWKWARD = (
    Product(id="bare", title="Quux 9"),
    Product(
        id="marks",
        title="Café “Lumière” Mug 🙂 (2-pack)",
        brand="Lumière",
        price=Money(amount=Decimal("12.50"), currency="EUR"),
        highlights=("Holds 300 ml",),
    ),
    Product(
        id="long",
        title='HP Pavilion dv7-1211ea Notebook Silver 43.2 cm (17") 1440 x 900 pixels AMD Turion',
        brand="HP",
        price=Money(amount=Decimal(899), currency="CHF"),
        sale_price=Money(amount=Decimal("799.5"), currency="CHF"),
    ),
    Product(id="foreign", title="電気ケトル Kettle", brand="ユニ", locale="ja"),
)
FUNCTION_WORDS = {
    "en": "the|a|it|you|your|for|to|and|is|in|of|with|here|at|what|that|how|up|by|all|more|this"
    "|not|on|be",
    "de": "der|die|das|ein|eine|ist|für|mit|du|dir|dich|dein|deine|und|wie|was|es|von|in|hier|zu|"
    "so|im|den|auf|nicht|zum|dran|mehr|am|bei|ganz|dem|heute|an|noch|kein|ohne|da",
    "fr": "le|la|les|un|une|des|de|du|et|est|pour|avec|vous|votre|vos|c'est|à|en|ici|qui|que|on|au|"
    "sur|ce|sans|dans|ça|par|tout|plus|faites|voir|aujourd'hui|par|si|il|je|et|d'abord|chez",
    "es": "el|la|los|las|un|una|de|del|y|es|para|con|tu|tus|te|ti|tú|qué|que|aquí|en|a|por|lo|se|"
    "hoy|más|sin|al|está|ya|cómo|mira|elige|o|ver|su|no|date|haz",
}  # fmt: skip


def asked(item: Product, language: str, place: str, levels: tuple[str, ...]) -> Brief:
    """A brief in the language for a cell, levels in the order of the attributes."""
    wanted = dict(zip(ATTRIBUTE_LEVELS, levels, strict=True))
    return make_brief(
        product=item,
        audience=Audience(id="r", name="Readers", motives=("quality", "gift")),
        channel=channel(place),
        brand=Brand(id="acme", name="Acme"),
        attributes=msgspec.convert(wanted, Attributes),
        locale=language,
    )


def cells() -> list[tuple[str, ...]]:
    """Every angle, tone and call, with the other attributes in turn."""
    rest = cycle(product(*(ATTRIBUTE_LEVELS[key] for key in ("proof", "urgency", "length"))))
    main = product(*(ATTRIBUTE_LEVELS[key] for key in ("angle", "tone", "cta")))
    return [(*levels, *next(rest)) for levels in main]


def text_of(parts: dict[str, str]) -> str:
    return " ".join(parts.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_passes_every_guard_on_awkward_products(language: str) -> None:
    turns = cycle(product((OWN[language], *AWKWARD), CHANNELS))
    for levels in cells():
        item, place = next(turns)
        brief = asked(item, language, place, levels)
        (draft,) = WRITER.write(brief, 1, seed=7)
        assert list(draft.parts) == [spot.name for spot in brief.channel.fields]
        faults = [v for v in check_all(GUARDS, draft.parts, brief) if not v.ok]
        assert not faults, (draft.parts, faults)
        assert not re.search(r"[{}]|\.\.|。。|\?\.|？。| ,", text_of(dict(draft.parts)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_copy_reads_as_its_language(language: str) -> None:
    seen: Counter[bool] = Counter()
    for index, levels in enumerate(cells()):
        place = ("email", "push", "google_rsa", "meta_feed")[index % 4]
        brief = asked(AWKWARD[index % 3], language, place, levels)
        (draft,) = WRITER.write(brief, 1, seed=3)
        text = text_of(dict(draft.parts)).replace("\u00a0", " ")
        if language == "ja":
            seen[len(re.findall(r"[\u3040-\u30ff]", text)) >= 8] += 1
        else:
            words = re.findall(rf"\b(?:{FUNCTION_WORDS[language]})\b", text, re.IGNORECASE)
            seen[len(words) >= 2] += 1
    assert seen[True] / seen.total() >= 0.97


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_copy_holds_no_english_sentence(language: str) -> None:
    english = {
        s.text for tones in load_bank("en").hooks.values() for p in tones.values() for s in p
    }
    for levels in cells()[::5]:
        (draft,) = WRITER.write(asked(OWN[language], language, "email", levels), 1, 1)
        assert not english & set(draft.parts.values())
        assert not re.search(r"\b(?:the|your|with|yours)\b", text_of(dict(draft.parts)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", ["onsite_banner", "email", "push", "meta_feed"])
def test_slate_of_one_cell_is_varied(language: str, place: str) -> None:
    levels = ("quality", "warm", "discover", "none", "none", "full")
    drafts = WRITER.write(asked(OWN[language], language, place, levels), 50, 1)
    texts = [text_of(dict(draft.parts)) for draft in drafts]
    assert len(set(texts)) == len(texts) >= 40
    first = texts[:8]
    likeness = [fuzz.token_sort_ratio(one, other) for one, other in combinations(first, 2)]
    assert sum(likeness) / len(likeness) < 75


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("target", [0.0, 0.3, 0.6])
def test_copy_feels_as_asked(language: str, target: float) -> None:
    near: Counter[bool] = Counter()
    for angle, tone in product(("direct", "ease", "value", "style"), ("plain", "bold", "calm")):
        levels = (angle, tone, "see", "none", "none", "full")
        brief = replace(asked(OWN[language], language, "push", levels), sentiment=target)
        (draft,) = WRITER.write(brief, 1, seed=4)
        felt = score(" | ".join(draft.parts.values()), language)
        near[abs(felt - target) <= BAND + 1e-9] += 1
    assert near[True] >= 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_seed_same_words_and_regions_share_a_language(language: str) -> None:
    levels = ("ease", "calm", "get", "none", "soft", "short")
    brief = asked(OWN[language], language, "push", levels)
    assert WRITER.write(brief, 4, 2) == WRITER.write(brief, 4, 2)
    assert WRITER.write(brief, 4, 2) != WRITER.write(brief, 4, 3)
    region = asked(OWN[language], f"{language}-XX", "push", levels)
    assert WRITER.write(region, 1, 2)[0].prompt == load_bank(language).version


@pytest.mark.parametrize("language", LANGUAGES)
def test_tone_stands_in_its_own_words(language: str) -> None:
    """A draft holds a piece of some sentence listed under its tone."""
    bank = load_bank(language)
    missing = 0
    for angle, tone in product(ATTRIBUTE_LEVELS["angle"], ATTRIBUTE_LEVELS["tone"]):
        levels = (angle, tone, "see", "none", "none", "full")
        (draft,) = WRITER.write(asked(OWN[language], language, "push", levels), 1, 4)
        text = text_of(dict(draft.parts)).casefold()
        pools = (bank.hooks[angle][tone], bank.support[angle][tone])
        toned = [*pools[0], *pools[1], *bank.openers[tone], *bank.closers[tone]]
        missing += not any(
            all(piece.casefold().strip(" .。") in text for piece in shape.pieces)
            for shape in toned
            if sum(map(len, shape.pieces)) >= 3
        )
    assert missing <= 2


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", "CHF"), ("de", "799,50 CHF"), ("fr", "799,50 CHF"),
        ("es", "799,50 CHF"), ("ja", "799.50 CHF"),
    ],
)  # fmt: skip
def test_price_is_written_as_the_language_writes_it(language: str, wanted: str) -> None:
    levels = ("value", "plain", "shop", "price", "none", "full")
    for draft in WRITER.write(asked(AWKWARD[2], language, "push", levels), 5, 1):
        assert wanted in text_of(dict(draft.parts))


@pytest.mark.parametrize("language", LANGUAGES)
def test_maker_is_named_only_where_the_brief_asks_for_it(language: str) -> None:
    maker = OWN[language].brand
    for proof in ("none", "brand"):
        levels = ("benefit", "plain", "see", proof, "none", "full")
        for draft in WRITER.write(asked(OWN[language], language, "push", levels), 6, 1):
            assert (maker in text_of(dict(draft.parts))) == (proof == "brand")


def test_banned_japanese_words_do_not_appear() -> None:
    levels = ("benefit", "warm", "see", "none", "none", "full")
    brief = asked(OWN["ja"], "ja", "push", levels)
    brand = Brand(id="acme", name="Acme", banned_terms=("毎日", "見"))
    banned = make_brief(
        product=brief.product,
        audience=brief.audience,
        channel=brief.channel,
        brand=brand,
        attributes=brief.attributes,
        locale="ja",
    )
    for draft in WRITER.write(banned, 6, 1):
        assert not re.search("毎日|見", text_of(dict(draft.parts)))
