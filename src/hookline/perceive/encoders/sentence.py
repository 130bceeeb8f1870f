"""A text → the vector of any sentence-transformers model, by its name or folder.

Needs sentence-transformers, which `pip install 'hookline[sentence]'` brings. A name that is no
folder is downloaded from its hub once, by that library. It runs on the processor and one text at a
time: in a batch, what a text becomes would depend, in its last digits, on the texts beside it.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from hookline.errors import BadInput
from hookline.perceive.encoders.base import Encoder, Floats, fingerprint, unit
from hookline.perceive.encoders.packages import check_installed, in_one_line, require
from hookline.perceive.encoders.tensors import weights

Model = Any
"""A `SentenceTransformer`, whose package may not be installed where Hookline is checked."""


class SentenceEncoder(Encoder):
    """Reads texts with a sentence-transformers model.

    Args:
        name: What it is called in the settings.
        model: Of the package, on the processor.
    """

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self._model = model.eval()
        self.version = fingerprint(
            weights(model),
            sorted(model.tokenizer.get_vocab().items()),
            str(model.max_seq_length),
            str((model.prompts, model.default_prompt_name)),
            [str((type(part).__name__, part.get_config_dict())) for part in model],
        )
        self.width = self._run([""]).shape[1]

    @classmethod
    def check(cls, source: str) -> None:
        """Finds out, without loading anything, whether `open` stands a chance.

        Raises:
            BadInput: Where no source is named, or sentence-transformers is missing.
        """
        if not source:
            raise BadInput("name a model or a folder: sentence:NAME_OR_FOLDER")
        check_installed("sentence_transformers", "sentence")

    @classmethod
    def open(cls, source: str) -> Self:
        """The encoder of a model.

        Args:
            source: Its name on the hub, or a folder.

        Raises:
            BadInput: Where there is none, or sentence-transformers is missing.
        """
        cls.check(source)
        package = require("sentence_transformers", "sentence")
        try:
            return cls(f"sentence:{source}", package.SentenceTransformer(source, device="cpu"))
        except Exception as error:  # of the hub, of files, of configurations: no common base
            raise BadInput(
                f"can't load the sentence-transformers model {source}: {in_one_line(error)}"
            ) from error

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector for each text, shape (texts, width), of length 1."""
        return unit(self._run(texts)) if texts else np.empty((0, self.width), dtype=np.float32)

    def _run(self, texts: Sequence[str]) -> Floats:
        rows = self._model.encode(
            list(texts), batch_size=1, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(rows, dtype=np.float32)
