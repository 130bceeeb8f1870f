import gzip
import json

import pytest

from hookline.catalog import read_feed_bytes
from hookline.errors import BadFeed

TSV = (
    "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tsale_price\tbrand\t"
    "product_type\tmaterial\tproduct_highlight\tproduct_detail\n"
    "A1\tTin mug\tA mug.\thttps://s.example/a1\thttps://s.example/a1.jpg\tin stock\t9.50 USD\t"
    '8.00 USD\tAcme\tHome > Mugs\tTin\t"Light,""Cold, wet or hot"""\tCare:Dishwasher safe:yes\n'
)
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>The shop</title><link>https://s.example</link>
<item><title>Plain</title><g:title>Tin mug &amp; lid</g:title><link>https://s.example/a1</link>
<g:id>A1</g:id><g:description><![CDATA[<p>Holds <b>tea</b></p>]]></g:description>
<g:price>9.50 EUR</g:price><g:availability>in_stock</g:availability>
<g:product_highlight>Light</g:product_highlight><g:product_highlight>Strong</g:product_highlight>
<g:product_detail><g:section_name>Care</g:section_name><g:attribute_name>Wash</g:attribute_name>
<g:attribute_value>by hand</g:attribute_value></g:product_detail>
<g:shipping><g:country>DE</g:country><g:price>4.00 EUR</g:price></g:shipping></item>
<item><g:id>A2</g:id></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<title>Shop</title><entry><id>urn:x:1</id><g:id>A1</g:id><title>Tin mug</title>
<link href="https://s.example/a1"/><summary>Holds tea.</summary><g:price>9.50 GBP</g:price></entry>
</feed>"""
SHOPIFY_OLD = """Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,\
Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price,\
Variant Compare At Price,Image Src,SEO Title,Cost per item,Status
mug,Tin mug,"<p>Holds tea.</p>
<ul><li>Light</li></ul>",Acme,Mugs,camp,TRUE,Size,S,Color,Red,M-S,0,8.00,10.00,\
https://s.example/m.jpg,Buy a mug,3.10,active
mug,,,,,,,,L,,Blue,M-L,4,9.00,11.00,https://s.example/m2.jpg,,3.40,
hat,Hat,,Acme,Hats,,TRUE,Title,Default Title,,,H-1,0,20.00,,,,,active
pan,Pan,,Acme,Pans,,TRUE,Title,Default Title,,,P-1,1,20.00,,,,,draft
pot,Pot,,Acme,Pots,,FALSE,Title,Default Title,,,P-2,1,20.00,,,,,active
"""
SHOPIFY_NEW = """Title,URL handle,Description,Vendor,Product category,Type,Tags,\
Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,\
Inventory quantity,Weight value (grams),Product image URL,SEO title,\
Material (product.metafields.custom.material)
Tin mug,mug,<p>Holds tea.</p>,Acme,Home & Garden > Mugs,Mugs,camp,TRUE,Active,M-S,,Size,S,\
8.00,10.00,2,120,https://s.example/m.jpg,,Tin
,mug,,,,,,,,M-L,,,L,8.00,10.00,3,140,,,
Bin,bin,,Acme,,Bins,,TRUE,Archived,B-1,,Title,Default Title,5.00,,1,,,,
"""
MAGENTO = """sku,attribute_set_code,product_type,categories,product_websites,name,description,\
visibility,price,base_image,additional_attributes,is_in_stock,configurable_variations
T-S,Top,simple,Default Category/Men/Tees,base,Tee-S,<p>Soft.</p>,Not Visible Individually,29,,\
"has_options=0,size=S",1,
T,Top,configurable,"Default Category/Men/Tees,Default Category/Promotions/Tees,Default Category",\
base,Tee,<p>Soft.</p>,"Catalog, Search",,/t/t.jpg,"material=Cotton|Hemp,new=No,style_general=Tee",\
1,"sku=T-S,size=S|sku=T-M,size=M"
"""


def test_google_tsv_every_attribute() -> None:
    feed = read_feed_bytes(TSV.encode(), "shop.tsv")
    (mug,) = feed.products
    assert feed.format == "Google Merchant TSV"
    assert (mug.id, mug.title, mug.description, mug.brand) == ("A1", "Tin mug", "A mug.", "Acme")
    assert (str(mug.price), str(mug.sale_price)) == ("9.50 USD", "8.00 USD")
    assert (mug.category, mug.availability) == ("Home > Mugs", "in_stock")
    assert (mug.link, mug.image_link) == ("https://s.example/a1", "https://s.example/a1.jpg")
    assert mug.facts == {"material": "Tin", "dishwasher safe": "yes"}
    assert mug.highlights == ("Light", "Cold, wet or hot")
    assert feed.mapping["product_type"] == "category"


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_delimiter_is_found_by_content_not_by_name(delimiter: str) -> None:
    rows = [["id", "title", "price"], ["A1", "Tin mug", "9.50"]]
    text = "\n".join(delimiter.join(row) for row in rows)
    feed = read_feed_bytes(text.encode(), "feed.xml")
    assert feed.format == "CSV"
    assert feed.products[0].title == "Tin mug"


def test_csv_quotes_and_line_ends_inside_cells() -> None:
    data = b'id,title,description\r\nA1,"Mug, 3"" tall","Line one.\r\nLine two."\r\n'
    (mug,) = read_feed_bytes(data, "feed.csv").products
    assert mug.title == 'Mug, 3" tall'
    assert mug.description == "Line one. Line two."


def test_tsv_bare_inch_marks_swallow_no_rows() -> None:
    data = b'id\ttitle\tbrand\nA1\t"Slim" case\tAcme\nA2\t"17 inch bag\tAcme\nA3\tMug\tAcme\n'
    feed = read_feed_bytes(data, "feed.tsv")
    assert [product.title for product in feed.products] == ['"Slim" case', '"17 inch bag', "Mug"]


def test_csv_row_with_more_cells_than_the_header_is_rejected() -> None:
    feed = read_feed_bytes(b"id,title,brand\nA1,Mug,big,Acme\nA2,Hat,Acme\n", "feed.csv")
    assert [product.id for product in feed.products] == ["A2"]
    assert feed.rejected[0].row == 2
    assert "4 cells where the header has 3" in feed.rejected[0].reason


def test_csv_repeated_columns_give_every_highlight() -> None:
    data = b"id,title,product_highlight,product_highlight\nA1,Mug,Light,Strong\n"
    assert read_feed_bytes(data, "f.csv").products[0].highlights == ("Light", "Strong")


def test_rss_google_namespace_wins_and_nested_prices_stay_inside() -> None:
    feed = read_feed_bytes(RSS.encode(), "feed.txt")
    (mug,) = feed.products
    assert feed.format == "Google Merchant XML (RSS)"
    assert (mug.id, mug.title, mug.description) == ("A1", "Tin mug & lid", "Holds tea")
    assert str(mug.price) == "9.50 EUR"
    assert mug.link == "https://s.example/a1"
    assert mug.highlights == ("Light", "Strong")
    assert mug.facts == {"wash": "by hand"}
    assert [(bad.row, bad.reason) for bad in feed.rejected] == [(2, "no title")]


def test_atom_link_is_an_attribute() -> None:
    feed = read_feed_bytes(ATOM.encode(), "feed.xml")
    (mug,) = feed.products
    assert feed.format == "Google Merchant XML (Atom)"
    assert (mug.id, mug.link, mug.description) == ("A1", "https://s.example/a1", "Holds tea.")
    assert str(mug.price) == "9.50 GBP"


def test_shopify_legacy_variants_become_one_product() -> None:
    feed = read_feed_bytes(SHOPIFY_OLD.encode(), "products_export.csv")
    mug, hat = feed.products
    assert feed.format == "Shopify CSV (legacy)"
    assert (mug.id, mug.brand, mug.category) == ("mug", "Acme", "Mugs")
    assert (str(mug.price), str(mug.sale_price)) == ("10.00 USD", "8.00 USD")
    assert mug.facts == {"size": "S, L", "color": "Red, Blue"}
    assert mug.availability == "in_stock"
    assert mug.description == "Holds tea. Light"
    assert mug.highlights == ("Light",)
    assert (hat.availability, dict(hat.facts)) == ("out_of_stock", {})
    assert [(bad.row, bad.reason) for bad in feed.rejected] == [
        (5, "is draft in the shop; make it active to import it"),
        (6, "is not published in the shop"),
    ]
    assert (feed.rows, feed.merged) == (5, 1)
    assert [note.row for note in feed.notes] == [2]
    assert "Cost per item" in feed.unmapped


def test_shopify_current_generation() -> None:
    feed = read_feed_bytes(SHOPIFY_NEW.encode(), "products_export.csv")
    (mug,) = feed.products
    assert feed.format == "Shopify CSV"
    assert (mug.id, mug.category) == ("mug", "Home & Garden > Mugs")
    assert (str(mug.price), str(mug.sale_price)) == ("10.00 USD", "8.00 USD")
    assert mug.facts == {"size": "S, L", "material": "Tin"}
    assert mug.image_link == "https://s.example/m.jpg"
    assert [(bad.row, bad.reason[:11]) for bad in feed.rejected] == [(4, "is archived")]


def test_shopify_handle_taken_by_another_title_is_a_duplicate() -> None:
    data = b"Handle,Title,Option1 Name,Variant Price\nmug,Mug,,1\nmug,Cup,,2\n,Pan,,3\n"
    feed = read_feed_bytes(data, "p.csv")
    assert [product.title for product in feed.products] == ["Mug"]
    assert [bad.row for bad in feed.rejected] == [3, 4]
    assert feed.rejected[0].reason.startswith("duplicate of row 2")
    assert feed.rejected[1].reason == "no id"


def test_shopify_price_comes_from_the_first_variant_that_has_one() -> None:
    data = b"Handle,Title,Option1 Name,Variant Price\nmug,Mug,Size,\nmug,,,2\n"
    (mug,) = read_feed_bytes(data, "p.csv").products
    assert str(mug.price) == "2.00 USD"


def test_magento_variants_join_the_product_page() -> None:
    feed = read_feed_bytes(MAGENTO.encode(), "catalog_product.csv")
    (tee,) = feed.products
    assert (tee.id, tee.category, tee.availability) == ("T", "Men > Tees", "in_stock")
    assert str(tee.price) == "29.00 USD"  # the parent has none of its own
    assert tee.facts == {"material": "Cotton, Hemp", "style general": "Tee", "size": "S, M"}
    assert (feed.rows, feed.merged) == (2, 1)


def test_magento_hidden_variant_without_a_parent_is_kept() -> None:
    lone = MAGENTO.splitlines()[0:2]
    (tee,) = read_feed_bytes("\n".join(lone).encode(), "m.csv").products
    assert tee.id == "T-S"


def test_json_array_and_object_and_lines_are_the_same() -> None:
    items = [
        {
            "sku": 7,
            "name": "Mug",
            "price": 9.5,
            "categories": ["Home", "Mugs"],
            "attrs": {"HDMI ports": 2, "Is heavy": False},
            "manufacturer": "Acme",
            "imageUrl": ["https://s.example/a.jpg", "https://s.example/b.jpg"],
        },
        {"sku": "8", "name": "Hat", "price": "15.00 EUR", "attr_n_length": 17.0},
    ]
    array = read_feed_bytes(json.dumps(items, indent=1).encode(), "a")
    held = read_feed_bytes(json.dumps({"count": 2, "data": {"products": items}}).encode(), "b")
    lines = read_feed_bytes("\n".join(json.dumps(item) for item in items).encode(), "c")
    assert array.products == held.products == lines.products
    assert (array.format, held.format, lines.format) == ("JSON", "JSON", "JSON Lines")
    mug, hat = array.products
    assert (mug.id, mug.category, mug.brand) == ("7", "Home > Mugs", "Acme")
    assert mug.facts == {"HDMI ports": "2", "is heavy": "no"}
    assert mug.image_link == "https://s.example/a.jpg"
    assert (str(mug.price), str(hat.price)) == ("9.50 USD", "15.00 EUR")
    assert hat.facts == {"length": "17"}
    assert array.mapping["attr_*"] == "facts"


def test_json_one_object_is_one_product() -> None:
    assert len(read_feed_bytes(b'{"id": 1, "title": "Mug"}', "f.jsonl").products) == 1


def test_json_item_that_is_no_object_is_rejected() -> None:
    feed = read_feed_bytes(b'[{"id": 1, "title": "Mug"}, "Hat"]', "f.json")
    assert [bad.row for bad in feed.rejected] == [2]
    assert feed.rows == 2


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_give_the_same_text(encoding: str, packed: bool) -> None:
    data = "id,title\nA1,Café “crème” – 5 €\n".encode(encoding)
    feed = read_feed_bytes(gzip.compress(data) if packed else data, "f.csv")
    assert feed.products[0].title == "Café “crème” – 5 €"


def test_encodings_mixed_within_one_file() -> None:
    data = "id,title\nA1,Café\n".encode() + "A2,Crème\n".encode("latin-1")
    titles = [product.title for product in read_feed_bytes(data, "f.csv").products]
    assert titles == ["Café", "Crème"]


def test_xml_declared_encoding_is_honoured() -> None:
    declaration = '<?xml version="1.0" encoding="windows-1251"?>'
    text = declaration + ATOM.replace("Tin mug", "Кружка")
    assert read_feed_bytes(text.encode("cp1251"), "f.xml").products[0].title == "Кружка"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<rss><channel><item><title>&b;</title></item></channel></rss>"
)
OUTSIDE = (
    '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<rss><channel><item><title>&x;</title></item></channel></rss>"
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"hello world\nthis is a letter\n", "not a product feed"),
        (b"id,title,price\n", "no rows"),
        (b",", "not a product feed"),
        (b"id,price\n1,2\n", "no column for the product's title"),
        (b"sku,rating_value,title,review,reviewer\nA,5,Good,Very good,Ann\n", "list of reviews"),
        (b"Email,First Name,Last Name,Phone,title\na@b.c,A,B,1,Dr\n", "list of customers"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not a text file"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (gzip.compress(TSV.encode() * 50)[:-20], "cut off"),
        (b"\x1f\x8brest", "cut off"),
        (b'[{"id": 1,\n "title": }]', "broken JSON in line 2"),
        (b'{"id": 1, "title": "a"}\n{"id": 2,\n', "broken JSON in line 2"),
        (b'{"price": NaN, "title": "a"}', "number that cannot be"),
        (b'{"price": 1e99999999999999999999, "title": "a"}', "number that cannot be"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "holds no products"),
        (b'{"shop": "Acme"}', "holds no products"),
        (b"[{}, {}]", "nothing in them"),
        (b"<rss><channel><item>\n<title>a</channel></rss>", "broken XML in line 2"),
        (b"\n\n<rss><item>\n</rss>", "broken XML in line 4"),
        (b"<urlset><url/></urlset>", "no <item>"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (BOMB.encode(), "<!DOCTYPE>"),
        (OUTSIDE.encode(), "<!DOCTYPE>"),
        (b'id,title\n1,"' + b"a" * 200_000, "quotation mark is probably not closed"),
    ],
)
def test_bad_feed_says_what_to_do_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(BadFeed) as caught:
        read_feed_bytes(data, "feed.csv")
    message = str(caught.value)
    assert words in message
    assert message.startswith("feed.csv ")
    assert "\n" not in message


def test_gzip_bomb_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookline.catalog.decode.LARGEST", 1000)
    with pytest.raises(BadFeed, match="larger than"):
        read_feed_bytes(gzip.compress(b"a" * 1001), "feed.csv")
