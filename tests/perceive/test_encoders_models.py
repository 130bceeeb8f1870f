"""Models of other packages, on tiny ones made here: nothing is downloaded."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hookline.errors import BadInput
from hookline.perceive.encoders import encoder_named, image_encoder_named
from hookline.perceive.encoders.clip import ClipEncoder
from hookline.perceive.encoders.sentence import SentenceEncoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "warm", "socks", "cold", "tea", "!"]


def package(name: str, extra: str) -> Any:
    return pytest.importorskip(
        name, reason=f"{name} is not installed: pip install 'hookline[{extra}]'"
    )


def tokenizer(folder: Path) -> None:
    """Writes one that knows nine words."""
    tokenizers = package("tokenizers", "sentence")
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers = package("transformers", "sentence")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", sep_token="[SEP]"
    ).save_pretrained(folder)


@pytest.fixture
def sentence(tmp_path: Path) -> Path:
    """A BERT of one layer of width 16; without a word on pooling its mean is taken."""
    package("sentence_transformers", "sentence")
    transformers, torch = package("transformers", "sentence"), package("torch", "sentence")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=20,
        max_position_embeddings=12,
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    return tmp_path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A CLIP folder: one layer each for texts and pictures of 32 pixels."""
    package("PIL.Image", "clip")
    transformers, torch = package("transformers", "clip"), package("torch", "clip")
    torch.manual_seed(0)
    small = {
        "hidden_size": 16,
        "intermediate_size": 20,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    config = transformers.CLIPConfig(
        text_config={
            **small,
            "vocab_size": len(WORDS),
            "max_position_embeddings": 8,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    transformers.CLIPModel(config).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    scaled = {"size": {"shortest_edge": 32}, "crop_size": 32}
    transformers.CLIPImageProcessor(**scaled).save_pretrained(tmp_path)
    return tmp_path


TEXTS = ["warm socks", "cold tea !", "", "warm warm warm tea", "unheard of"]


def check_encoder(name: str, width: int) -> None:
    encoder = encoder_named(name)
    assert (encoder.name, encoder.width) == (name, width)
    together = encoder.encoder.encode(TEXTS)
    assert together.shape == (5, width)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx([1] * 5, abs=1e-5)
    for text, row in zip(TEXTS, together, strict=True):
        assert np.array_equal(encoder.encoder.encode([text])[0], row)
    assert not np.array_equal(together[0], together[1])
    assert encoder.encoder.encode([]).shape == (0, width)
    assert encoder.encode(["warm " * 500]).shape == (1, width)
    assert encoder_named(name).version == encoder.version


def test_sentence_reads_with_any_folder(sentence: Path) -> None:
    check_encoder(f"sentence:{sentence}", 16)


def test_sentence_version_follows_the_weights(sentence: Path) -> None:
    torch = package("torch", "sentence")
    model = package("sentence_transformers", "sentence").SentenceTransformer(
        str(sentence), device="cpu"
    )
    before = SentenceEncoder("sentence:x", model).version
    with torch.no_grad():
        next(model.parameters())[0, 0] += 0.5
    after = SentenceEncoder("sentence:x", model).version
    model.to(torch.bfloat16)
    assert len({before, after, SentenceEncoder("sentence:x", model).version}) == 3


def test_clip_reads_with_any_folder(clip: Path) -> None:
    check_encoder(f"clip:{clip}", 12)


def test_clip_looks_at_pictures_in_the_space_of_its_texts(clip: Path, tmp_path: Path) -> None:
    pillow = package("PIL.Image", "clip")
    encoder = image_encoder_named(f"clip:{clip}")
    for shape, colour in (((60, 40), "red"), ((20, 300), "blue")):
        pillow.new("RGB", shape, colour).save(tmp_path / f"{colour}.png")
    red, blue = (encoder.look(tmp_path / f"{colour}.png").vector for colour in ("red", "blue"))
    assert red is not None
    assert blue is not None
    assert red.shape == blue.shape == (encoder.width,)
    assert np.linalg.norm(red) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(red, blue)
    assert encoder.look(b"broken").reason
    assert encoder.version == encoder_named(f"clip:{clip}").version


def test_clip_version_follows_the_processor(clip: Path) -> None:
    before = ClipEncoder.open(str(clip)).version
    transformers = package("transformers", "clip")
    scaled = {"size": {"shortest_edge": 40}, "crop_size": 32}
    transformers.CLIPImageProcessor(**scaled).save_pretrained(clip)
    assert ClipEncoder.open(str(clip)).version != before


@pytest.mark.parametrize("kind", ["sentence", "clip"])
def test_models_that_are_not_there_are_one_line(kind: str, tmp_path: Path) -> None:
    package("sentence_transformers" if kind == "sentence" else "transformers", kind)
    with pytest.raises(BadInput, match=r"can't load the .* model .*none"):
        encoder_named(f"{kind}:{tmp_path / 'none'}")


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("sentence:any", "sentence_transformers", "sentence"),
        ("clip:any", "torch", "clip"),
        ("image", "PIL.Image", "image"),
    ],
)
def test_missing_packages_are_named_with_the_extra_that_brings_them(
    monkeypatch: pytest.MonkeyPatch, name: str, missing: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    named = image_encoder_named if extra == "image" else encoder_named
    with pytest.raises(BadInput, match=rf"pip install 'hookline\[{extra}\]'"):
        named(name)
