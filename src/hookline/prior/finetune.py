"""Past tests and a small BERT → a BERT that tells which of several lines is clicked more.

The mean vector of a text's tokens goes through one linear layer to a score. Centred within the
test, it is fitted to the `lessons`. The weights that come out are a running average over the later
steps, and `average` joins those of several runs. Training goes on from its last checkpoint, and
comes to the same weights as if it had never stopped: order and dropout follow from seed and step.
Needs torch and transformers, which `pip install 'hookline[train]'` brings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from hookline.errors import BadInput, Refused
from hookline.past import PastTests
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior.encoder import VOCABULARY
from hookline.prior.export import Bert, Weights, require
from hookline.prior.lessons import Lines, Rows, schedule

Torch = Any
"""The package: bound at run time, since Hookline is checked and run where it is not installed."""
Tensor = Any
Module = Any

CHECKPOINT: Final = "checkpoint.pt"
BF16_ABILITIES: Final = ("avx512_bf16", "amx_bf16", "bf16")
"""Names of processor features that multiply in bfloat16."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How to train. Same recipe, tests, base, threads and machine: same weights.

    Attributes:
        seed: Of the order of tests, the first head and dropout.
        epochs: Times each test is seen, above 0.
        batch: Lines of a batch, or a few more: tests are not cut.
        rate: Learning rate of the last layer.
        layer_decay: Factor on it for each layer further down.
        head_factor: Factor on it for the head.
        weight_decay: Of AdamW, for matrices.
        warm_up: Share of the steps in which rates rise; then they fall to 2 %.
        clip: Greatest norm of a gradient.
        dropout: Share of values dropped.
        residual_variance: Variance of the log ratio that text does not tell.
        average_from: Share of the steps after which averaging begins.
        average_rate: Weight of each further step in the average.
        max_length: Most tokens of a text.
    """

    seed: int = 0
    epochs: float = 2.0
    batch: int = 96
    rate: float = 2e-4
    layer_decay: float = 0.9
    head_factor: float = 5.0
    weight_decay: float = 0.01
    warm_up: float = 0.08
    clip: float = 1.0
    dropout: float = 0.1
    residual_variance: float = 0.034
    average_from: float = 0.3
    average_rate: float = 0.004
    max_length: int = 48

    def __post_init__(self) -> None:
        """Refuses what can't be trained with."""
        if not (self.epochs > 0 and self.batch > 0 and self.residual_variance > 0):
            raise BadInput("epochs, batch and residual_variance must lie above 0")
        if self.seed < 0:
            raise BadInput(f"a seed is 0 or more, not {self.seed}")
        if not (0 <= self.average_from < 1 and 0 < self.warm_up <= 1 and 0 <= self.dropout < 1):
            raise BadInput("average_from, warm_up and dropout are shares, from 0 to 1")


def finetune(
    tests: PastTests,
    base: Path,
    out: Path,
    *,
    recipe: Recipe | None = None,
    device: str = "cpu",
    save_every: int = 200,
    progress: Callable[[int, int, float], None] | None = None,
) -> Weights:
    """The weights of the base, tuned on these tests.

    Args:
        tests: To learn from; those without a click teach nothing and are left out.
        base: Hugging Face folder of an uncased BERT with its vocab.txt.
        out: Folder for the checkpoint. Where one lies there, training goes on from it.
        recipe: How to train.
        device: Where, in torch's words: "cpu", "cuda".
        save_every: Steps between checkpoints; one is written after the last step, too.
        progress: Told the steps done, all steps, and the loss, after each step.

    Returns:
        The averaged weights, for `export`.

    Raises:
        BadInput: Where torch or transformers is missing, the base is none, or no test has a click.
        Refused: Where the checkpoint is of another training.
    """
    recipe = recipe or Recipe()
    torch, bert = require("torch"), Bert.of(base)
    if recipe.max_length > bert.positions:
        raise BadInput(f"{base} reads {bert.positions} tokens at most, not {recipe.max_length}")
    reader = WordPiece.load(base / VOCABULARY, max_length=recipe.max_length)
    lines = Lines.of(tests, reader, recipe.residual_variance)
    batches = schedule(lines, epochs=recipe.epochs, batch=recipe.batch, seed=recipe.seed)
    with torch.random.fork_rng(devices=[] if device == "cpu" else None):
        trainer = _Trainer(torch, base, bert, recipe, len(batches), device)
        trainer.resume(out / CHECKPOINT, lines.fingerprint)
        for step in range(trainer.done, len(batches)):
            loss = trainer.step(lines, batches[step])
            if trainer.done % save_every == 0 or trainer.done == len(batches):
                trainer.save(out / CHECKPOINT, lines.fingerprint)
            if progress is not None:
                progress(trainer.done, len(batches), loss)
        return trainer.weights()


