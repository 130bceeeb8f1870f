"""Composes one draft: picks shapes that fit, field by field, until the channel is filled.

Nothing is chopped to length. A shape that does not fit is not used, and a draft whose fields
cannot all be filled is given up, to be tried again with other luck.
"""

from collections.abc import Callable, Mapping, Set
from itertools import combinations
from random import Random
from typing import Final

import regex
from rapidfuzz import fuzz

from hookline.channels import count_graphemes, count_units
from hookline.types import Brief, Channel, Field
from hookline.writers.phrasebook.bank import Bank, Shape, Shapes
from hookline.writers.phrasebook.slots import Subject, choices, fill

_PARAGRAPH: Final = 100
"""A hook field with at least this much room holds a paragraph, not a headline."""
_NAMES: Final = frozenset({"name", "the_name"})
_NOUNS: Final = frozenset({"noun", "nouns", "a_noun", "new_noun"})
_PRONOUNS: Final = frozenset({"it", "its"})
_SHARES: Final = {"short": (0.0, 0.55), "full": (0.6, 0.95)}
"""Length attribute → the share of a field's room that is aimed for, from and to."""
_WORD: Final = regex.compile(r"[\p{L}\p{N}]+")
_COMMON: Final = frozenset({"the", "a", "an", "for"})
"""First words that any two sentences may share."""
_CALL: Final = 16
"""Room that a call to action wants."""


