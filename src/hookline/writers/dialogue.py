"""What writers on a language model share: a brief as messages, an answer as drafts.

An answer is asked for as JSON of a schema and parsed strictly. A wrong one is sent back once, with
what is wrong with it; what a model says after that is its last word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from hookline.prompts import Prompt, render
from hookline.types import Brief, Channel, Draft

Message = tuple[Literal["system", "user", "assistant"], str]
"""Who says it, and what."""


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What the model is to answer."""

    drafts: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """An answer of a model, and what it cost."""

    text: str
    tokens_in: int
    tokens_out: int
    cost_usd: float = 0.0


def chosen(prompts: Sequence[Prompt], seed: int) -> Prompt:
    """The prompt to ask with: seeds are shared out evenly among those on trial.

    Args:
        prompts: At least one.
        seed: From 0 on.
    """
    return prompts[seed % len(prompts)]


def opening(prompt: Prompt, brief: Brief, n: int) -> list[Message]:
    """The messages that ask for `n` drafts."""
    system, user = render(prompt, brief, n)
    return [("system", system), ("user", user)]


def objection(messages: Sequence[Message], answer: str, problem: str) -> list[Message]:
    """The messages so far, the answer to them, and what is wrong with it."""
    complaint = f"That answer can't be used: {problem}. Answer again, with JSON only."
    return [*messages, ("assistant", answer), ("user", complaint)]


def parse(text: str, channel: Channel) -> list[dict[str, str]]:
    """The drafts that the answer holds: different ones, each with exactly the channel's fields.

    Prose or a code fence around the JSON is passed over.

    Raises:
        ValueError: What is wrong with the answer, in words for the model.

    Examples:
        >>> from hookline.channels import channel
        >>> banner = channel("onsite_banner")
        >>> parse('Here: {"drafts": [{"headline": "Hi", "cta": "Go"}]}', banner)
        [{'headline': 'Hi', 'cta': 'Go'}]
        >>> parse('{"drafts": [{"headline": "Hi"}]}', banner)
        Traceback (most recent call last):
        ValueError: draft 1 must have exactly the fields headline, cta, not headline
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("there is no JSON object in it")
    try:
        answer = msgspec.json.decode(text[start : end + 1], type=_Answer)
    except msgspec.MsgspecError as wrong:
        raise ValueError(f"it is not the JSON asked for: {wrong}") from None
    names = [spot.name for spot in channel.fields]
    drafts: list[dict[str, str]] = []
    for number, given in enumerate(answer.drafts, start=1):
        if set(given) != set(names):
            raise ValueError(
                f"draft {number} must have exactly the fields {', '.join(names)},"
                f" not {', '.join(given)}"
            )
        parts = {name: " ".join(given[name].split()) for name in names}
        if not all(parts.values()):
            raise ValueError(f"draft {number} has an empty field")
        if parts not in drafts:
            drafts.append(parts)
    if not drafts:
        raise ValueError("it has no drafts")
    return drafts


def schema(channel: Channel, n: int) -> dict[str, object]:
    """The JSON schema of an answer with `n` drafts for the channel."""
    texts = {
        spot.name: {"type": "string", "description": f"at most {spot.max_graphemes} characters"}
        for spot in channel.fields
    }
    draft = {
        "type": "object",
        "properties": texts,
        "required": list(texts),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "drafts": {"type": "array", "items": draft, "description": f"{n} different drafts"}
        },
        "required": ["drafts"],
        "additionalProperties": False,
    }


def shared_out(
    texts: Sequence[dict[str, str]], answers: Sequence[Spoken], blank: Draft
) -> Iterator[Draft]:
    """The blank draft with each text; tokens and cost of all answers shared out to add up.

    Args:
        texts: What came of the answers.
        answers: All that was said, wrong answers included.
        blank: Says who wrote the drafts, with which prompt and seed.
    """
    count = len(texts)
    tokens_in = sum(answer.tokens_in for answer in answers)
    tokens_out = sum(answer.tokens_out for answer in answers)
    cost = sum(answer.cost_usd for answer in answers)
    for index, parts in enumerate(texts):
        yield replace(
            blank,
            parts=parts,
            tokens_in=tokens_in // count + (index < tokens_in % count),
            tokens_out=tokens_out // count + (index < tokens_out % count),
            cost_usd=cost / count,
        )
