"""Word lists by language, and the one way in which texts are made comparable with them.

A list is a TOML file named `<family>.<language>.toml`; lower-case text in natural spelling, read
with `load`. Patterns are regular expressions in which a blank stands for a blank or a hyphen and
`<name>` for the alternatives under that name in the file's `[sets]`. They are matched as whole
words in text that went through `fold`; Japanese, which is written without blanks, has none, so
there they match anywhere.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import regex

LANGUAGES: Final = ("en", "de", "fr", "es", "ja")
"""Languages that there are word lists for."""

_NOWHERE: Final = re.compile(r"(?!)")
_SET: Final = re.compile(r"<([a-z_]+)>")
# Voicing marks make other letters in Japanese; all other marks are accents to a reader.
_MARKS: Final = regex.compile(r"[\p{M}--[\u3099\u309a]]", regex.V1)
_INVISIBLE: Final = regex.compile(r"[[\p{M}--[\u3099\u309a]]\p{Cf}]", regex.V1)
_DIGIT_JOINT: Final = regex.compile(r"(?<=\d)(?=\p{No})")
_THIN_SPACE: Final = regex.compile("(?<=\\d)[\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
_FOREIGN_DIGIT: Final = re.compile(r"[^\D0-9]")
_BLANKS: Final = re.compile(r"\s+")
_SAME: Final = str.maketrans(
    {
        **dict.fromkeys("‘’ʼ′`´", "'"),
        **dict.fromkeys("“”„″", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("™®©", " "),
        "⁄": "/",
        "×": "x",
        "٫": ".",
        "٬": ",",
        "٪": "%",
        "💯": " 100 ",
    }
)


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """The text made comparable: lower case, no accents or invisible characters, ASCII digits.

    Quotes, dashes and blanks of every kind become the plain ones. Kana keep their voicing marks.

    Examples:
        >>> fold("Café ５０ ％ – 1½ ″ m²")
        'cafe 50 % - 1 1/2 " m2'
        >>> fold("ﾀﾞｳﾝ")
        'ダウン'
    """
    if not text.isascii():
        text = _DIGIT_JOINT.sub(" ", _THIN_SPACE.sub("", text)).translate(_SAME)
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text)).translate(_SAME)
        text = unicodedata.normalize("NFC", text)
        text = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return _BLANKS.sub(" ", text.casefold()).strip()


def language_of(locale: str) -> str:
    """The language of a BCP 47 tag, in small letters.

    Examples:
        >>> language_of("de-AT")
        'de'
    """
    return re.split("[-_]", locale.strip(), maxsplit=1)[0].casefold()


@cache
def load(family: str, language: str) -> Mapping[str, Any]:
    """The lists of one family in one language, as the file has them; English where it has none."""
    return load_file(f"{family}.{language if language in LANGUAGES else 'en'}")


@cache
def load_file(name: str) -> Mapping[str, Any]:
    """A list that is not kept by language, as `<name>.toml` has it."""
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def pattern(family: str, key: str, language: str) -> re.Pattern[str]:
    """Finds the alternatives listed under a dotted key; nothing where the file has no such key.

    Examples:
        >>> bool(pattern("claims", "claims.free", "de").search(fold("Gratis dazu")))
        True
    """
    lists = load(family, language)
    found: Any = lists
    for step in key.split("."):
        found = found.get(step, {})
    return compiled(found or (), language, lists.get("sets", {}))


def compiled(
    alternatives: Iterable[str], language: str, sets: Mapping[str, str] | None = None
) -> re.Pattern[str]:
    """Finds any of the alternatives in folded text of the language."""
    texts = list(alternatives)
    if not texts:
        return _NOWHERE
    joined = plain(texts)
    while _SET.search(joined):
        joined = _SET.sub(lambda name: plain([(sets or {})[name[1]]]), joined)
    if language == "ja":
        return re.compile(joined)
    return re.compile(rf"(?<![^\W_])(?:{joined.replace(' ', '[ -]')})(?![^\W_])")


def plain(alternatives: Iterable[str]) -> str:
    """The alternatives as one expression without accents, as folded text has none."""
    expression = "|".join(alternatives).replace("ß", "ss")
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", expression))
    return unicodedata.normalize("NFC", bare)