def average(runs: Sequence[Weights]) -> Weights:
    """The mean of the weights of several runs from the same base.

    Raises:
        BadInput: Where there are none, or they are not of one build.
    """
    shapes = [{name: array.shape for name, array in run.items()} for run in runs]
    if not shapes or any(shape != shapes[0] for shape in shapes):
        raise BadInput("only one or more runs from the same base can be averaged")
    return {
        name: np.asarray(np.mean([run[name] for run in runs], axis=0), dtype=np.float32)
        for name in runs[0]
    }


class _Trainer:
    """A model on its way; `torch` is the package."""

    def __init__(
        self, torch: Torch, base: Path, bert: Bert, recipe: Recipe, steps: int, device: str
    ) -> None:
        self._torch = torch
        self._recipe = recipe
        self._steps = steps
        self._device = device
        self._half = _multiplies_in_bf16(torch, device)
        self.done = 0
        torch.manual_seed(recipe.seed)
        self._model = _model(torch, base, bert, recipe.dropout).to(device).train()
        self._optimizer = torch.optim.AdamW(
            list(self._groups(bert.layers)), betas=(0.9, 0.98), fused=True
        )
        self._average: dict[str, Tensor] | None = None
        self._start = _digest(self._model)

    def step(self, lines: Lines, batch: Sequence[Rows]) -> float:
        """Learns one batch and gives its loss: the mean squared error in standard deviations."""
        torch, recipe = self._torch, self._recipe
        torch.manual_seed(recipe.seed * 1_000_003 + self.done)  # of dropout: no state to save
        for group in self._optimizer.param_groups:
            group["lr"] = group["full"] * self._pace()
        rows = np.concatenate(batch)
        weights, targets = (
            torch.tensor(values[rows], dtype=torch.float32, device=self._device)
            for values in (lines.weights, lines.targets)
        )
        test = np.repeat(np.arange(len(batch)), [own.size for own in batch])
        numbers: list[int] = rows.tolist()
        scores = self._scores([lines.ids[row] for row in numbers])
        centred = self._centred(scores, weights, torch.tensor(test, device=self._device))
        loss = (weights * (centred - targets) ** 2).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), recipe.clip)
        self._optimizer.step()
        self.done += 1
        self._take_average()
        return loss.item()

    def save(self, path: Path, fingerprint: str) -> None:
        """Writes all that `resume` needs, in one go."""
        state = {
            "done": self.done,
            "of": self._identity(fingerprint),
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        self._torch.save(state, part)
        part.replace(path)

    def resume(self, path: Path, fingerprint: str) -> None:
        """Goes on from a checkpoint, if there is one.

        Raises:
            Refused: Where it is of another training.
        """
        if not path.exists():
            return
        state = self._torch.load(path, map_location=self._device, weights_only=True)
        if state["of"] != self._identity(fingerprint):
            raise Refused(
                f"{path} is of another recipe, base or tests; delete it or train elsewhere"
            )
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._average = state["average"]
        self.done = state["done"]

    def weights(self) -> Weights:
        """The averaged weights by the names that `export` knows."""
        found = self._model.state_dict() if self._average is None else self._average
        return {
            name.removeprefix("bert."): tensor.detach().float().cpu().numpy().copy()
            for name, tensor in found.items()
        }

    def _identity(self, fingerprint: str) -> dict[str, Any]:
        return {"recipe": asdict(self._recipe), "lines": fingerprint, "start": self._start}

    def _groups(self, layers: int) -> Iterator[dict[str, Any]]:
        """The parameters, each with its full learning rate."""
        recipe = self._recipe
        for name, parameter in self._model.named_parameters():
            head, depth = name.startswith("head."), _depth(name, layers)
            rate = recipe.rate * recipe.layer_decay ** (layers - depth)
            yield {
                "params": [parameter],
                "full": rate * (recipe.head_factor if head else 1),
                "weight_decay": recipe.weight_decay if parameter.ndim > 1 else 0.0,
            }

    def _pace(self) -> float:
        """Factor on the learning rates at this step."""
        rise = (self.done + 1) / (self._recipe.warm_up * self._steps)
        return min(1.0, rise) * max(0.02, 1 - self.done / self._steps)

    def _scores(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """The score of each text, a tensor of shape (texts,)."""
        torch = self._torch
        ids = np.zeros((len(texts), max(map(len, texts))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        known = torch.tensor(mask, device=self._device)
        kind = torch.device(self._device).type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=self._half):
            found = self._model["bert"](
                input_ids=torch.tensor(ids, device=self._device), attention_mask=known
            )
        tokens = found.last_hidden_state.float()
        part = known.unsqueeze(-1)
        return self._model["head"]((tokens * part).sum(1) / part.sum(1)).squeeze(-1)

    def _centred(self, scores: Tensor, weights: Tensor, test: Tensor) -> Tensor:
        """The scores less the weighted mean of their test."""
        empty = self._torch.zeros(int(test[-1]) + 1, device=self._device)
        mean = empty.index_add(0, test, weights * scores) / empty.index_add(0, test, weights)
        return scores - mean[test]

    def _take_average(self) -> None:
        if self.done <= self._recipe.average_from * self._steps:
            return
        current = self._model.state_dict()
        if self._average is None:
            self._average = {name: value.clone() for name, value in current.items()}
        for name, value in self._average.items():
            value.lerp_(current[name], self._recipe.average_rate)


def _model(torch: Torch, base: Path, bert: Bert, dropout: float) -> Module:
    """The base with a fresh head.

    Raises:
        BadInput: Where weights of the base are missing.
    """
    transformers = require("transformers")
    transformers.logging.set_verbosity_error()  # it reports the pooler, which is left out
    transformers.logging.disable_progress_bar()
    try:
        encoder, loaded = transformers.BertModel.from_pretrained(
            str(base),
            add_pooling_layer=False,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read the weights of {base}: {error}") from error
    if loaded["missing_keys"]:
        raise BadInput(f"{base} lacks weights: {', '.join(sorted(loaded['missing_keys'])[:3])} …")
    head = torch.nn.Linear(bert.width, 1)
    torch.nn.init.normal_(head.weight, std=0.02)
    torch.nn.init.zeros_(head.bias)
    return torch.nn.ModuleDict({"bert": encoder, "head": head})


def _digest(model: Module) -> str:
    """Tells these weights from all others."""
    digest = blake2b(digest_size=16)
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        digest.update(value.cpu().numpy())
    return digest.hexdigest()


def _depth(name: str, layers: int) -> int:
    """Layer of a parameter, from 0 for the embeddings to `layers` for the last one and the head."""
    if name.startswith("head."):
        return layers
    _, found, rest = name.partition("encoder.layer.")
    return int(rest.split(".")[0]) + 1 if found else 0


def _multiplies_in_bf16(torch: Torch, device: str) -> bool:
    """Whether the device is faster in bfloat16."""
    if device == "cpu":
        able = torch.cpu.get_capabilities()
        return any(able.get(name, False) for name in BF16_ABILITIES)
    return device.startswith("cuda") and torch.cuda.is_bf16_supported()
