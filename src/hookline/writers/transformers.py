"""The `transformers` writer: a causal language model in a folder on this machine, no server.

Small models do better with one draft at a time, so that the prompt asks for one and as many answers
are drawn as drafts are wanted, in batches. Needs torch and transformers, which
`pip install 'hookline[local]'` brings. Nothing is downloaded, and no code from the folder is run.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import ClassVar, Final, Self

from jinja2 import TemplateError

from hookline import extras
from hookline.errors import BadInput, WriterFailed
from hookline.extras import Package
from hookline.prompts import Prompt, load
from hookline.types import Brief, Channel, Draft
from hookline.writers.base import Writer
from hookline.writers.dialogue import (
    Message,
    Spoken,
    chosen,
    objection,
    opening,
    parse,
    shared_out,
)

_PACKAGES: Final = ("torch", "transformers")
_ROLES: Final = {"system": "", "user": "", "assistant": "Answer:\n"}


class TransformersWriter(Writer):
    """Writes with any causal language model that transformers can load.

    The model is loaded at the first draft. It runs one batch at a time, however many threads ask.

    Args:
        folder: Holds config, weights and tokenizer, as `save_pretrained` leaves them.
        device: Where it runs, as torch names it: `cpu`, `cuda`, `cuda:1`, `mps`.
        temperature: Above 0; higher is more varied and more often wrong.
        top_p: Share of the probability that is drawn from, above 0 to 1.
        at_once: Most answers that are drawn in one batch.
        prompts: Versions to write with, seeds shared out among them; none for the one that ships.

    Raises:
        BadInput: Where the folder holds no model, an argument is out of range or a package is
            missing.
    """

    name: ClassVar[str] = "transformers"
    reads_lessons: ClassVar[bool] = True

    def __init__(
        self,
        *,
        folder: Path | str,
        device: str = "cpu",
        temperature: float = 0.9,
        top_p: float = 0.95,
        at_once: int = 16,
        prompts: Sequence[Prompt] = (),
    ) -> None:
        if not str(folder) or not (Path(folder) / "config.json").is_file():
            where = f"{folder} holds no model" if str(folder) else "no folder is named"
            raise BadInput(f"{where}; set transformers_model to a Hugging Face model's folder")
        if not (temperature > 0 and 0 < top_p <= 1 and at_once >= 1):
            raise BadInput("temperature must be above 0, top_p above 0 to 1, at_once at least 1")
        for package in _PACKAGES:
            extras.check_installed(package, "local", "the transformers writer")
        self.folder = Path(folder)
        self.device = device
        self.temperature = temperature
        self.top_p = top_p
        self.at_once = at_once
        self.prompts = tuple(prompts) or (load("write_copy"),)
        self._lock = Lock()
        self._model: _Model | None = None

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """Up to `n` drafts, one of each answer that can be used, mended ones last.

        The same seed gives the same drafts on the same machine.

        Raises:
            BadInput: Where the model can't be loaded.
            WriterFailed: Where the product has no title, the prompt is too long for the model, or
                all answers were wrong twice.
        """
        return self.write_with(chosen(self.prompts, seed), brief, n, seed)

    def write_with(self, prompt: Prompt, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """As `write`, with a prompt that is given."""
        if not brief.product.title.strip():
            raise WriterFailed("the product has no title; give it one in the feed")
        with self._lock:
            if self._model is None:
                self._model = _Model.open(self.folder, self.device)
            with self._model.luck(seed):
                texts, answers = self._texts(self._model, opening(prompt, brief, 1), brief, n)
        blank = Draft(parts={}, writer=self.name, prompt=prompt.version, seed=seed)
        return tuple(shared_out(texts, answers, blank))

    def _texts(
        self, model: "_Model", messages: list[Message], brief: Brief, n: int
    ) -> tuple[list[dict[str, str]], list[Spoken]]:
        """What was written, and all that was said; wrong first answers are sent back once."""
        spoken = self._drawn(model, [messages] * n, brief.channel)
        texts, wrong = _usable(spoken, brief.channel)
        if wrong:
            objections = [objection(messages, text, problem) for text, problem in wrong]
            again = self._drawn(model, objections, brief.channel)
            mended, wrong = _usable(again, brief.channel)
            texts += mended
            spoken += again
        different = list({tuple(parts.values()): parts for parts in texts}.values())
        if not different:
            raise WriterFailed(f"{self.folder.name} answered wrongly twice: {wrong[0][1]}")
        return different[:n], spoken

    def _drawn(
        self, model: "_Model", conversations: Sequence[list[Message]], channel: Channel
    ) -> list[Spoken]:
        """An answer to each conversation."""
        room = 40 + sum(len(spot.name) + 8 + spot.max_graphemes for spot in channel.fields)
        return [
            answer
            for start in range(0, len(conversations), self.at_once)
            for answer in model.answer(
                conversations[start : start + self.at_once], room, self.temperature, self.top_p
            )
        ]


def _usable(
    spoken: Sequence[Spoken], channel: Channel
) -> tuple[list[dict[str, str]], list[tuple[str, str]]]:
    """The drafts in sound answers; the other answers, and what is wrong with each."""
    texts: list[dict[str, str]] = []
    wrong: list[tuple[str, str]] = []
    for answer in spoken:
        try:
            texts += parse(answer.text, channel)
        except ValueError as problem:
            wrong.append((answer.text, str(problem)))
    return texts, wrong


@dataclass(frozen=True, slots=True)
class _Model:
    """A model with its tokenizer, ready to answer."""

    torch: Package
    model: Package
    tokenizer: Package

    @classmethod
    def open(cls, folder: Path, device: str) -> Self:
        """The model of a folder, on a device.

        Raises:
            BadInput: Where it can't be loaded.
        """
        torch, transformers = (import_module(package) for package in _PACKAGES)
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, padding_side="left"
            )
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True, dtype="auto"
            )
            model = model.to(device).eval()
        except Exception as error:  # of files, configurations, devices: no common base
            said = " ".join(str(error).split())[:200]
            raise BadInput(f"can't load the model in {folder} on {device}: {said}") from error
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return cls(torch, model, tokenizer)

    @contextmanager
    def luck(self, seed: int) -> Generator[None]:
        """Draws from the seed within, and leaves the draws of others as they were."""
        device = self.model.device
        with self.torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            self.torch.manual_seed(seed)
            yield

    def answer(
        self, conversations: Sequence[list[Message]], room: int, temperature: float, top_p: float
    ) -> list[Spoken]:
        """One answer to each conversation, drawn in one batch.

        Args:
            conversations: At least one.
            room: Most tokens of an answer.
            temperature: Of the draws.
            top_p: Share of the probability that is drawn from.

        Raises:
            WriterFailed: Where a conversation leaves the model no such room.
        """
        texts = [self._text(messages) for messages in conversations]
        batch = self.tokenizer(
            texts, return_tensors="pt", padding=True, add_special_tokens=self._is_plain
        ).to(self.model.device)
        start = int(batch["input_ids"].shape[1])
        most = getattr(self.model.config, "max_position_embeddings", None) or start + room
        if start + room > most:
            raise WriterFailed(f"the prompt takes {start} tokens and the answer may take {room}; "
                               f"the model has room for {most}")  # fmt: skip
        with self.torch.inference_mode():
            drawn = self.model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                do_sample=True,
                temperature=temperature,
                top_p=top_p,
                max_new_tokens=room,
                pad_token_id=self.tokenizer.pad_token_id,
            )
        told = batch["attention_mask"].sum(dim=1).tolist()
        rows = drawn[:, start:].tolist()
        return [self._spoken(row, int(count)) for row, count in zip(rows, told, strict=True)]

    def _spoken(self, row: list[int], told: int) -> Spoken:
        """The answer in a row of tokens, which padding may follow."""
        ends = self.model.generation_config.eos_token_id
        stops = {ends} if isinstance(ends, int) else set(ends or ())
        size = next((place for place, token in enumerate(row) if token in stops), len(row))
        text = self.tokenizer.decode(row[:size], skip_special_tokens=True)
        return Spoken(text, tokens_in=told, tokens_out=min(size + 1, len(row)))

    @property
    def _is_plain(self) -> bool:
        """Whether the model was never taught to converse."""
        return not self.tokenizer.chat_template

    def _text(self, messages: Sequence[Message]) -> str:
        """The conversation as the model was taught to read one."""
        if self._is_plain:
            said = [f"{_ROLES[role]}{text}" for role, text in messages]
            return "\n\n".join([*said, _ROLES["assistant"]])
        try:
            return self._templated(messages)
        except TemplateError:  # some models know no system message
            (_, system), (_, user), *rest = messages
            return self._templated([("user", f"{system}\n\n{user}"), *rest])

    def _templated(self, messages: Sequence[Message]) -> str:
        turns = [{"role": role, "content": text} for role, text in messages]
        return self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
