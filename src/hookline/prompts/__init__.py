"""Prompt texts: files with slots, versioned by the hash of their content.

A prompt file is Markdown with the parts `# system` and `# user`, and slots in double braces. Text
from catalogs goes into one slot, as JSON inside a fence that it cannot close: it is data, and the
prompt says so. A third part, `# craft`, is advice on writing, which fills the slot of that name:
all that a new version of a prompt may change (`versions`). Rules, facts and fields stand outside
of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import regex

from hookline.errors import BadInput, UnregisteredName
from hookline.types import Attributes, Brief, Channel, content_hash, dumps

MAX_CRAFT: Final = 3_000
"""Most characters of a prompt's advice on writing."""
_SLOT: Final = regex.compile(r"\{\{(\w+)\}\}")
_PART: Final = regex.compile(r"^# (system|user|craft)\n", regex.MULTILINE)
_UNITS: Final = {
    "utf16": "UTF-16 code units",
    "gsm7": "GSM-7 septets; a character outside GSM-7, an emoji say, leaves room for 70 in all",
    "columns": "columns, in which a double-width character counts 2",
}

ANGLES: Final[Mapping[str, str]] = {
    "benefit": "what the reader gains",
    "feature": "a detail of the product",
    "problem": "a need the reader has, and the product as the answer",
    "curiosity": "a question or an open end that the product answers",
    "value": "what the reader gets for the money",
    "quality": "how it is made",
    "occasion": "the moment it is for",
    "ease": "how simple it makes things",
    "style": "how it looks and feels",
    "identity": "who the reader is",
    "howto": "how to choose or to use it",
    "direct": "the product and the offer, said straight",
}
"""Angle → what it means, as the prompt words it."""
TONES: Final[Mapping[str, str]] = {
    "plain": "plain: short common words, no ornament",
    "warm": "warm: friendly and personal, never gushing",
    "playful": "playful: light, with a wink, never silly",
    "bold": "bold: short, sure sentences",
    "expert": "expert: exact, well informed, no jargon for its own sake",
    "calm": "calm: unhurried and quiet",
}
"""Tone → what it means."""
CALLS: Final[Mapping[str, str]] = {
    "none": 'none; a field that must hold one gets a neutral label such as "The details"',
}
"""CTA style → instruction, where it is more than the verb."""
PROOFS: Final[Mapping[str, str]] = {
    "none": "no proof; leave prices, specifications and the maker's name out",
    "spec": "quote one fact or highlight, word for word",
    "price": "quote the price exactly as the data give it, the sale price if there is one",
    "brand": "name the maker",
}
"""Proof → instruction."""
URGENCIES: Final[Mapping[str, str]] = {
    "none": "none",
    "soft": "a gentle nudge in the present tense; no date, no deadline, no stock",
}
"""Urgency → instruction."""
LENGTHS: Final[Mapping[str, str]] = {
    "short": "about half of the room of each field",
    "full": "most of the room of each field",
}
"""Length → instruction."""

SENTIMENTS: Final = (
    (0.6, "delighted: several words of joy or praise for the moment, none that is sad"),
    (0.25, "glad: one or two warm words"),
    (-0.25, "even: no word that is glad or sad"),
    (-0.6, "wry: name one thing that annoys"),
    (-1.0, "troubled: let the reader's trouble lead, several words of it"),
)
"""Least sentiment → what it means, from the top down."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt text.

    Attributes:
        name: File name without its ending.
        text: The whole file.
        version: Content hash of the text.
        system: Template of the system message.
        user: Template of the user message.
        craft: Advice on writing; empty where the prompt has none.
    """

    name: str
    text: str
    version: str
    system: str
    user: str
    craft: str = ""


@cache
def load(name: str) -> Prompt:
    """The prompt that ships under this name.

    Raises:
        UnregisteredName: Where there is none.

    Examples:
        >>> load("write_copy").version == load("write_copy").version
        True
    """
    folder = files("hookline.prompts")
    known = [entry.name[:-3] for entry in folder.iterdir() if entry.name.endswith(".md")]
    if name not in known:
        raise UnregisteredName("prompt", name, known)
    return of_text(name, folder.joinpath(f"{name}.md").read_text(encoding="utf-8"))


def of_text(name: str, text: str) -> Prompt:
    """The prompt that a file's text holds.

    Raises:
        BadInput: Where a part is missing or there twice.
    """
    _, *pieces = _PART.split(text)
    names, bodies = pieces[::2], [body.strip() for body in pieces[1::2]]
    parts = dict(zip(names, bodies, strict=True))
    if len(names) != len(parts) or not {"system", "user"} <= set(parts):
        raise BadInput(f"prompt {name!r} needs one part # system and one part # user")
    return Prompt(name=name, text=text, version=content_hash(text), **parts)


