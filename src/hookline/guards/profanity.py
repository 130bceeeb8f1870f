"""The `profanity` guard: swear words and slurs, also where they are spelled to slip through."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, Final

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict
from hookline.words import fold, language_of, pattern

_DISGUISES: Final = str.maketrans("013457@$!|+", "oieastasilt")
_MIXED: Final = re.compile(r"[^\s.,;:?\"']*[^\W\d_][^\s.,;:?\"']*")
_SPELLED_OUT: Final = re.compile(r"(?<![^\W_])(?:[^\W\d_][.\-_* ]){2,}[^\W\d_](?![^\W_])")
_RUN: Final = re.compile(r"([^\W\d_])\1{2,}")
_STARRED: Final = re.compile(
    r"(?<![^\W_])(?:f[*#]+(?:c?k|cking|ck\w*)|s[*#]+(?:t|it|hit)|sh[*#]t|b[*#]+(?:ch|tch)|c[*#]+t"
    r"|a[*#]+(?:hole)?(?=[\s!?.,]|$)|p[*#]+(?:ta|tain)|m[*#]+(?:rde|rda))(?![^\W_])"
)


class Profanity(Guard):
    """No swear words and no slurs of the copy's language, whatever stands in for a letter.

    A swear word that is part of the product's own name ("Moby Dick") is no fault; a slur is.
    """

    name: ClassVar[str] = "profanity"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - a swear word is one by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        own = fold(f"{brief.product.title} {brief.product.brand} {brief.brand.name}")
        language = language_of(brief.locale)
        faults = (
            self.fault(code, reason, part)
            for part, text in parts.items()
            for code, reason in _faults(text, language, own)
        )
        return tuple(faults) or self.passed()


def _faults(text: str, language: str, own: str) -> Iterator[tuple[str, str]]:
    """The second half of a verdict's code, and the reason; one for each kind of fault."""
    folded = fold(text)
    for version in dict.fromkeys((folded, _undisguised(folded))):
        if slur := pattern("safety", "profanity.slurs", language).search(version):
            yield "slur", f'The copy has a slur: "{slur[0]}".'
            return
        for found in _swearing(version, language):
            if found not in own:
                yield "word", f'The copy swears: "{found}".'
                return


def _swearing(folded: str, language: str) -> Iterator[str]:
    for listed in (
        pattern("safety", "profanity.words", language),
        pattern("safety", "profanity.international", "en"),
        _STARRED,
    ):
        for word in listed.finditer(folded):
            yield word[0]


@lru_cache(maxsize=8192)
def _undisguised(folded: str) -> str:
    """The text with letters for the digits and signs that stand in for them.

    Examples:
        >>> _undisguised("sh1t, b.i.t.c.h and fuuuuck")
        'shit, bitch and fuck'
    """
    joined = _SPELLED_OUT.sub(lambda run: re.sub(r"[.\-_* ]", "", run[0]), folded)
    plain = _MIXED.sub(lambda word: word[0].translate(_DISGUISES), joined)
    return _RUN.sub(r"\1", plain)