class Sheet:
    """One draft while it is being written, and what its reader knows by then.

    Args:
        brief: What to write.
        bank: The shapes.
        subject: The brief's product, from `slots.subject`.
        rng: Every choice is drawn from it.
        allowed: Whether a sentence may stand in the copy.
        stale: Texts of earlier drafts, used again only where there is nothing else.
        squeeze: Share of each field's room to use, below 1 where a first try came out too long.

    Attributes:
        used: Texts that stand in the copy.
        owed: What the brief asks for and the copy does not have yet: `proof`, `call`, `urgency`;
            and `variety` where two fields say the same.
    """

    def __init__(
        self,
        brief: Brief,
        bank: Bank,
        subject: Subject,
        *,
        rng: Random,
        allowed: Callable[[str], bool],
        stale: Set[str],
        squeeze: float,
    ) -> None:
        self._brief = brief
        self._attributes = brief.attributes
        self._bank = bank
        self._subject = subject
        self._rng = rng
        self._allowed = allowed
        self._stale = stale
        self._squeeze = squeeze
        self._choices = choices(subject, rng)
        self._slots = {**subject.fixed, **{slot: p[0] for slot, p in self._choices.items()}}
        self._kind, self._value = rng.choice(subject.proofs or (("", ""),))
        if self._kind:
            self._slots["maker" if self._kind == "brand" else self._kind] = self._value
        self._shapes: set[str] = set()
        self._openings: set[str] = set()
        self.used: set[str] = set()
        self._named = self._mentioned = False
        self._texts = [f for f in brief.channel.fields if f.role == "support" or _roomy(f)]
        self.owed = set(_asked(brief, proof=bool(self._kind)))

    def write(self) -> dict[str, str] | None:
        """A text for every field of the channel, or None where this try found none."""
        parts: dict[str, str] = {}
        for spot in self._brief.channel.fields:
            if _alone(spot):
                self._named = self._mentioned = False
            room = max(
                int(spot.max_graphemes * self._squeeze),
                min(spot.min_graphemes + 20, spot.max_graphemes),
            )
            if spot.role == "cta":
                text = self._button(room)
            elif spot in self._texts:
                text = self._paragraph(spot, room)
            else:
                text = self._headline(spot, room)
            if text is None or not fits(text, spot, self._brief.channel.units):
                return None
            parts[spot.name] = text
        if any(_alike(*pair) for pair in combinations(parts.values(), 2)):
            self.owed.add("variety")
        return parts

    def _button(self, room: int) -> str | None:
        """A button's text; it presses where nothing else in the channel can."""
        style = self._attributes.cta
        if "urgency" in self.owed and not self._texts:
            pressing = self._pick(self._bank.soft_buttons[style], room)
            if pressing is not None:
                self.owed.discard("urgency")
                return pressing
        return self._pick(self._bank.buttons[style], room)

    def _headline(self, spot: Field, room: int) -> str | None:
        """A headline of the angle, with the proof behind it where no text can carry that."""
        naming = not self._texts or self._rng.random() < 0.5
        if _alone(spot):
            naming = not self.used
            self._named = not naming
        pool = self._pool(self._bank.hooks)
        tail = None
        if "proof" in self.owed and not self._texts:
            tail = self._pick(self._bank.tails[self._kind], room // 2)
        if tail is None:
            high = _SHARES[self._attributes.length][1]
            hook = self._pick(pool, int(room * high), naming=naming, aim=True)
            hook = hook or self._pick(pool, room, naming=naming)
            if hook is None and _alone(spot):
                self._named = False
                hook = self._pick(pool, room, aim=True)
            return hook
        hook = self._pick(pool, room - len(tail) - 3, naming=naming)
        if hook is None:
            return None
        self.owed.discard("proof")
        return hook if self._value in hook else f"{_closed(hook)} {_closed(tail)}"

    def _paragraph(self, spot: Field, room: int) -> str | None:
        """Sentences: a lead of the angle, the proof, more of the angle, the nudge, the call."""
        bank = self._bank
        last = spot is self._texts[-1]
        due = self.owed if last else self.owed & {"proof"}
        pool = self._pool(bank.hooks if spot.role == "hook" else bank.support)
        quote = len(self._value) + 2 if "proof" in due else 0
        call = _CALL if "call" in due else 0
        half = room // 2 if self._squeeze < 1 else room
        lead = self._pick(pool, min(room - quote - call, half), naming=True)
        if lead is None:
            lead = self._pick(pool, room - call, naming=True)
        if lead is None:
            return None
        lines = [_closed(lead)]
        if "proof" in due:
            self._settle("proof", lines, bank.proofs[self._kind], room - call)
        closing: list[str] = []
        if "call" in due:
            self._settle(
                "call", closing, bank.calls[self._attributes.cta], room - _length(lines) - 1
            )
        if "urgency" in due:
            left = room - _length(lines) - _length(closing) - 1
            nudge: list[str] = []
            self._settle("urgency", nudge, self._toned(bank.urgency), left)
            closing = nudge + closing
        low, high = _SHARES[self._attributes.length]
        aim = max(spot.min_graphemes, int(room * low))
        while (size := _length(lines + closing)) < aim:
            limit = room if size < spot.min_graphemes else int(room * high)
            more = self._pick(self._pool(bank.support), limit - size - 2, naming=True)
            if more is None:
                break
            lines.append(_closed(more))
        return " ".join(lines + closing)

    def _settle(self, item: str, lines: list[str], shapes: Shapes, limit: int) -> None:
        """Adds a sentence that gives what is owed, if the lines stay within `limit` characters."""
        if item == "proof" and any(self._value in text for text in self.used):
            self.owed.discard(item)
            return
        line = self._pick(shapes, limit - _length(lines) - 1)
        if line is not None:
            lines.append(_closed(line))
            self.owed.discard(item)

    def _pick(
        self, shapes: Shapes, room: int, *, naming: bool = False, aim: bool = False
    ) -> str | None:
        """A shape of the pool, filled, that fits the room and suits what was said, or None.

        Args:
            shapes: Looked at in random order.
            room: Most characters.
            naming: Whether a shape that names the product comes first while it is unnamed.
            aim: Whether one of about the length asked for comes first.
        """
        low, high = _SHARES[self._attributes.length] if aim else (0.0, 1.0)
        best: tuple[int, Shape, str] | None = None
        for shape in self._rng.sample(shapes, len(shapes)):
            slots = frozenset(shape.slots)
            names = bool(slots & _NAMES)
            unknown = bool(slots & _PRONOUNS) and not (self._mentioned or names)
            if unknown or (names and self._named) or shape.text in self._shapes:
                continue
            text = fill(shape, self._slots, self._subject.naming.names, room)
            if text is None or text in self.used or not self._allowed(text):
                continue
            vague = naming and not names and not self._named
            rank = (
                3 * vague
                + (vague and slots.isdisjoint(_NOUNS))
                + 2 * (text in self._stale)
                + (not low * room <= len(text) <= high * room)
                + (_opening(text) in self._openings)
            )
            if best is None or rank < best[0]:
                best = (rank, shape, text)
            if rank == 0:
                break
        return self._note(best[1], best[2]) if best else None

    def _note(self, shape: Shape, text: str) -> str:
        """The text, after the sheet has taken it in."""
        self.used.add(text)
        self._shapes.add(shape.text)
        self._openings.add(_opening(text))
        for slot in self._choices.keys() & set(shape.slots):
            phrases = self._choices[slot]
            phrases.append(phrases.pop(0))
            self._slots[slot] = phrases[0]
        self._named |= not _NAMES.isdisjoint(shape.slots)
        self._mentioned |= not (_NAMES | _NOUNS).isdisjoint(shape.slots)
        return text

    def _pool(self, angles: Mapping[str, Mapping[str, Shapes]]) -> Shapes:
        """The shapes of the angle that suit the tone."""
        return self._toned(angles[self._attributes.angle])

    def _toned(self, tones: Mapping[str, Shapes]) -> Shapes:
        """The shapes of the tone, twice for likelihood, and those that suit any."""
        return (*tones[self._attributes.tone], *tones[self._attributes.tone], *tones["any"])


def fits(text: str, spot: Field, units: str) -> bool:
    """Whether the text keeps the field's limits."""
    size = len(text) if text.isascii() else count_graphemes(text)
    if not spot.min_graphemes <= size <= spot.max_graphemes:
        return False
    return spot.max_units is None or count_units(text, units) <= spot.max_units


def _asked(brief: Brief, *, proof: bool) -> list[str]:
    """What the copy owes its brief beyond the angle."""
    asked = ["proof"] if proof else []
    if brief.attributes.cta != "none" and not _has_button(brief.channel):
        asked.append("call")
    if brief.attributes.urgency == "soft":
        asked.append("urgency")
    return asked


def _length(lines: list[str]) -> int:
    """Characters of the lines with a space after each."""
    return sum(len(line) + 1 for line in lines)


def _alike(one: str, other: str) -> bool:
    """Whether two fields use nearly the same words."""
    first, second = (" ".join(sorted(_WORD.findall(text.casefold()))) for text in (one, other))
    return fuzz.ratio(first, second) > 86


def _opening(text: str) -> str:
    """The word that two sentences of one copy had better not share at their start."""
    first = text.split(" ", 1)[0].strip(",.?").lower()
    return text.lower() if first in _COMMON else first


def _closed(text: str) -> str:
    """The text with a full stop, unless it has an end already."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _roomy(spot: Field) -> bool:
    """Whether a hook field has room for a paragraph."""
    return spot.role == "hook" and spot.max_graphemes >= _PARAGRAPH


def _has_button(channel: Channel) -> bool:
    """Whether the channel has a field for the call to action."""
    return any(spot.role == "cta" for spot in channel.fields)


def _alone(spot: Field) -> bool:
    """Whether the field may be shown without the others, as numbered assets of an ad are."""
    return spot.name[-1:].isdigit()
