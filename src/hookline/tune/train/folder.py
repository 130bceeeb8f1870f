"""A Hugging Face folder → a model and a tokenizer to train, and back.

What is trained on is what the `transformers` writer will ask: the same template, and for a model
without one the same plain text. Nothing is downloaded, and no code from the folder is run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Final, Self

from jinja2 import TemplateError

from hookline.errors import BadInput
from hookline.tune.train.lessons import Lesson
from hookline.tune.train.packages import Package, require
from hookline.tune.train.recipe import Conversation
from hookline.types import content_hash

PLAIN: Final = (
    "{% for turn in messages %}"
    "{% if turn['role'] == 'assistant' %}Answer:\n{{ turn['content'] }}{{ eos_token }}"
    "{% else %}{{ turn['content'] }}{% endif %}"
    "{% if not loop.last or add_generation_prompt %}{{ '\\n\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Answer:\n{% endif %}"
)
"""The template of a model that has none: as the `transformers` writer asks one."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A model's folder that can be trained.

    Attributes:
        path: Of the folder.
        tokenizer: With a chat template and a token to pad with.
        is_plain: Whether the model had no chat template and got a plain one.
        folds_system: Whether its template knows no system message.
        places: Most tokens of a conversation; None where the model doesn't say.
    """

    path: Path
    tokenizer: Package
    is_plain: bool
    folds_system: bool
    places: int | None

    @classmethod
    def open(cls, path: Path) -> Self:
        """The folder, its weights unread.

        Raises:
            BadInput: Where it holds no model or no tokenizer, or the tokenizer knows no token to
                end an answer with.
        """
        if not (path / "config.json").is_file():
            raise BadInput(f"{path} holds no model: there is no config.json in it")
        transformers = require("transformers")
        try:
            config = transformers.AutoConfig.from_pretrained(str(path), local_files_only=True)
        except Exception as error:  # of files and configurations: no common base
            raise BadInput(f"can't read {path}/config.json: {_said(error)}") from error
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(path), local_files_only=True)
        except Exception as error:
            raise BadInput(
                f"{path} holds a model without a tokenizer that can be loaded; put the base's "
                f"tokenizer.json and tokenizer_config.json there: {_said(error)}"
            ) from error
        if tokenizer.eos_token is None:
            raise BadInput(f"the tokenizer in {path} has no eos_token, so no answer could end")
        is_plain = not tokenizer.chat_template
        if is_plain:
            tokenizer.chat_template = _start(tokenizer) + PLAIN
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        places = getattr(config, "max_position_embeddings", None)
        return cls(path, tokenizer, is_plain, _folds_system(tokenizer), places)

    @property
    def fingerprint(self) -> str:
        """An id of the model: its configuration, and the names and sizes of its files."""
        files = sorted((file.name, file.stat().st_size) for file in self.path.iterdir())
        return content_hash((self.path / "config.json").read_text(), files)

    def model(self, dtype: Package) -> Package:
        """The model, on the processor.

        Raises:
            BadInput: Where it can't be loaded.
        """
        return _loaded(self.path, dtype)

    def turns(self, conversation: Conversation) -> list[dict[str, str]]:
        """The conversation in TRL's form, as the model's template takes it."""
        if self.folds_system and conversation and conversation[0][0] == "system":
            (_, system), *rest = conversation
            first = next((i for i, (role, _) in enumerate(rest) if role == "user"), None)
            if first is not None:
                rest[first] = ("user", f"{system}\n\n{rest[first][1]}")
            conversation = tuple(rest)
        return as_turns(conversation)

    def check_room(self, lessons: Sequence[Lesson], room: int) -> None:
        """Finds out before training whether the model can read every row to its end.

        Args:
            lessons: Rows.
            room: Tokens that must be free after a prompt alone.

        Raises:
            BadInput: Where one is too long, with its line's number.
        """
        if self.places is None:
            return
        for lesson in lessons:
            answers = [*lesson.answers.values()]
            told = [self._tokens(lesson.prompt + answer, ask=False) for answer in answers]
            longest = max(told, default=0) or self._tokens(lesson.prompt, ask=True) + room
            if longest > self.places:
                raise BadInput(
                    f"line {lesson.number} takes {longest} tokens with its answer; the model has "
                    f"room for {self.places}"
                )

    def _tokens(self, conversation: Conversation, *, ask: bool) -> int:
        text = self.tokenizer.apply_chat_template(
            self.turns(conversation), add_generation_prompt=ask, tokenize=False
        )
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def export(self, checkpoint: Path, out: Path, *, dtype: Package) -> None:
        """Writes the tuned model with its tokenizer, whole or not at all.

        Adapters are merged into the base's weights. The folder loads like the base's: in the
        `transformers` writer, and in servers. Draws are switched on in generation_config.json,
        since servers ignore temperature and seed otherwise.

        Args:
            checkpoint: What training saved.
            out: Folder to write; replaced where it is there.
            dtype: Of the weights.
        """
        if (checkpoint / "adapter_config.json").is_file():
            adapted = require("peft").PeftModel.from_pretrained(self.model(dtype), str(checkpoint))
            model = adapted.merge_and_unload()
        else:
            model = _loaded(checkpoint, dtype)
        part = out.with_name(f"{out.name}.part")
        rmtree(part, ignore_errors=True)
        model.generation_config = self._drawing()
        model.save_pretrained(str(part))
        self.tokenizer.save_pretrained(str(part))
        rmtree(out, ignore_errors=True)
        part.rename(out)

    def _drawing(self) -> Package:
        """The base's generation_config with draws on, and an end."""
        kind = require("transformers").GenerationConfig
        known = (self.path / "generation_config.json").is_file()
        config = kind.from_pretrained(str(self.path)) if known else kind()
        config.do_sample = True
        if config.eos_token_id is None:
            config.eos_token_id = self.tokenizer.eos_token_id
        if config.pad_token_id is None:
            config.pad_token_id = self.tokenizer.pad_token_id
        return config


def as_turns(conversation: Conversation) -> list[dict[str, str]]:
    """The conversation in TRL's form, as it is."""
    return [{"role": role, "content": text} for role, text in conversation]


def _loaded(path: Path, dtype: Package) -> Package:
    kind = require("transformers").AutoModelForCausalLM
    try:
        return kind.from_pretrained(str(path), local_files_only=True, dtype=dtype)
    except Exception as error:  # of files, weights, configurations: no common base
        raise BadInput(f"can't load the model in {path}: {_said(error)}") from error


def _start(tokenizer: Package) -> str:
    """What begins a text for the model: a token where its tokenizer sets one, else nothing."""
    first = tokenizer("a")["input_ids"][:1]
    begins = tokenizer.bos_token is not None and first == [tokenizer.bos_token_id]
    return "{{ bos_token }}" if begins else ""


def _folds_system(tokenizer: Package) -> bool:
    turns = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    try:
        tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    except TemplateError:
        return True
    return False


def _said(error: Exception) -> str:
    """The first words of a package's error."""
    return " ".join(str(error).split())[:200]
