"""The sample shop that ships with Hookline: Larkmoor Goods, a made-up shop for home and trail.

`shop.tsv` is its feed as Google Merchant has it, `control_lines.json` the copy its marketer wrote,
`brand.json` its brand kit and `audiences.json` the visitors it tells apart. All of it was written
for Hookline.
"""

from importlib.resources import files
from pathlib import Path

from hookline.types import Audience, Brand, loads


def shop_path() -> Path:
    """The feed: 24 products in six categories, Google Merchant TSV."""
    return Path(str(files(__name__) / "shop.tsv"))


def brand() -> Brand:
    """The brand kit."""
    return loads(_read("brand.json"), Brand)


def audiences() -> tuple[Audience, ...]:
    """Three audiences, told apart by the visitor trait `segment`."""
    return loads(_read("audiences.json"), tuple[Audience, ...])


def control_lines() -> dict[str, dict[str, dict[str, str]]]:
    """Product id → channel id → field → the line a person wrote."""
    return loads(_read("control_lines.json"), dict[str, dict[str, dict[str, str]]])


def _read(name: str) -> bytes:
    return (files(__name__) / name).read_bytes()
