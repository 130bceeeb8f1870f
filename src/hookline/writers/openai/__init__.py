"""The `openai` writer: any server that speaks the OpenAI chat API, kept on a short leash.

Answers are asked for as JSON by schema and parsed strictly; a wrong one is sent back once with what
is wrong. Failures that may pass are tried again, a cost cap holds over all calls, and where the
server is down or the money spent another writer takes over and says why.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from time import monotonic
from time import sleep as pause
from typing import TYPE_CHECKING, ClassVar

import msgspec

from hookline.errors import BudgetSpent, WriterFailed
from hookline.prompts import load, render
from hookline.types import Brief, Channel, Draft
from hookline.writers.base import Writer
from hookline.writers.openai.chat import Chat, Message, Unreachable
from hookline.writers.openai.ledger import Ledger

if TYPE_CHECKING:
    import httpx2

__all__ = ["OpenAIWriter", "parse"]


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What the model is to answer."""

    drafts: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Paid:
    """An answer and what it cost."""

    text: str
    tokens_in: int
    tokens_out: int
    cost_usd: float


class OpenAIWriter(Writer):
    """Writes with a language model behind an OpenAI-compatible server.

    Args:
        model: Model name sent to the server.
        base_url: Address ending in `/v1`; empty for OpenAI's own.
        api_key: Its key; may be empty for servers that want none. It stands in no error.
        timeout_s: Seconds until one request is given up.
        retries: Further tries after a failure that may pass.
        budget_usd: Cost cap of this writer over all calls, None for none. A request that is
            expected to pass it does not start. What is expected is on the high side, yet a model
            that suddenly answers at length can pass the cap by that one answer.
        usd_per_million_in: Price of a million prompt tokens.
        usd_per_million_out: Price of a million completion tokens.
        temperature: Sent to the server; None leaves it to the model.
        fallback: Writes instead where the server is down or the budget spent; None raises.
        http_client: Client to send with, None for the library's own.
        sleep: Waits between tries, in seconds.
        clock: Seconds on a clock that never goes back.

    Raises:
        BadInput: Where an argument is out of range.
    """

    name: ClassVar[str] = "openai"

    def __init__(  # noqa: PLR0913 - one argument a setting, all by keyword
        self,
        *,
        model: str,
        base_url: str = "",
        api_key: str = "",
        timeout_s: float = 30.0,
        retries: int = 2,
        budget_usd: float | None = None,
        usd_per_million_in: float = 0.0,
        usd_per_million_out: float = 0.0,
        temperature: float | None = None,
        fallback: Writer | None = None,
        http_client: "httpx2.Client | None" = None,
        sleep: Callable[[float], None] = pause,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.fallback = fallback
        self._ledger = Ledger(budget_usd, usd_per_million_in, usd_per_million_out)
        self._chat = Chat(
            model=model,
            base_url=base_url,
            api_key=api_key,
            timeout_s=timeout_s,
            retries=retries,
            temperature=temperature,
            http_client=http_client,
            sleep=sleep,
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"OpenAIWriter(model={self.model!r}, base_url={self.base_url!r})"

    @property
    def spent_usd(self) -> float:
        """What all calls so far have cost, in US dollars."""
        return self._ledger.spent_usd

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """Up to `n` drafts by the model, or by the fallback where the model can't be had.

        The same seed gives the same drafts only where the server honours `seed`.

        Raises:
            BudgetSpent: Where the cost cap is reached and there is no fallback.
            WriterFailed: Where the product has no title, the server refused or answered wrongly
                twice, or it can't be reached and there is no fallback.
        """
        if not brief.product.title.strip():
            raise WriterFailed("the product has no title; give it one in the feed")
        try:
            return self._write(brief, n, seed)
        except (Unreachable, BudgetSpent) as failure:
            if self.fallback is None:
                raise
            note = f"openai failed: {failure}; written by {self.fallback.name}"
            drafts = self.fallback.write(brief, n, seed)
            return tuple(replace(draft, note=note) for draft in drafts)

    def _write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """The model's drafts; a wrong first answer is sent back once with what is wrong."""
        prompt = load("write_copy")
        system, user = render(prompt, brief, n)
        messages: list[Message] = [("system", system), ("user", user)]
        rng = Random(f"{brief.id}/{seed}")
        answers: list[_Paid] = []
        problem = ""
        for _ in range(2):
            answer = self._ask(messages, brief.channel, n, seed, rng)
            answers.append(answer)
            try:
                texts = parse(answer.text, brief.channel)[:n]
            except ValueError as wrong:
                problem = str(wrong)
                complaint = f"That answer can't be used: {problem}. Answer again, with JSON only."
                messages.extend([("assistant", answer.text), ("user", complaint)])
            else:
                blank = Draft(parts={}, writer=self.name, prompt=prompt.version, seed=seed)
                return tuple(_share(texts, answers, blank))
        raise WriterFailed(f"{self.model} answered wrongly twice: {problem}")

    def _ask(
        self,
        messages: Sequence[Message],
        channel: Channel,
        n: int,
        seed: int,
        rng: Random,
    ) -> _Paid:
        """The server's answer and what it cost, booked.

        Where the server does not count tokens, the expected ones are charged.
        """
        expected_in = sum(len(text.encode()) for _, text in messages) // 2
        expected_out = n * (20 + sum(len(f.name) + f.max_graphemes for f in channel.fields) // 2)
        held = self._ledger.hold(self._ledger.cost(expected_in, expected_out))
        cost = 0.0
        try:
            reply = self._chat.ask(messages, _schema(channel, n), seed, rng)
            tokens_in = expected_in if reply.tokens_in is None else reply.tokens_in
            tokens_out = expected_out if reply.tokens_out is None else reply.tokens_out
            cost = self._ledger.cost(tokens_in, tokens_out)
        finally:
            self._ledger.settle(held, cost)
        return _Paid(reply.text, tokens_in, tokens_out, cost)


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


def _share(
    texts: Sequence[dict[str, str]], answers: Sequence[_Paid], blank: Draft
) -> Iterator[Draft]:
    """The blank draft with each text, tokens and cost of all answers shared out to add up."""
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


def _schema(channel: Channel, n: int) -> dict[str, object]:
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
