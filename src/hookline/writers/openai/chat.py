"""One conversation partner behind the OpenAI chat API: requests, tries and giving up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Final

from hookline.errors import BadInput, WriterFailed
from hookline.writers.dialogue import Message

if TYPE_CHECKING:
    import httpx2
    import openai
    from openai.types.chat import ChatCompletionMessageParam

_MODES: Final = ("json_schema", "json_object", "text")
"""Ways to ask for JSON, the strictest first; a server that refuses one is asked the next way."""
_MAY_PASS: Final = frozenset({408, 409, 429})
"""Client-error codes after which the same request may succeed."""
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 20.0
_LOST_IN_A_ROW: Final = 3
_REST_S: Final = 60.0


class Unreachable(WriterFailed):
    """The server cannot be reached or is not able to answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server; token counts are None where it does not give them."""

    text: str
    tokens_in: int | None
    tokens_out: int | None


class Chat:
    """A model behind an address.

    After three requests in a row that found no server, further ones fail at once for a minute.

    Args:
        model: Model name sent to the server.
        base_url: Address ending in `/v1`; empty for OpenAI's own.
        api_key: Its key; may be empty. It stands in no error and in no `repr`.
        timeout_s: Seconds until one request is given up.
        retries: Further tries after a failure that may pass.
        temperature: None leaves it to the model.
        http_client: Client to send with, None for the library's own.
        sleep: Waits between tries, in seconds.
        clock: Seconds on a clock that never goes back.

    Raises:
        BadInput: Where an argument is out of range.
    """

    def __init__(  # noqa: PLR0913 - one argument a setting, all by keyword
        self,
        *,
        model: str,
        base_url: str,
        api_key: str,
        timeout_s: float,
        retries: int,
        temperature: float | None,
        http_client: "httpx2.Client | None",
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        if not model or timeout_s <= 0 or retries < 0:
            raise BadInput("the openai writer needs a model, a time-out above 0 and retries from 0")
        self._model = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._retries = retries
        self._temperature = temperature
        self._http_client = http_client
        self._sleep = sleep
        self._clock = clock
        self._lock = Lock()
        self._client: openai.OpenAI | None = None
        self._mode = 0
        self._lost = 0
        self._resting_until = 0.0

    def ask(
        self, messages: Sequence[Message], schema: dict[str, object], seed: int, rng: Random
    ) -> Reply:
        """The server's answer to the messages.

        Args:
            messages: Pairs of role and text.
            schema: JSON schema the answer is to follow, where the server can hold it to one.
            seed: Sent to the server.
            rng: Draws the waits between tries.

        Raises:
            Unreachable: Where no answer came after all tries, or none is expected just now.
            WriterFailed: Where the server refuses the request for good.
        """
        import openai  # noqa: PLC0415 - half a second that only this writer needs

        tries = 0
        while True:
            self._check_rest()
            mode = self._mode
            advised = 0.0
            try:
                reply = self._send(messages, schema, seed, _MODES[mode])
            except openai.APIStatusError as refused:
                self._found()
                if refused.status_code in {400, 422} and mode + 1 < len(_MODES):
                    self._mode = max(self._mode, mode + 1)
                    continue
                problem = self._status_problem(refused)
                if refused.status_code < 500 and refused.status_code not in _MAY_PASS:
                    raise WriterFailed(problem) from None
                advised = _advised_wait(refused)
            except openai.APIConnectionError as lost:
                problem = self._connection_problem(lost)
                self._missed()
            else:
                self._found()
                return reply
            if tries >= self._retries:
                raise Unreachable(problem) from None
            wait = _FIRST_WAIT_S * 2**tries * rng.uniform(0.5, 1.5)
            self._sleep(min(max(wait, advised), _LONGEST_WAIT_S))
            tries += 1

    def _send(
        self, messages: Sequence[Message], schema: dict[str, object], seed: int, mode: str
    ) -> Reply:
        """The answer to one request."""
        extra: dict[str, object] = {"seed": seed % 2**31}
        if mode == "json_schema":
            form = {"name": "drafts", "schema": schema, "strict": True}
            extra["response_format"] = {"type": mode, "json_schema": form}
        elif mode == "json_object":
            extra["response_format"] = {"type": mode}
        if self._temperature is not None:
            extra["temperature"] = self._temperature
        done = self._connected().chat.completions.create(
            model=self._model, messages=[_turn(message) for message in messages], extra_body=extra
        )
        text = done.choices[0].message.content if done.choices else None
        usage = done.usage
        return Reply(
            text=text or "",
            tokens_in=usage.prompt_tokens if usage else None,
            tokens_out=usage.completion_tokens if usage else None,
        )

    def _connected(self) -> "openai.OpenAI":
        """The client, made at the first request."""
        import openai  # noqa: PLC0415 - see `ask`

        with self._lock:
            if self._client is None:
                self._client = openai.OpenAI(
                    api_key=self._api_key or "none",
                    base_url=self._base_url or None,
                    timeout=self._timeout_s,
                    max_retries=0,
                    http_client=self._http_client,
                )
            return self._client

    def _check_rest(self) -> None:
        """Raises `Unreachable` while the server is given a rest."""
        left = self._resting_until - self._clock()
        if left > 0:
            raise Unreachable(f"no server answered of late; it is asked again in {left:.0f} s")

    def _found(self) -> None:
        """Takes in that the server is there."""
        with self._lock:
            self._lost = 0

    def _missed(self) -> None:
        """Takes in that the server was not there."""
        with self._lock:
            self._lost += 1
            if self._lost >= _LOST_IN_A_ROW:
                self._lost = 0
                self._resting_until = self._clock() + _REST_S

    def _status_problem(self, refused: "openai.APIStatusError") -> str:
        """What the server's refusal means, without the key."""
        code = refused.status_code
        if code in {401, 403}:
            return f"the server refuses the key ({code}); check OPENAI_API_KEY"
        if code == 404:
            return f"the server has no model {self._model!r} at that address (404)"
        said = " ".join(refused.message.split())[:200]
        return self._clean(f"the server answered {code}: {said}")

    def _connection_problem(self, lost: "openai.APIConnectionError") -> str:
        """What went wrong on the way, without the key."""
        import openai  # noqa: PLC0415 - see `ask`

        if isinstance(lost, openai.APITimeoutError):
            return f"no answer within {self._timeout_s:g} s"
        cause = " ".join(str(lost.__cause__ or lost).split())[:200]
        return self._clean(f"no connection ({cause})")

    def _clean(self, text: str) -> str:
        """The text without the key."""
        return text.replace(self._api_key, "***") if self._api_key else text


def _turn(message: Message) -> "ChatCompletionMessageParam":
    """The message as the API wants it."""
    match message:
        case ("system", text):
            return {"role": "system", "content": text}
        case ("user", text):
            return {"role": "user", "content": text}
        case (_, text):
            return {"role": "assistant", "content": text}


def _advised_wait(refused: "openai.APIStatusError") -> float:
    """Seconds that the server asks to wait, 0 where it does not say."""
    try:
        return float(refused.response.headers.get("retry-after", 0))
    except ValueError:
        return 0.0
