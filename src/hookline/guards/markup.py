"""The `markup` guard: plain text stays plain. No channel here shows links or markup in copy."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict

_TOP_LEVEL: Final = (
    "com|net|org|io|co|shop|store|app|ai|info|biz|eu|de|at|ch|fr|be|es|it|nl|pt|jp|uk|us|ca|au|cn|"
    "me|ly|gg|tv|xyz|online|site|example|dev|tech|link|click"
)
_LINK: Final = re.compile(
    rf"(?:https?|ftp)://\S+|(?<![\w@.])www\.[\w-]+\S*"
    rf"|(?<![\w@.-])[a-zA-Z0-9][\w-]+(?:\.[\w-]+)*\.(?:{_TOP_LEVEL})(?![\w-]|\.\w)(?:/\S*)?"
    r"|(?:mailto|tel|javascript):\S+",
    re.ASCII,
)
_HTML: Final = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|-->|&(?:[a-zA-Z]{2,8}|#x?[0-9a-fA-F]{2,6});")
_MARKDOWN: Final = re.compile(
    r"\*\*[^\s*]|(?<!\w)__[^\s_][^_]*__|(?:^|\s)#{1,6}\s+\S|`[^`]+`|!?\[[^\]]+\]\([^)]*\)|~~\S"
    r"|^\s*[-+*•]\s+\S|^\s*\d{1,2}[.)]\s+\S|^\s*>\s+\S|^\s*-{3,}\s*$|(?<![\w*])\*[^\s*][^*]*\*(?![\w*])"
)
_KINDS: Final = (
    ("link", _LINK, "is a link; the channel adds it"),
    ("html", _HTML, "is HTML, and would be shown as it stands"),
    ("markdown", _MARKDOWN, "is Markdown, and would be shown as it stands"),
)


class Markup(Guard):
    """No links, HTML or Markdown. A name that looks like a link ("Booking.com") is a name."""

    name: ClassVar[str] = "markup"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - markup is markup by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        product = brief.product
        own = f"{product.title} {product.brand} {brief.brand.name}".casefold()
        faults: list[Verdict] = []
        for part, text in parts.items():
            for code, shape, what in _KINDS:
                found = shape.search(text)
                if found and found[0].strip().casefold() not in own:
                    faults.append(self.fault(code, f'"{found[0].strip()}" {what}.', part))
        return tuple(faults) or self.passed()
