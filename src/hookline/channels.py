"""Channels and their limits, as data. A new channel is one more row in `CHANNELS`.

Limits are the platforms' documented ones where they have any, and what is seen on a phone where
they have not; each row's comment gives the source. Count them with `count_graphemes` and
`count_units`.
"""

from unicodedata import east_asian_width

import regex

from hookline.errors import UnregisteredName
from hookline.types import Channel, Field

_GRAPHEME = regex.compile(r"\X")
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_DOUBLE = frozenset("^{}\\[~]|€\f")

CHANNELS: dict[str, Channel] = {
    channel.id: channel
    for channel in (
        # A hero or banner on the shop's own pages: one line on a phone, a button of two words.
        Channel(
            id="onsite_banner",
            name="On-site banner",
            fields=(
                Field(name="headline", max_graphemes=60),
                Field(name="cta", max_graphemes=20, role="cta"),
            ),
        ),
        # No platform limit; a phone shows 33-43 characters of the subject, desktops about 60.
        Channel(
            id="email",
            name="E-mail",
            fields=(
                Field(name="subject", max_graphemes=60),
                Field(name="preheader", max_graphemes=90, min_graphemes=40, role="support"),
            ),
        ),
        # GSM 03.38: one part is 160 septets, or 70 UCS-2 units once a character is outside GSM-7.
        Channel(
            id="sms",
            name="SMS",
            fields=(Field(name="text", max_graphemes=160, max_units=160),),
            units="gsm7",
        ),
        # Android's lock screen shows 49 characters of a title, iOS about 150 of a body.
        Channel(
            id="push",
            name="Push notification",
            fields=(
                Field(name="title", max_graphemes=50),
                Field(name="body", max_graphemes=150, role="support"),
            ),
        ),
        # Google Ads responsive search ad: headlines 30, descriptions 90; wide characters count 2.
        Channel(
            id="google_rsa",
            name="Google responsive search ad",
            fields=(
                Field(name="headline_1", max_graphemes=30, max_units=30),
                Field(name="headline_2", max_graphemes=30, max_units=30),
                Field(name="headline_3", max_graphemes=30, max_units=30, role="cta"),
                Field(name="description_1", max_graphemes=90, max_units=90, role="support"),
                Field(name="description_2", max_graphemes=90, max_units=90, role="support"),
            ),
            units="columns",
        ),
        # Meta feed ad: 125 characters of primary text before "see more", headline 40.
        Channel(
            id="meta_feed",
            name="Meta feed ad",
            fields=(
                Field(name="primary", max_graphemes=125, role="support"),
                Field(name="headline", max_graphemes=40),
            ),
        ),
        # Search results show 155-160 characters of a page's meta description.
        Channel(
            id="meta_description",
            name="Product page meta description",
            fields=(Field(name="text", max_graphemes=158, min_graphemes=50),),
        ),
    )
}


def channel(name: str) -> Channel:
    """The channel registered as `name`.

    Raises:
        UnregisteredName: Where there is none.
    """
    try:
        return CHANNELS[name]
    except KeyError:
        raise UnregisteredName("channel", name, CHANNELS) from None


def count_graphemes(text: str) -> int:
    """User-perceived characters in the text.

    Examples:
        >>> count_graphemes("👩‍👩‍👧 é")
        3
    """
    return len(_GRAPHEME.findall(text))


def count_units(text: str, units: str) -> int:
    """Code units of the text as the channel counts them.

    For `gsm7` a text outside GSM-7 is counted so that 160 stands for a full UCS-2 part of 70.

    Args:
        text: The text.
        units: `utf16`, `gsm7` or `columns`, see `Channel.units`.

    Examples:
        >>> count_units("50 € off", "gsm7")
        9
        >>> count_units("日本", "columns")
        4
        >>> count_units("🙂" * 35, "gsm7")
        160
    """
    if units == "columns":
        return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
    utf16 = len(text.encode("utf-16-le")) // 2
    if units == "utf16":
        return utf16
    if all(char in _GSM7 or char in _GSM7_DOUBLE for char in text):
        return sum(2 if char in _GSM7_DOUBLE else 1 for char in text)
    return -(-utf16 * 160 // 70)
