"""The real catalogs beside the repository; each test skips with a word where its file is absent."""

import re
from pathlib import Path
from typing import Any

import pytest

from hookline.catalog import Feed, read_feed
from hookline.errors import BadFeed

DATA = Path(__file__).parents[2] / "../shared/data"


def real(name: str, **options: Any) -> Feed:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository")
    return read_feed(path, **options)


@pytest.mark.parametrize(
    ("name", "products", "merged"),
    [
        ("catalog_bestbuy/ecommerce.json.gz", 3291, 0),
        ("catalog_icecat/icecat_rich_descriptions_sample.jsonl.gz", 83, 0),
        ("catalog_magento_luma/configurable_products.csv.gz", 147, 1847),
        ("catalog_magento_luma/products_gear_bags.csv.gz", 14, 0),
        ("catalog_magento_luma/products_gear_fitness_equipment.csv.gz", 9, 0),
        ("catalog_magento_luma/products_gear_watches.csv.gz", 9, 0),
    ],
)
def test_real_feed_imports_whole(name: str, products: int, merged: int) -> None:
    feed = real(name)
    assert (len(feed.products), feed.merged, feed.rejected) == (products, merged, ())
    assert all(product.price and product.category for product in feed.products)
    texts = [t for p in feed.products for t in (p.title, p.description, p.category, *p.highlights)]
    assert not [t for t in texts if re.search(r"</?\w+>|&\w+;|Default Category|â€|Ã", t)]


def test_icecat_in_cents() -> None:
    feed = real("catalog_icecat/icecat_products_19k.jsonl.gz", price_unit="cents")
    assert len(feed.products) == 19_406
    assert feed.rejected == ()
    toner = next(product for product in feed.products if product.id == "3920564")
    assert (toner.brand, str(toner.price)) == ("Xerox", "49.95 USD")
    assert toner.facts["black toner page yield"] == "23000"
    assert len(feed.mapping) < 20


def test_reviews_are_no_products() -> None:
    with pytest.raises(BadFeed, match="list of reviews"):
        real("catalog_magento_luma/products_reviews.csv.gz")
