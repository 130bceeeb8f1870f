"""A language model made by hand, for tests: real files, real sampling, no training.

Its next token depends on the last one alone: the embedding is one-hot, attention and layers add
nothing, and the head holds the log-probabilities of what follows. Its chat template ends a prompt
with a token that names the channel asked for, and whether the model is asked again.
"""

import json
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from hookline.channels import CHANNELS

WORDS = (
    *("Room for the small things", "Ready when you are", "Made for the way home", "A calm start"),
    *("Pack it and go", "Your day in good order", "Little things, well kept", "Set out easy"),
)
CALLS = ("Shop now", "Take a look")
UNKNOWN, END = "[UNK]", "[END]"
LONGEST = 8_192


def make_model(folder: Path, *, wrong: float = 0.0, wrong_again: float = 0.0) -> Path:
    """The folder, with a model in it that writes one draft of the channel asked for.

    Args:
        folder: Is made.
        wrong: Probability that a first answer is no JSON.
        wrong_again: The same for a second one.
    """
    follows = _chain(wrong, wrong_again)
    vocabulary = list(
        dict.fromkeys([UNKNOWN, END, *follows, *(t for f in follows.values() for t in f)])
    )
    _save_tokenizer(folder, vocabulary)
    _save_network(folder, vocabulary, follows)
    return folder


def _chain(wrong: float, wrong_again: float) -> dict[str, dict[str, float]]:
    """Token → next token → probability. Spaces in JSON, where they mean nothing, tell states."""
    follows: dict[str, dict[str, float]] = {"Sorry, no": {END: 1.0}}
    for place, (channel_id, channel) in enumerate(CHANNELS.items()):
        names = [spot.name for spot in channel.fields]
        gap = " " * (place + 1)
        opens = [f'{gap}"{names[0]}": "', *(f'",{gap}"{name}": "' for name in names[1:])]
        start, close = f'{{"drafts":{gap}[{{', f'"{gap}}}]}}'
        for mark, risk in (("ask", wrong), ("again", wrong_again)):
            follows[f"<{mark}:{channel_id}>"] = {start: 1 - risk, "Sorry, no": risk}
        follows[start] = {opens[0]: 1.0}
        follows[close] = {END: 1.0}
        for number, (spot, token) in enumerate(zip(channel.fields, opens, strict=True)):
            after = opens[number + 1] if number + 1 < len(opens) else close
            texts = CALLS if spot.role == "cta" else WORDS
            own = [f"{text}{gap}{' ' * 20 * number}" for text in texts]
            follows[token] = dict.fromkeys(own, 1 / len(own))
            follows |= {text: {after: 1.0} for text in own}
    return follows


def _template() -> str:
    """Jinja: roles and texts, then the token that says what is asked for."""
    marks = "".join(
        f"""{{% if 'for the channel "{channel.name}"' in asked.text %}}"""
        f"""<{{{{ 'again' if messages | length > 2 else 'ask' }}}}:{channel_id}>{{% endif %}}"""
        for channel_id, channel in CHANNELS.items()
    )
    return (
        "{% set asked = namespace(text='') %}"
        "{% for turn in messages %}{{ turn['role'] }}: {{ turn['content'] }}\n"
        "{% if turn['role'] == 'user' and not asked.text %}"
        "{% set asked.text = turn['content'] %}{% endif %}{% endfor %}" + marks
    )


def _save_tokenizer(folder: Path, vocabulary: list[str]) -> None:
    tokenizers, transformers = import_module("tokenizers"), import_module("transformers")
    words = {word: number for number, word in enumerate(vocabulary)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token=UNKNOWN))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.decoder = tokenizers.decoders.Fuse()
    marks = [word for word in vocabulary if word.startswith("<")]
    made.add_tokens([tokenizers.AddedToken(mark, normalized=False) for mark in marks])
    tokenizer: Any = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token=UNKNOWN, eos_token=END
    )
    tokenizer.chat_template = _template()
    tokenizer.save_pretrained(str(folder))


def _save_network(
    folder: Path, vocabulary: list[str], follows: Mapping[str, Mapping[str, float]]
) -> None:
    torch, transformers = import_module("torch"), import_module("transformers")
    size = len(vocabulary) + len(vocabulary) % 2
    config: Any = transformers.LlamaConfig(
        vocab_size=size,
        hidden_size=size,
        intermediate_size=2,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=LONGEST,
        eos_token_id=vocabulary.index(END),
        bos_token_id=None,
        pad_token_id=None,
        tie_word_embeddings=False,
    )
    model: Any = transformers.LlamaForCausalLM(config)
    places = {word: number for number, word in enumerate(vocabulary)}
    head = torch.full((size, size), -50.0)
    head[places[END]] = 0.0
    for word, after in follows.items():
        head[places[END], places[word]] = -50.0
        for text, share in after.items():
            head[places[text], places[word]] = math.log(max(share, 1e-9))
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        model.model.norm.weight.fill_(size**-0.5)  # what RMS norm makes of a one-hot vector
        model.lm_head.weight.copy_(head)
    model.save_pretrained(str(folder))
    (folder / "generation_config.json").write_text(
        json.dumps({"do_sample": True, "eos_token_id": places[END]})
    )
