"""The `limits` guard: does every text fit its field?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import regex

from hookline.channels import count_graphemes, count_units
from hookline.guards.base import Guard
from hookline.types import Brief, Channel, Field, Verdict

_LINE_BREAK = regex.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls, lone surrogates and what changes a text unseen: text direction, blanks of no width. The
# joiners U+200C and U+200D stay: emoji and several scripts are written with them.
_UNSEEN = regex.compile(
    r"[[\p{Cc}\p{Cs}]--[\n\r\v\f\x1c-\x1e\x85]]"
    r"|[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]",
    regex.V1,
)
_UNIT_NAMES = {
    "utf16": "code units",
    "gsm7": "SMS units (an emoji or a rare letter leaves room for 70 characters only)",
    "columns": "columns (wide characters take two)",
}


class Limits(Guard):
    """Every field of the channel is there, and each text is as long as its field allows."""

    name: ClassVar[str] = "limits"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - a length does not depend on other copy
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        return tuple(self._faults(parts, brief.channel)) or self.passed()

    def _faults(self, parts: Mapping[str, str], channel: Channel) -> Iterator[Verdict]:
        names = {field.name for field in channel.fields}
        for name in parts:
            if name not in names:
                known = ", ".join(sorted(names))
                reason = f'{channel.name} has no field "{name}"; its fields are {known}.'
                yield self.fault("unknown_field", reason, name)
        for field in channel.fields:
            if field.name in parts:
                yield from self._field_faults(parts[field.name], field, channel)
            else:
                reason = f"The {_label(field)} is missing; {channel.name} needs one."
                yield self.fault("missing", reason, field.name)

    def _field_faults(self, text: str, field: Field, channel: Channel) -> Iterator[Verdict]:
        label = _label(field)
        if not text.strip():
            yield self.fault("empty", f"The {label} is empty.", field.name)
            return
        if _LINE_BREAK.search(text):
            reason = f"The {label} has a line break; it must be a single line."
            yield self.fault("line_break", reason, field.name)
        if unseen := _UNSEEN.search(text):
            reason = (
                f"The {label} holds an invisible character (U+{ord(unseen[0]):04X}); remove it."
            )
            yield self.fault("invisible", reason, field.name)
            return  # a text with half a character in it has no length
        yield from self._length_faults(text, field, channel)

    def _length_faults(self, text: str, field: Field, channel: Channel) -> Iterator[Verdict]:
        label, length = _label(field), count_graphemes(text)
        is_long = f"The {label} is {length} characters long; {channel.name}"
        if (over := length - field.max_graphemes) > 0:
            reason = f"{is_long} allows {field.max_graphemes}. Shorten it by {over}."
            yield self.fault("too_long", reason, field.name)
        elif field.max_units is not None:
            units = count_units(text, channel.units)
            if units > field.max_units:
                reason = (
                    f"The {label} fills {units} {_UNIT_NAMES[channel.units]}; "
                    f"{channel.name} allows {field.max_units}."
                )
                yield self.fault("too_many_units", reason, field.name)
        if (under := field.min_graphemes - length) > 0:
            reason = f"{is_long} needs at least {field.min_graphemes}. Add {under}."
            yield self.fault("too_short", reason, field.name)


def _label(field: Field) -> str:
    return field.name.replace("_", " ")
