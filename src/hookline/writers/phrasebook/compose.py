"""Composes one draft: picks shapes that fit, field by field, until the channel is filled.

Nothing is chopped to length. A shape that does not fit is not used, and a draft whose fields
cannot all be filled is given up, to be tried again with other luck.
"""

from collections.abc import Callable, Mapping, Set
from itertools import combinations
from math import sqrt
from random import Random
from typing import Final

import regex
from rapidfuzz import fuzz

from hookline.channels import count_graphemes, count_units
from hookline.sentiment import score
from hookline.types import Brief, Channel, Field
from hookline.writers.phrasebook.bank import Bank, Shape, Shapes
from hookline.writers.phrasebook.slots import Size, Subject, choices, fill

_PARAGRAPH: Final = 100
"""A hook field with at least this much room holds a paragraph, not a headline."""
_NAMES: Final = frozenset({"name", "the_name"})
_NOUNS: Final = frozenset({"noun", "nouns", "a_noun", "new_noun"})
_PRONOUNS: Final = frozenset({"it", "its"})
_SHARES: Final = {"short": (0.0, 0.6), "full": (0.68, 0.97)}
"""Length attribute → the share of a field's room that is aimed for, from and to."""
_HALF: Final = 0.62
"""Mean share of their rooms from which texts are full rather than short."""
_WORD: Final = regex.compile(r"[\p{L}\p{N}]+")
_UCS2: Final = 70 / 160
"""Share of an SMS that is left once a letter is outside of its alphabet."""
_MOST_FELT: Final = 0.99
"""Feelings nearer to the ends of the scale are taken as this one."""
_LEAST_LIFT: Final = 0.1
"""How much nearer to the feeling asked for a sentence must bring the copy."""
_ENDS: Final = (".", "?", "!", "。", "？", "！", "…")
_FRAMED: Final = 0.85
"""Share of drafts whose tone comes from a short sentence of its own."""
_FRAME_ROOM: Final = 14
"""Room that such a sentence wants."""
_CALL: Final = 16
"""Room that a call to action wants."""
_NUDGE: Final = 15
"""Room that a soft nudge wants."""


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
        owed: What the brief asks for and the copy does not have yet: `tone`, `proof`, `call`,
            `urgency`; `variety` where two fields say the same, and `length` where the texts take
            much more or less room than they should.
        felt: How the copy feels, as the odds-like sum that `sentiment.score` squeezes.
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
        self._space, self._stop = bank.grammar.space, bank.grammar.stop
        self._size: Size = columns if brief.channel.units == "columns" else len
        self._cramped = brief.channel.units == "gsm7" and not bank.grammar.sms
        wide = bank.grammar.wide and self._size is len and not self._cramped
        self._shares = tuple(s / (1 + wide) for s in _SHARES[self._attributes.length])
        self._framed = rng.random() < _FRAMED and not self._cramped
        names = subject.naming.names
        self._names = names[rng.randrange(len(names)) :] if names else names
        self._choices = choices(subject, rng)
        self._slots = {**subject.fixed, **{slot: p[0] for slot, p in self._choices.items()}}
        self._kind, self._value = rng.choice(subject.proofs or (("", ""),))
        if self._kind:
            self._slots["maker" if self._kind == "brand" else self._kind] = self._value
        self._shapes: set[str] = set()
        self._openings: set[str] = set()
        self.used: set[str] = set()
        self.felt = 0.0
        self._wanted = None if brief.sentiment is None else _sum(brief.sentiment)
        self._named = self._mentioned = False
        self._texts = [f for f in brief.channel.fields if f.role == "support" or _roomy(f)]
        self.owed = set(_asked(brief, proof=bool(self._kind)))

    def write(self) -> dict[str, str] | None:
        """A text for every field of the channel, or None where this try found none."""
        parts: dict[str, str] = {}
        for spot in self._brief.channel.fields:
            if _alone(spot):
                self._named = self._mentioned = False
            room = self._room(spot)
            if spot.role == "cta":
                text = self._button(room)
            elif spot in self._texts:
                text = self._paragraph(spot, room)
            else:
                text = self._headline(spot, room)
            if text is None or not fits(text, spot, self._brief.channel.units):
                return None
            parts[spot.name] = text
        self._lift(parts)
        if any(_alike(*pair) for pair in combinations(parts.values(), 2)):
            self.owed.add("variety")
        if self._full(parts) != (self._attributes.length == "full"):
            self.owed.add("length")
        return parts

    def _lift(self, parts: dict[str, str]) -> None:
        """Brings the copy nearer to the feeling asked for, by a short sentence where one fits."""
        if self._wanted is None:
            return
        short = self._wanted - _sum(score(" | ".join(parts.values()), self._bank.language))
        known = self._bank.moods["any"]
        order = self._rng.sample(known, len(known))  # of those that feel alike, any
        moods = {shape.text: self._feeling(shape.text) for shape in order}
        for spot in reversed([f for f in self._brief.channel.fields if f.role != "cta"]):
            line = self._closed(parts[spot.name])
            fitting = {
                longer: abs(short - felt)
                for mood, felt in moods.items()
                if self._allowed(mood)
                and fits(longer := self._joined([line, mood]), spot, self._brief.channel.units)
            }
            best = min(fitting, key=lambda text: fitting[text], default="")
            if best and fitting[best] < abs(short) - _LEAST_LIFT:
                parts[spot.name] = best
                return

    def _full(self, parts: Mapping[str, str]) -> bool:
        """Whether the texts but the button take most of their rooms."""
        shares = [
            columns(parts[spot.name]) / spot.max_graphemes / (_UCS2 if self._cramped else 1.0)
            for spot in self._brief.channel.fields
            if spot.role != "cta"
        ]
        return sum(min(share, 1.0) for share in shares) >= _HALF * len(shares)

    def _room(self, spot: Field) -> int:
        """How much may stand in the field, in what `_size` counts."""
        most = spot.max_graphemes
        if spot.max_units is not None and self._size is not len:
            most = min(most, spot.max_units)
        if self._cramped:
            most = min(most, int((spot.max_units or most) * _UCS2))
        return max(int(most * self._squeeze), min(spot.min_graphemes + 20, most))

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
        if "proof" in self.owed and not self._texts:
            return self._proven(room, naming=naming)
        high = self._shares[1]
        pool = self._pool(self._bank.hooks)
        most = int(room * high)
        frame = _FRAME_ROOM if self._framed and "tone" in self.owed else 0
        hook = self._pick(pool, min(room, most) - frame, naming=naming, aim=True)
        hook = hook or self._pick(pool, most, naming=naming, aim=True)
        hook = hook or self._pick(pool, room, naming=naming)
        if hook is None and _alone(spot):
            self._named = False
            hook = self._pick(pool, room, aim=True)
        return None if hook is None else self._framing(hook, room)

    def _proven(self, room: int, *, naming: bool) -> str | None:
        """A headline that ends in its proof."""
        tail = self._pick(self._bank.tails[self._kind], room // 2)
        left = room if tail is None else room - self._size(tail) - 3
        hook = self._pick(self._pool(self._bank.hooks), left, naming=naming)
        if hook is None or tail is None:
            return hook
        self.owed.discard("proof")
        if self._value in hook:
            return self._framing(hook, room)
        return self._framing(self._joined([self._closed(hook), self._closed(tail)]), room)

    def _framing(self, line: str, room: int) -> str:
        """The line between short sentences of the tone, where it wants them and they fit."""
        low, high = self._shares
        wanting = "tone" in self.owed
        if not wanting and self._size(line) >= low * room:
            return line
        limit = room if wanting and self._attributes.length == "full" else int(room * high)
        before = self._rng.random() < 0.5
        frames = (self._bank.openers if before else self._bank.closers)[self._attributes.tone]
        frame = self._pick(frames, limit - self._size(self._closed(line)) - len(self._space))
        if frame is None:
            return line
        self.owed.discard("tone")
        return self._joined([frame, line] if before else [self._closed(line), frame])

    def _paragraph(self, spot: Field, room: int) -> str | None:
        """Sentences: a lead of the angle, the proof, more of the angle, the nudge, the call."""
        bank = self._bank
        last = spot is self._texts[-1]
        due = self.owed - {"tone"} if last else self.owed & {"proof"}
        pool = self._pool(bank.hooks if spot.role == "hook" else bank.support)
        quote = self._size(self._value) + 2 if "proof" in due else 0
        call = _CALL if "call" in due else 0
        nudge = _NUDGE if "urgency" in due else 0
        half = room // 2 if self._squeeze < 1 else room
        lead = self._pick(pool, min(room - quote - call - nudge, half), naming=True)
        if lead is None:
            lead = self._pick(pool, room - call, naming=True)
        if lead is None:
            return None
        lines = [self._closed(lead)]
        if "proof" in due:
            self._settle("proof", lines, bank.proofs[self._kind], room - call - nudge)
        closing: list[str] = []
        if "call" in due:
            left = room - self._length(lines) - nudge - 1
            self._settle("call", closing, bank.calls[self._attributes.cta], left)
        if "urgency" in due:
            left = room - self._length(lines) - self._length(closing) - 1
            urging: list[str] = []
            self._settle("urgency", urging, self._toned(bank.urgency), left)
            closing = urging + closing
        self._tone(lines, room - self._length(closing))
        self._extend(lines, closing, spot, room)
        return self._joined(lines + closing)

    def _tone(self, lines: list[str], limit: int) -> None:
        """Puts a short sentence of the tone before or after the lines where they lack it."""
        if "tone" in self.owed:
            text = self._framing(self._joined(lines), limit)
            lines[:] = [self._closed(text)]

    def _extend(self, lines: list[str], closing: list[str], spot: Field, room: int) -> None:
        """Adds sentences of the angle until the text is about as long as it should be."""
        low, high = self._shares
        least = spot.min_graphemes
        while (size := self._length(lines + closing)) < max(least, int(room * low)):
            left = (room if size < least else int(room * high)) - size - 2
            more = self._pick(self._pool(self._bank.support), left, naming=True)
            more = more or self._pick(self._bank.closers[self._attributes.tone], left)
            if more is None:
                break
            lines.append(self._closed(more))

    def _settle(self, item: str, lines: list[str], shapes: Shapes, limit: int) -> None:
        """Adds a sentence that gives what is owed, if the lines stay within `limit` characters."""
        if item == "proof" and any(self._value in text for text in self.used):
            self.owed.discard(item)
            return
        line = self._pick(shapes, limit - self._length(lines) - 1)
        if line is not None:
            lines.append(self._closed(line))
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
        low, high = self._shares if aim else (0.0, 1.0)
        toneless = "tone" in self.owed and not self._framed and any(s.toned for s in shapes)
        best: tuple[int, Shape, str] | None = None
        for shape in self._rng.sample(shapes, len(shapes)):
            slots = frozenset(shape.slots)
            names = bool(slots & _NAMES)
            unknown = bool(slots & _PRONOUNS) and not (self._mentioned or names)
            if unknown or (names and self._named) or shape.text in self._shapes:
                continue
            text = fill(shape, self._slots, self._names, room, size=self._size)
            if text is None or text in self.used or not self._allowed(text):
                continue
            vague = naming and not names and not self._named
            rank = (
                3 * vague
                + (vague and slots.isdisjoint(_NOUNS))
                + 2 * (text in self._stale)
                + 2 * (toneless and not shape.toned)
                + (not low * room <= self._size(text) <= high * room)
                + (self._opening(text) in self._openings)
                + 3 * self._strays(text)
                + self._misfelt(text)
            )
            if best is None or rank < best[0]:
                best = (rank, shape, text)
            if rank == 0:
                break
        return self._note(best[1], best[2]) if best else None

    def _strays(self, text: str) -> bool:
        """Whether the text begins like a call of another style than the one asked for."""
        style = self._bank.verbs.get(self._first(text))
        return style is not None and style != self._attributes.cta

    def _misfelt(self, text: str) -> int:
        """3 where the text leads away from the feeling asked for, else 0."""
        if self._wanted is None:
            return 0
        after = self.felt + self._feeling(text)
        return 3 * (abs(after - self._wanted) > abs(self.felt - self._wanted) + 1e-9)

    def _feeling(self, text: str) -> float:
        """What the text adds to `felt`."""
        return _sum(score(text, self._bank.language))

    def _note(self, shape: Shape, text: str) -> str:
        """The text, after the sheet has taken it in."""
        self.used.add(text)
        if self._wanted is not None:
            self.felt += self._feeling(text)
        self._shapes.add(shape.text)
        self._openings.add(self._opening(text))
        if shape.toned and not self._framed:
            self.owed.discard("tone")
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
        toned = tones[self._attributes.tone]
        return (*toned, *toned, *tones["any"])

    def _joined(self, lines: list[str]) -> str:
        """The lines as one text."""
        return self._space.join(lines)

    def _length(self, lines: list[str]) -> int:
        """Size of the lines with what stands between them after each."""
        return sum(self._size(line) + len(self._space) for line in lines)

    def _closed(self, text: str) -> str:
        """The text with a full stop, unless it has an end already."""
        return text if text.endswith(_ENDS) else f"{text}{self._stop}"

    def _first(self, text: str) -> str:
        """The first word, in small letters."""
        return text.split(" ", 1)[0].strip(",.?:").lower()

    def _opening(self, text: str) -> str:
        """What two sentences of one copy had better not share at their start."""
        if not self._space:
            return text[:3]
        first = self._first(text)
        return text.lower() if first in self._bank.grammar.common else first


def _sum(feeling: float) -> float:
    """The sum of word weights that `sentiment.score` makes into this number."""
    least = max(-_MOST_FELT, min(_MOST_FELT, feeling))
    return least / sqrt(1 - least * least)


def columns(text: str) -> int:
    """Columns that the text takes; wide letters take two."""
    return len(text) if text.isascii() else count_units(text, "columns")


def fits(text: str, spot: Field, units: str) -> bool:
    """Whether the text keeps the field's limits."""
    size = len(text) if text.isascii() else count_graphemes(text)
    if not spot.min_graphemes <= size <= spot.max_graphemes:
        return False
    return spot.max_units is None or count_units(text, units) <= spot.max_units


def _asked(brief: Brief, *, proof: bool) -> list[str]:
    """What the copy owes its brief beyond the angle."""
    asked = ["tone", "proof"] if proof else ["tone"]
    if brief.attributes.cta != "none" and not _has_button(brief.channel):
        asked.append("call")
    if brief.attributes.urgency == "soft":
        asked.append("urgency")
    return asked


def _alike(one: str, other: str) -> bool:
    """Whether two fields use nearly the same words."""
    first, second = (" ".join(sorted(_WORD.findall(text.casefold()))) for text in (one, other))
    return fuzz.ratio(first, second) > 86


def _roomy(spot: Field) -> bool:
    """Whether a hook field has room for a paragraph."""
    return spot.role == "hook" and spot.max_graphemes >= _PARAGRAPH


def _has_button(channel: Channel) -> bool:
    """Whether the channel has a field for the call to action."""
    return any(spot.role == "cta" for spot in channel.fields)


def _alone(spot: Field) -> bool:
    """Whether the field may be shown without the others, as numbered assets of an ad are."""
    return spot.name[-1:].isdigit()
