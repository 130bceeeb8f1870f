from collections import Counter

import pytest

from hookline import sample
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import channel, count_graphemes
from hookline.guards import GUARDS, check_all, guards_named
from hookline.recognise import recognise
from hookline.types import Product


@pytest.fixture(scope="module")
def products() -> dict[str, Product]:
    feed = read_feed(sample.shop_path())
    assert feed.format == "Google Merchant TSV"
    assert (feed.rejected, feed.notes, feed.unmapped) == ((), (), ())
    return {product.id: product for product in feed.products}


def test_sample_shop_is_worth_writing_about(products: dict[str, Product]) -> None:
    assert len(products) == 24
    categories = Counter(product.category.split(" > ")[0] for product in products.values())
    assert len(categories) == 6
    assert sum(product.sale_price is not None for product in products.values()) >= 6
    for product in products.values():
        assert product.price
        assert product.facts["material"]
        assert product.link.startswith("https://")
        assert len(product.highlights) >= 2


def test_control_lines_cover_every_product_within_limits(products: dict[str, Product]) -> None:
    lines = sample.control_lines()
    assert lines.keys() == products.keys()
    for channels in lines.values():
        assert channels.keys() == {"email", "onsite_banner"}
        for name, parts in channels.items():
            fields = channel(name).fields
            assert parts.keys() == {field.name for field in fields}
            for field in fields:
                length = count_graphemes(parts[field.name])
                assert field.min_graphemes <= length <= field.max_graphemes, parts


def test_control_lines_pass_every_guard(products: dict[str, Product]) -> None:
    brand, audience = sample.brand(), sample.audiences()[0]
    for ident, channels in sample.control_lines().items():
        for name, parts in channels.items():
            brief = make_brief(
                product=products[ident],
                audience=audience,
                channel=channel(name),
                brand=brand,
                attributes=recognise(parts, channel=channel(name), product=products[ident]),
            )
            verdicts = check_all(guards_named(GUARDS), parts, brief)
            assert verdicts
            assert [verdict for verdict in verdicts if not verdict.ok] == []


def test_control_lines_say_nothing_the_brand_bans() -> None:
    brand = sample.brand()
    texts = [
        text.lower()
        for channels in sample.control_lines().values()
        for parts in channels.values()
        for text in parts.values()
    ]
    banned = [*brand.banned_terms, *brand.glossary]
    assert banned
    assert not [(term, text) for term in banned for text in texts if term.lower() in text]
    assert max(text.count("!") for text in texts) <= brand.max_exclamations


def test_audiences_sort_by_segment() -> None:
    audiences = sample.audiences()
    assert [audience.when for audience in audiences] == [
        {"segment": ("saver",)},
        {"segment": ("connoisseur",)},
        {"segment": ("explorer",)},
    ]
    assert all(audience.persona and len(audience.motives) >= 2 for audience in audiences)
