"""Texts and pictures → vectors in one space, by any CLIP model, by its name or folder.

A picture lies near the words that describe it. Needs torch, transformers and Pillow, which
`pip install 'hookline[clip]'` brings. A name that is no folder is downloaded from its hub once, by
transformers. It runs on the processor, and one text or picture at a time, as `sentence` does.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from hookline.errors import BadInput
from hookline.perceive.encoders.base import (
    Encoder,
    Floats,
    ImageEncoder,
    fingerprint,
    unit,
)
from hookline.perceive.encoders.packages import check_installed, in_one_line, require
from hookline.perceive.encoders.pictures import Image
from hookline.perceive.encoders.tensors import weights

Part = Any
"""Of transformers, which may not be installed where Hookline is checked."""


class ClipEncoder(Encoder, ImageEncoder):
    """Reads texts and looks at pictures with a CLIP model.

    Args:
        name: What it is called in the settings.
        model: Of transformers, on the processor; gives features of texts and of images.
        tokenizer: Cuts its texts.
        processor: Scales and crops its pictures.
    """

    def __init__(self, name: str, *, model: Part, tokenizer: Part, processor: Part) -> None:
        self.name = name
        self._torch = require("torch", "clip")
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._processor = processor
        self._longest = int(model.config.text_config.max_position_embeddings)
        self.version = fingerprint(
            weights(model),
            sorted(tokenizer.get_vocab().items()),
            type(processor).__name__,
            sorted((key, str(value)) for key, value in processor.to_dict().items()),
        )
        self.width = self._read("").shape[1]

    @classmethod
    def check(cls, source: str) -> None:
        """Finds out, without loading anything, whether `open` stands a chance.

        Raises:
            BadInput: Where no source is named, or a package is missing.
        """
        if not source:
            raise BadInput("name a model or a folder: clip:NAME_OR_FOLDER")
        for package in ("torch", "PIL", "transformers"):
            check_installed(package, "clip")

    @classmethod
    def open(cls, source: str) -> Self:
        """The encoder of a model.

        Args:
            source: Its name on the hub, or a folder.

        Raises:
            BadInput: Where there is none, it is no CLIP model, or a package is missing.
        """
        cls.check(source)
        require("PIL.Image", "clip")
        package = require("transformers", "clip")
        try:
            return cls(
                f"clip:{source}",
                model=package.AutoModel.from_pretrained(source),
                tokenizer=package.AutoTokenizer.from_pretrained(source),
                processor=package.AutoImageProcessor.from_pretrained(source),
            )
        except Exception as error:  # of the hub, of files, of configurations: no common base
            raise BadInput(f"can't load the CLIP model {source}: {in_one_line(error)}") from error

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each text, shape (texts, width), of length 1."""
        none = np.empty((0, self.width), dtype=np.float32)
        return unit(np.concatenate([none, *(self._read(text) for text in texts)]))

    def describe(self, image: Image) -> Floats:
        """The vector of one RGB image, of length 1, shape (width,)."""
        pixels = self._processor(images=image, return_tensors="pt")["pixel_values"]
        with self._torch.inference_mode():
            found = self._model.get_image_features(pixel_values=pixels).pooler_output
        return unit(found.float().numpy())[0]

    def _read(self, text: str) -> Floats:
        tokens = self._tokenizer(
            [text], truncation=True, max_length=self._longest, return_tensors="pt"
        )
        with self._torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
        return found.pooler_output.float().numpy()
