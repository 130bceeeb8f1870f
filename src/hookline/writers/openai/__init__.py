"""The `openai` writer: any server that speaks the OpenAI chat API, kept on a short leash.

Answers are asked for as JSON by schema and parsed strictly; a wrong one is sent back once with what
is wrong. Failures that may pass are tried again, a cost cap holds over all calls, and where the
server is down or the money spent another writer takes over and says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from time import monotonic
from time import sleep as pause
from typing import TYPE_CHECKING, ClassVar

from hookline.errors import BudgetSpent, WriterFailed
from hookline.prompts import Prompt, load
from hookline.types import Brief, Draft, dumps
from hookline.writers.base import Writer
from hookline.writers.cache import Cache
from hookline.writers.dialogue import (
    Message,
    Spoken,
    chosen,
    objection,
    opening,
    parse,
    schema,
    shared_out,
)
from hookline.writers.openai.chat import Chat, Unreachable
from hookline.writers.openai.ledger import Ledger

if TYPE_CHECKING:
    import httpx2

__all__ = ["OpenAIWriter"]

FROM_CACHE = "the answer is an earlier one, from the cache"
"""Note on a draft that cost nothing since its answer was kept."""


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
        prompts: Versions to write with, seeds shared out among them; none for the one that ships.
        cache: Answers that need not be paid for again; None keeps none.
        fallback: Writes instead where the server is down or the budget spent; None raises.
        http_client: Client to send with, None for the library's own.
        sleep: Waits between tries, in seconds.
        clock: Seconds on a clock that never goes back.

    Raises:
        BadInput: Where an argument is out of range.
    """

    name: ClassVar[str] = "openai"
    reads_lessons: ClassVar[bool] = True

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
        prompts: Sequence[Prompt] = (),
        cache: Cache | None = None,
        fallback: Writer | None = None,
        http_client: "httpx2.Client | None" = None,
        sleep: Callable[[float], None] = pause,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.temperature = temperature
        self.prompts = tuple(prompts) or (load("write_copy"),)
        self.fallback = fallback
        self._cache = cache
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

        The same seed gives the same drafts only where the server honours `seed`, or where the
        answer was kept in the cache.

        Raises:
            BudgetSpent: Where the cost cap is reached and there is no fallback.
            WriterFailed: Where the product has no title, the server refused or answered wrongly
                twice, or it can't be reached and there is no fallback.
        """
        try:
            return self.write_with(chosen(self.prompts, seed), brief, n, seed)
        except (Unreachable, BudgetSpent) as failure:
            if self.fallback is None:
                raise
            note = f"openai failed: {failure}; written by {self.fallback.name}"
            drafts = self.fallback.write(brief, n, seed)
            return tuple(replace(draft, note=note) for draft in drafts)

    def write_with(self, prompt: Prompt, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """As `write`, with a prompt that is given, and without the fallback."""
        if not brief.product.title.strip():
            raise WriterFailed("the product has no title; give it one in the feed")
        messages = opening(prompt, brief, n)
        blank = Draft(parts={}, writer=self.name, prompt=prompt.version, seed=seed)
        asked = (self.model, self.base_url, self.temperature, messages, seed)
        key = Cache.key(*asked, schema(brief.channel, n))
        if self._cache and (kept := self._cache.get(key)) is not None:
            free = Spoken(kept, tokens_in=0, tokens_out=0)
            texts = parse(kept, brief.channel)[:n]
            return tuple(shared_out(texts, [free], replace(blank, note=FROM_CACHE)))
        texts, answers = self._texts(messages, brief, n, seed)
        if self._cache:
            self._cache.put(key, dumps({"drafts": texts}).decode())
            blank = replace(blank, note=self._cache.fault)
        return tuple(shared_out(texts, answers, blank))

    def ask(
        self,
        messages: Sequence[Message],
        form: dict[str, object],
        seed: int,
        *,
        expected_out: int = 1_000,
    ) -> Spoken:
        """The server's answer to messages of any kind, its cost booked.

        Where the server does not count tokens, the expected ones are charged.

        Args:
            messages: The conversation so far.
            form: JSON schema of the answer.
            seed: Sent to the server; the waits between tries are drawn from it too.
            expected_out: Tokens that the answer is expected to take at most.

        Raises:
            BudgetSpent: Where the cost cap is reached.
            WriterFailed: Where the server refused or can't be reached.
        """
        expected_in = sum(len(text.encode()) for _, text in messages) // 2
        held = self._ledger.hold(self._ledger.cost(expected_in, expected_out))
        cost = 0.0
        try:
            reply = self._chat.ask(messages, form, seed, Random(f"{messages[-1][1]}/{seed}"))
            tokens_in = expected_in if reply.tokens_in is None else reply.tokens_in
            tokens_out = expected_out if reply.tokens_out is None else reply.tokens_out
            cost = self._ledger.cost(tokens_in, tokens_out)
        finally:
            self._ledger.settle(held, cost)
        return Spoken(reply.text, tokens_in, tokens_out, cost)

    def _texts(
        self, messages: list[Message], brief: Brief, n: int, seed: int
    ) -> tuple[list[dict[str, str]], list[Spoken]]:
        """What the model wrote, and all that it said; a wrong first answer is sent back once."""
        fields = brief.channel.fields
        room = n * (20 + sum(len(field.name) + field.max_graphemes for field in fields) // 2)
        answers: list[Spoken] = []
        problem = ""
        for _ in range(2):
            answer = self.ask(messages, schema(brief.channel, n), seed, expected_out=room)
            answers.append(answer)
            try:
                return parse(answer.text, brief.channel)[:n], answers
            except ValueError as wrong:
                problem = str(wrong)
                messages = objection(messages, answer.text, problem)
        raise WriterFailed(f"{self.model} answered wrongly twice: {problem}")
