"""The `residue` guard: nothing of the making is left in the copy.

Models answer instead of writing, quote their instructions, obey those hidden in a feed, or leave
the frame of their answer standing: role markers, JSON, labels, slots that nobody filled.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import ClassVar, Final

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict
from hookline.words import fold, language_of, load, pattern, plain

_ROLE: Final = re.compile(
    r"(?:^|[\s\"'])(?:system|assistant|user|human|developer|bot|ai)\s*:\s|<\|[^|>]*\|>|\[/?INST\]"
    r"|<</?SYS>>|#{2,}\s*(?:instruction|response|system|user|assistant)|</?product_data>|</?s>",
    re.IGNORECASE,
)
_JSON: Final = re.compile(
    r"[{\[]\s*\\?\"|\\?\"\s*[:,]\s*\\?\"|\\?\"\s*[}\]]|\\[nrt](?![a-z])|\\n|\\u[0-9a-fA-F]{4}|\\\""
    r"|^\s*[{}\[\]]|\}\s*$|```"
)
_SLOT: Final = re.compile(
    r"\{\{?[^{}]*\}?\}|\$\{|\$[A-Z_]{3,}|(?<!\d)%(?:\(\w+\))?[sd](?!\w)|%\d\$s|<%|%>"
    r"|\[(?:[A-Z][\w']*)(?:[ _-][A-Za-z][\w']*){0,4}\]|\[\w+_\w+\]|\b(?:X{3,}|TODO|TBD|FIXME)\b"
    r"|(?i:lorem ipsum|\binsert \w+(?: \w+)? here\b|\byour (?:product|brand) name\b|\[object)"
    r"|\bundefined\b|\bNaN\b|^\s*(?:null|none|n/a|nil)\s*$"
)
_QUOTED: Final = re.compile(r"^\s*[\"“„«「].*[\"”“»」]\s*$")


class Residue(Guard):
    """No answer, instruction, role marker, JSON, label, or slot in place of copy."""

    name: ClassVar[str] = "residue"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - residue is residue by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        language = language_of(brief.locale)
        fields = tuple(field.name for field in brief.channel.fields)
        own = f"{brief.product.title} {brief.brand.name}"
        faults = [
            self.fault(code, reason, part)
            for part, text in parts.items()
            for code, reason in _faults(text, language, fields, own)
        ]
        return tuple(faults) or self.passed()


def _faults(
    text: str, language: str, fields: tuple[str, ...], own: str
) -> Iterator[tuple[str, str]]:
    folded = fold(text)
    for code, what in (("model", "a model's answer"), ("instruction", "an instruction")):
        for spoken in dict.fromkeys((language, "en")):
            if found := pattern("safety", f"residue.{code}", spoken).search(folded):
                yield code, f'"{found[0]}" is {what} and not copy.'
                break
    for code, shape, what in (
        ("role", _ROLE, "a role marker"),
        ("json", _JSON, "left over from a data format"),
        ("slot", _SLOT, "a slot that nobody filled"),
    ):
        found = shape.search(text)
        if found and found[0].strip() not in own:
            yield code, f'"{found[0].strip()}" is {what}.'
    if found := _label(language, fields).match(folded):
        yield "label", f'"{found[0].strip()}" is a label; the field needs the text alone.'
    if _QUOTED.match(text):
        yield "quotes", "The text stands in quotation marks; write it without."


@cache
def _label(language: str, fields: tuple[str, ...]) -> re.Pattern[str]:
    """Finds the name of a field, or a word like it, with a colon at the start of a text."""
    listed = (
        *load("safety", language)["residue"]["labels"],
        *load("safety", "en")["residue"]["labels"],
    )
    names = (fold(name).replace("_", "[ _-]") for name in fields)
    return re.compile(
        rf"[\s\"'*#(-]*(?:{plain(listed)}|{'|'.join(names) or '(?!)'})(?: ?#?\d+)?[*\"']* ?[:：]"
    )