def with_craft(prompt: Prompt, craft: str) -> Prompt:
    """The prompt with other advice on writing: a new version, all else word for word.

    Raises:
        BadInput: Where the advice is empty or too long, or would open a slot or a part; or the
            prompt has no place for it.

    Examples:
        >>> new = with_craft(load("write_copy"), "- Ask a question.")
        >>> new.version == load("write_copy").version, new.user == load("write_copy").user
        (False, True)
    """
    craft = "\n".join(line.rstrip() for line in craft.strip().splitlines())
    if not craft or len(craft) > MAX_CRAFT:
        raise BadInput(f"advice on writing has 1 to {MAX_CRAFT} characters, not {len(craft)}")
    if "{{" in craft or _PART.search(f"{craft}\n"):
        raise BadInput("advice on writing can't hold slots or headings of a prompt's parts")
    if not prompt.craft:
        raise BadInput(f"prompt {prompt.name!r} has no part # craft")
    pieces = _PART.split(prompt.text)
    place = 1 + 2 * pieces[1::2].index("craft") + 1
    last = place == len(pieces) - 1
    pieces[place] = f"{craft}\n" if last else f"{craft}\n\n"
    heads = [f"# {name}\n{body}" for name, body in zip(pieces[1::2], pieces[2::2], strict=True)]
    return of_text(prompt.name, "".join([pieces[0], *heads]))


def render(prompt: Prompt, brief: Brief, n: int) -> tuple[str, str]:
    """The system message and the user message for a brief.

    Args:
        prompt: From `load`.
        brief: What is to be written.
        n: How many drafts are wanted.

    Raises:
        KeyError: Where the prompt names a slot that does not exist.
    """
    slots = {**_slots(brief, n), "craft": prompt.craft}
    return filled(prompt.system, slots), filled(prompt.user, slots)


def filled(template: str, slots: Mapping[str, str]) -> str:
    """The template with its slots filled, in one pass: slots inside values stay as they are."""
    return _SLOT.sub(lambda found: slots[found[1]], template)


def _slots(brief: Brief, n: int) -> dict[str, str]:
    """Slot name → text."""
    wanted: Attributes = brief.attributes
    brand = brief.brand
    return {
        "n": str(n),
        "audience": _line(brief.audience.name) or "everybody",
        "persona": _line(brief.audience.persona) or "Nothing more is known of them.",
        "motives": ", ".join(map(_line, brief.audience.motives)) or "not known",
        "product": fenced(brief.product),
        "channel": _line(brief.channel.name),
        "fields": _fields(brief.channel),
        "angle": f"{wanted.angle}: {ANGLES[wanted.angle]}",
        "tone": TONES[wanted.tone],
        "cta": CALLS.get(wanted.cta, f'with the verb "{wanted.cta}" or a close relative of it'),
        "proof": PROOFS[wanted.proof],
        "urgency": URGENCIES[wanted.urgency],
        "length": LENGTHS[wanted.length],
        "sentiment": _sentiment(brief.sentiment),
        "locale": _line(brief.locale),
        "brand": _line(brand.name),
        "voice": ", ".join(map(_line, brand.voice)) or "no special voice",
        "banned": _list(brand.banned_terms),
        "glossary": _list([f"{right} (not {wrong})" for wrong, right in brand.glossary.items()]),
        "disclaimers": _list(
            [f'copy with "{word}" also holds: {text}' for word, text in brand.disclaimers.items()]
        ),
        "restrictions": _list(brand.restrictions),
        "exclamations": str(brand.max_exclamations),
        "emoji": "allowed where they help" if brand.emoji else "none",
        "lessons": _list(brief.lessons),
    }


def _sentiment(target: float | None) -> str:
    """The sentiment asked for, in words."""
    if target is None:
        return "as it comes"
    felt = next(words for least, words in SENTIMENTS if target >= least)
    return f"{felt} ({target:+.1f} on a scale from -1 to 1)"


def _line(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def _list(items: Sequence[str]) -> str:
    """The items as a Markdown list, or a dash and "none"."""
    return "\n".join(f"- {_line(item)}" for item in items) if items else "- none"


def _fields(channel: Channel) -> str:
    """The channel's fields with their limits, one a line."""
    rows: list[str] = []
    for spot in channel.fields:
        least = f"{spot.min_graphemes} to " if spot.min_graphemes > 1 else "at most "
        row = f"- {spot.name} ({spot.role}): {least}{spot.max_graphemes} characters"
        if spot.max_units is not None:
            row += f", and at most {spot.max_units} {_UNITS[channel.units]}"
        rows.append(row)
    return "\n".join(rows)


def fenced(record: object) -> str:
    """The record as JSON in which no character can close the fence around it."""
    text = dumps(record).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
