import gzip
import json
import re

import pytest

from conftest import ROOT
from hookline.types import Product
from hookline.writers.phrasebook.lexicon import NO_NOUNS, load_lexicon
from hookline.writers.phrasebook.names import MAX_NAME, clean, naming, short_name

NOUNS = load_lexicon()
REAL = ROOT / "../shared/data"


def names(title: str, brand: str = "", category: str = "", shop: str = "") -> list[str]:
    item = Product(id="x", title=title, brand=brand, category=category)
    return [name.text for name in naming(item, NOUNS, shop).names]


@pytest.mark.parametrize(
    ("title", "brand", "wanted"),
    [
        ("Joust Duffle Bag", "", "Joust Duffle Bag"),
        ("Mujjo - Leather Case for Apple® iPhone® 7 - Black", "Mujjo", "Mujjo Leather Case"),
        ("Apple - iPhone 7 128GB - Jet Black (AT&T)", "Apple", "Apple iPhone 7"),
        (
            'HP Pavilion dv7-1211ea Notebook Silver 43.2 cm (17") 1440 x 900 pixels',
            "HP",
            "HP Pavilion dv7-1211ea Notebook",
        ),
        ("Intel Core i5-540M processor 2.53 GHz Box", "Intel", "Intel Core i5-540M processor"),
        ("Hera Pullover Hoodie-S-Green", "", "Hera Pullover Hoodie"),
        ("Philips Coolskin shaver for men HQ6707/16", "Philips", "Philips Coolskin shaver"),
        ("Re-Boost $50 Prepaid Phone Card", "", "Re-Boost Prepaid Phone Card"),
        ("C2G 3 ft. CAT6 Ethernet Cable", "C2G", "C2G CAT6 Ethernet Cable"),
        ("RUSTIC STONEWARE MUG", "", "Rustic Stoneware mug"),
        ("The Long Table Runner", "", "Long Table Runner"),
        ("Baby Annabell Little Sophia", "", "Baby Annabell Little Sophia"),
    ],
)
def test_first_name_is_what_a_shop_assistant_would_say(title: str, brand: str, wanted: str) -> None:
    assert names(title, brand)[0].lower() == wanted.lower()


def test_case_only_gets_its_maker() -> None:
    title = "Urban Armor Gear - Case for Samsung Galaxy S7 - Black"
    assert names(title, "Urban Armor Gear") == ["Urban Armor Gear Case"]


def test_bare_part_number_gets_its_noun() -> None:
    item = Product(id="x", title="HP 15", brand="HP", description="Black Inkjet Print Cartridge")
    assert naming(item, NOUNS).names[0].text == "HP 15 inkjet print cartridge"


def test_shops_own_brand_is_not_put_before_every_name() -> None:
    assert names("Tarn Tent", "Larkmoor", shop="Larkmoor Goods")[0] == "Tarn Tent"
    assert names("Tarn Tent", "Larkmoor", shop="Other")[0] == "Larkmoor Tarn Tent"


def test_what_follows_for_is_not_what_it_is() -> None:
    item = Product(id="x", title="InvisibleShield for Most Mobile Phones", brand="ZAGG")
    assert naming(item, NOUNS).noun is None


def test_noun_comes_from_the_category_in_the_singular() -> None:
    item = Product(id="x", title="Quux Nine", category="Home > Desk Lamps")
    noun = naming(item, NOUNS).noun
    assert noun is not None
    assert (noun.text, noun.is_plural) == ("desk lamp", False)
    mixed = Product(id="x", title="Quux Nine", category="Cases & Clips")
    assert naming(mixed, NOUNS).noun is None


def test_short_name_fits_article_and_all() -> None:
    item = Product(id="x", title="Xerox 006R90321 toner cartridge Original", brand="Xerox")
    given = naming(item, NOUNS).names
    assert [n.text for n in given] == ["Xerox 006R90321 toner cartridge", "Xerox toner cartridge"]
    chosen = short_name(given, 25)
    assert chosen is not None
    assert chosen.text == "Xerox toner cartridge"
    assert short_name(given, 24) is None


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Schreibtischlampe Nova, schwarz, 60 cm", "Schreibtischlampe Nova"),
        ("Wanderrucksack für Damen", "Wanderrucksack"),
        ("Lampe de bureau Nova", "Lampe de bureau Nova"),
        ("Sac à dos avec poche", "Sac à dos"),
        ("Lámpara de mesa para salón", "Lámpara de mesa"),
        ("【送料込】電気ケトル 1.0L", "電気ケトル"),
    ],
)
def test_titles_in_other_languages_are_shortened_without_nouns(title: str, wanted: str) -> None:
    found = naming(Product(id="x", title=title), NO_NOUNS)
    assert found.names[0].text == wanted
    assert found.noun is None


def test_clean_keeps_ordinary_text() -> None:
    assert clean("It’s “fine” – really") == 'It\'s "fine" - really'
    assert clean("Mug 🙂 (2-pack)") == "Mug"


@pytest.mark.parametrize("file", ["catalog_bestbuy/ecommerce.json.gz"])
def test_names_of_a_real_catalog_are_whole_words_of_the_feed(file: str) -> None:
    path = REAL / file
    if not path.exists():
        pytest.skip("the real catalogs are not on this machine")
    with gzip.open(path) as opened:
        rows = json.load(opened)[::5]
    for row in rows:
        item = Product(
            id="x", title=row["name"], brand=row["brand"], category=" > ".join(row["categories"])
        )
        found = naming(item, NOUNS)
        words = set(re.findall(r"[\w']+", f"{clean(item.title)} {clean(item.brand)}".lower()))
        words |= set((found.noun.text if found.noun else "").lower().split())
        assert found.names
        for name in found.names:
            assert len(name.text) <= MAX_NAME
            assert set(re.findall(r"[\w']+", name.text.lower())) <= words, item.title
