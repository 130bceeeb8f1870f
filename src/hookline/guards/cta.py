"""The `cta` guard: does the copy call for what was asked, in a way that its place allows?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from hookline.guards.base import Guard
from hookline.recognise import call_styles, calls
from hookline.types import Brief, CtaStyle, Verdict
from hookline.words import fold, language_of, load, pattern

_SENTENCE_END: Final = re.compile(r"[.!?。！？]+")


class Cta(Guard):
    """A button calls for something, in the style asked for; no gesture that the place lacks.

    Where the channel has no button the copy may do without a call: what opens an e-mail or a
    notification is the thing itself. If it calls, it calls as asked.
    """

    name: ClassVar[str] = "cta"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - a call is fit or not by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        return (*self._style(parts, brief), *self._misfits(parts, brief)) or self.passed()

    def _style(self, parts: Mapping[str, str], brief: Brief) -> Iterator[Verdict]:
        asked = brief.attributes.cta
        buttons = [f.name for f in brief.channel.fields if f.role == "cta" and f.name in parts]
        for name in buttons:
            styles = calls(parts[name], brief.locale)
            if not styles and asked != "none":
                reason = f'"{parts[name]}" does not call for anything; {_example(asked, brief)}'
                yield self.fault("missing", reason, name)
            elif asked not in styles and (asked != "none" or styles):
                reason = f'"{parts[name]}" is no call of the kind "{asked}" that was asked for.'
                yield self.fault("style", reason, name)
        if not buttons and asked != "none":
            ends = [last for text in parts.values() if (last := _last_sentence(text))]
            closing = [calls(end, brief.locale, button=False) for end in ends]
            styles = frozenset[CtaStyle]().union(*closing)
            wanted = asked in call_styles(parts, brief.channel, brief.locale)
            if styles and asked not in styles and not wanted:
                seen = ", ".join(sorted(styles))
                yield self.fault("style", f'The copy calls to {seen}; "{asked}" was asked for.')

    def _misfits(self, parts: Mapping[str, str], brief: Brief) -> Iterator[Verdict]:
        language = language_of(brief.locale)
        for place in load("cues", language)["only"]:
            if place == brief.channel.id:
                continue
            words = pattern("cues", f"only.{place}", language)
            for part, text in parts.items():
                if found := words.search(fold(text)):
                    reason = f'Nobody can do "{found[0]}" in a {brief.channel.name}.'
                    yield self.fault("channel", reason, part)


def _last_sentence(text: str) -> str:
    """The sentence that a text ends with, where a call stands if there is one."""
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    return sentences[-1] if sentences else ""


def _example(style: str, brief: Brief) -> str:
    return f'{brief.channel.name} needs a button, and "{style}" was asked for.'
