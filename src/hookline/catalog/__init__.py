r"""Product feeds → products: the first step of the loop.

A feed becomes a whole `Feed` or a `BadFeed`; nothing in between. The modules are the data flow:

    decode → sheet (tables, documents, markup) → variants → mapping → products (text, prices, facts)

Examples:
    >>> feed = read_feed_bytes(b"id,title,price\nA1,Tin mug,9.50 USD\nA2,,4.00 USD\n", "shop.csv")
    >>> feed.products[0].title, str(feed.products[0].price)
    ('Tin mug', '9.50 USD')
    >>> feed.rejected[0].row, feed.rejected[0].reason
    (3, 'no title')
"""

from hookline.catalog.feed import Feed, RowNote, read_feed, read_feed_bytes
from hookline.catalog.prices import PriceUnit

__all__ = ["Feed", "PriceUnit", "RowNote", "read_feed", "read_feed_bytes"]
