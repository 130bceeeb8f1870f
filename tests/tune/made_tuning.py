"""A very small model to tune, and rows to tune it with, for tests."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ASKED = "Write a line for the canvas tote bag."
SYSTEM = "You write short lines."
GOOD, BAD = "Room for the small things", "Bag bag bag"
TEMPLATE = (
    "{{ bos_token }}{% for turn in messages %}[{{ turn['role'] }}] {{ turn['content'] }}"
    "{% if turn['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


def make_base(folder: Path, *, template: str | None = TEMPLATE, places: int = 256) -> Path:
    """The folder, with a Llama of some thousand weights in it, drawn from a fixed seed."""
    _save_tokenizer(folder, template)
    torch, transformers = import_module("torch"), import_module("transformers")
    config: Any = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=places,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=False,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        transformers.LlamaForCausalLM(config).save_pretrained(str(folder))
    return folder


def _save_tokenizer(folder: Path, template: str | None) -> None:
    tokenizers, transformers = import_module("tokenizers"), import_module("transformers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=None))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([ASKED, SYSTEM, GOOD, BAD], trainer)
    tokenizer: Any = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    tokenizer.chat_template = template
    tokenizer.save_pretrained(str(folder))


def turns(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in said]


def row(weight: float = 1.0, *, about: str = ASKED, **answers: str | bool) -> dict[str, object]:
    """A row as `hookline tune rows` writes it."""
    said = {
        name: turns(("assistant", text)) if isinstance(text, str) else text
        for name, text in answers.items()
    }
    ours = {"stratum": "t/all/1", "test_id": "t", "product_id": "bag", "copy_ids": ["a"]}
    return {"prompt": turns(("system", SYSTEM), ("user", about)), **said, "weight": weight, **ours}


ROWS: Mapping[str, Sequence[dict[str, object]]] = {
    "sft": [row(completion=GOOD), row(0.5, completion="Pack it and go")],
    "dpo": [row(chosen=GOOD, rejected=BAD), row(0.9, chosen="Pack it and go", rejected=BAD)],
    "kto": [
        row(completion=GOOD, label=True),
        row(completion=BAD, label=False),
        row(0.5, completion="Pack it and go", label=True),
        row(0.5, completion="Bag", label=False),
    ],
    "grpo": [row(completion=GOOD), row(about="Write a line for the blue cap.", completion=GOOD)],
}


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    return path
