"""Lines → a house model, in torch; goes on from its last checkpoint.

The same network as `writers.house.network`, whole texts at a time; AdamW with a rate that rises,
stays and falls. Training may stop at any step and go on later: what is learned in which order
follows from seed and step, so that it comes to the same weights as if it had never stopped. Needs
torch, which `pip install 'hookline[train]'` brings. On a processor one thread does three times as
much for its time as one of two.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from hookline.errors import BadInput, Refused
from hookline.house.batches import Line, batches, stacked
from hookline.prior.export import require
from hookline.prior.finetune import BF16_ABILITIES
from hookline.writers.house.network import ROOMS, Floats

Torch = Any
"""The package: bound at run time, since Hookline is checked and run where it is not installed."""
Tensor = Any

CHECKPOINT: Final = "checkpoint.pt"
Weights = dict[str, Floats]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How big a model, and how to train it.

    Attributes:
        width: Size of a piece's vector.
        layers: Number of layers.
        heads: Attention heads of each layer.
        places: Most pieces of one text.
        passes: Times each line is seen, above 0.
        batch: Pieces of a batch.
        rate: Highest learning rate.
        warm_up: Share of the steps in which the rate rises.
        cool_down: Share of the steps, at the end, in which it falls to 5 %.
        weight_decay: Of AdamW, for matrices.
        forget: Share of texts whose conditions are not told, so that the model writes without too.
        seed: Of the first weights, the the order of lines and what they are not told.
    """

    width: int = 256
    layers: int = 6
    heads: int = 4
    places: int = 112
    passes: float = 4.0
    batch: int = 1024
    rate: float = 2e-3
    warm_up: float = 0.03
    cool_down: float = 0.5
    weight_decay: float = 0.05
    forget: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what can't be trained with."""
        if self.width % self.heads:
            raise BadInput(f"width {self.width} must be a multiple of heads {self.heads}")
        if min(self.layers, self.places, self.batch, self.passes) <= 0:
            raise BadInput("layers, places, batch and passes must lie above 0")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many pieces and conditions a model knows."""

    pieces: int
    conditions: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is.

    Attributes:
        share: Share of the training that is done, 0 to 1.
        steps: Steps done.
        seen: Pieces learned from.
        loss: Nats a piece, of the latest batch.
    """

    share: float
    steps: int
    seen: int
    loss: float


def train(
    lines: Sequence[Line],
    sizes: Sizes,
    out: Path,
    *,
    recipe: Recipe,
    device: str = "cpu",
    save_every: int = 100,
    go_on: Callable[[Progress], bool] = lambda _: True,
) -> tuple[Weights, Progress]:
    """The weights of a model trained on these lines, and how far it came.

    Args:
        lines: To learn from.
        sizes: How many pieces and conditions there are.
        out: Folder for the checkpoint. Where one lies there, training goes on from it.
        recipe: How to train. Of a training that goes on, only the passes may differ.
        device: Where, in torch's words: "cpu", "cuda".
        save_every: Steps between checkpoints; one is written at the end, too.
        go_on: Told how far it is after each step; False stops training there, to go on later.

    Raises:
        BadInput: Where torch is missing.
        Refused: Where the checkpoint is of another recipe or other data.
    """
    trainer = _Trainer(require("torch"), recipe, sizes, device)
    trainer.resume(out / CHECKPOINT)
    done = Progress(trainer.share, trainer.steps, trainer.seen, math.nan)
    for share, batch in _schedule(lines, recipe, trainer.steps):
        trainer.share = share
        loss = trainer.learn(batch)
        done = Progress(share, trainer.steps, trainer.seen, loss)
        if trainer.steps % save_every == 0:
            trainer.save(out / CHECKPOINT)
        if not go_on(done):
            break
    trainer.save(out / CHECKPOINT)
    return trainer.weights(), done


def _schedule(
    lines: Sequence[Line], recipe: Recipe, skip: int
) -> Iterator[tuple[float, list[Line]]]:
    """Each batch from step `skip` on, and the share of the training that it ends."""
    step = 0
    for turn in range(math.ceil(recipe.passes)):
        rng = np.random.default_rng((recipe.seed, turn))
        made = list(batches(lines, pieces=recipe.batch, rng=rng))
        for at, batch in enumerate(made[: math.ceil((recipe.passes - turn) * len(made))]):
            step += 1
            if step > skip:
                yield min((turn + (at + 1) / len(made)) / recipe.passes, 1.0), batch


class _Trainer:
    """The model while it learns."""

    def __init__(self, torch: Torch, recipe: Recipe, sizes: Sizes, device: str) -> None:
        self.steps = self.seen = 0
        self.share = 0.0
        self._torch, self._recipe, self._device = torch, recipe, device
        self._real = torch.bfloat16 if has_bf16(device) else torch.float32
        torch.set_flush_denormal(True)  # moments of pieces seldom seen fade out
        generator = torch.Generator().manual_seed(recipe.seed)
        self._weights: dict[str, Tensor] = {
            name: _first(torch, name, shape, recipe, generator).to(device).requires_grad_()
            for name, shape in _shapes(recipe, sizes).items()
        }
        matrices = [w for name, w in self._weights.items() if "norm" not in name]
        gains = [w for name, w in self._weights.items() if "norm" in name]
        self._optimizer: Any = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": recipe.weight_decay},
                {"params": gains, "weight_decay": 0.0},
            ],
            lr=recipe.rate,
            betas=(0.9, 0.95),
            fused=True,
        )

    def learn(self, lines: Sequence[Line]) -> float:
        """The loss on the lines before one step on them, in nats a piece."""
        torch, recipe = self._torch, self._recipe
        batch = {name: torch.from_numpy(a).to(self._device) for name, a in stacked(lines).items()}
        luck = np.random.default_rng((recipe.seed, 1, self.steps)).random(len(lines))
        told = torch.from_numpy(luck >= recipe.forget).to(self._device, self._real)
        real = {name: weight.to(self._real) for name, weight in self._weights.items()}
        loss = _loss(torch, real, batch, told, recipe.heads)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights.values(), 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.rate * _pace(self.share, recipe)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.steps += 1
        self.seen += sum(len(line.rooms) for line in lines)
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Writes the checkpoint, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "recipe": asdict(self._recipe),
            "weights": {name: w.detach() for name, w in self._weights.items()},
            "optimizer": self._optimizer.state_dict(),
            "counts": (self.steps, self.seen, self.share),
        }
        self._torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def resume(self, path: Path) -> None:
        """Goes on from the checkpoint, where there is one."""
        if not path.exists():
            return
        state = self._torch.load(path, map_location=self._device, weights_only=True)
        same = {**state["recipe"], "passes": self._recipe.passes} == asdict(self._recipe)
        shapes = {name: tuple(w.shape) for name, w in state["weights"].items()}
        if not same or shapes != {name: tuple(w.shape) for name, w in self._weights.items()}:
            raise Refused(f"{path} is of another recipe or other data; train into another folder")
        with self._torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(state["weights"][name])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps, self.seen, self.share = state["counts"]

    def weights(self) -> Weights:
        """The weights as arrays."""
        return {name: w.detach().float().cpu().numpy() for name, w in self._weights.items()}


def _shapes(recipe: Recipe, sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Name → shape of every array of weights, inputs before outputs."""
    width = recipe.width
    shapes: dict[str, tuple[int, ...]] = {
        "pieces": (sizes.pieces, width),
        "places": (recipe.places, width),
        "rooms": (ROOMS, width),
        "conditions": (sizes.conditions, width),
        "norm": (width,),
    }
    for layer in range(recipe.layers):
        shapes |= {
            f"{layer}.attention_norm": (width,),
            f"{layer}.qkv": (width, 3 * width),
            f"{layer}.out": (width, width),
            f"{layer}.inner_norm": (width,),
            f"{layer}.up": (width, 4 * width),
            f"{layer}.down": (4 * width, width),
        }
    return shapes


def _first(
    torch: Torch, name: str, shape: tuple[int, ...], recipe: Recipe, generator: Tensor
) -> Tensor:
    """Weights to begin with: gains 1, what ends a layer small, others by the size of the input."""
    if "norm" in name:
        return torch.ones(shape)
    scale = 0.02 if "." not in name else shape[0] ** -0.5
    if name.endswith((".out", ".down")):
        scale /= math.sqrt(2 * recipe.layers)
    weights = torch.randn(shape, generator=generator) * scale
    if name == "conditions":
        weights[0] = 0  # and stays so: what is not asked for says nothing
    return weights


def logits(
    torch: Torch, real: Mapping[str, Tensor], batch: Mapping[str, Tensor], told: Tensor, heads: int
) -> Tensor:
    """How likely each piece is to come next, wherever one does, (places with a next, pieces).

    Args:
        torch: The package.
        real: The weights, in the type to reckon in.
        batch: What `stacked` gave.
        told: Whether each line's conditions are told, 0 or 1, (lines,).
        heads: Attention heads of each layer.
    """
    functional = torch.nn.functional
    lines, length = batch["pieces"].shape
    width = real["norm"].shape[0]
    fields = functional.embedding(batch["kinds"], real["conditions"], padding_idx=0).sum(1)
    text = functional.embedding(batch["conditions"], real["conditions"], padding_idx=0).sum(1)
    x = (
        functional.embedding(batch["pieces"], real["pieces"])
        + real["places"][:length]
        + functional.embedding(batch["rooms"], real["rooms"])
        + functional.embedding(batch["fields"], fields)
        + (text * told[:, None])[:, None]
    )
    for layer in range(sum(name.endswith(".qkv") for name in real)):
        seen = _normed(torch, x, real[f"{layer}.attention_norm"])
        q, k, v = (
            (seen @ part).view(lines, length, heads, -1).transpose(1, 2)
            for part in real[f"{layer}.qkv"].split(width, 1)
        )
        taken = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + taken.transpose(1, 2).reshape(lines, length, width) @ real[f"{layer}.out"]
        inner = functional.relu(
            _normed(torch, x, real[f"{layer}.inner_norm"]) @ real[f"{layer}.up"]
        )
        x = x + (inner * inner) @ real[f"{layer}.down"]
    return _normed(torch, x[batch["next"] >= 0], real["norm"]) @ real["pieces"].T


def _loss(
    torch: Torch, real: Mapping[str, Tensor], batch: Mapping[str, Tensor], told: Tensor, heads: int
) -> Tensor:
    """Nats a piece that the weights are surprised by; takes what `logits` takes."""
    likely = logits(torch, real, batch, told, heads).float()
    return torch.nn.functional.cross_entropy(likely, batch["next"][batch["next"] >= 0])


def _normed(torch: Torch, x: Tensor, gain: Tensor) -> Tensor:
    """The vectors with a mean square of 1, times the gain."""
    return torch.nn.functional.rms_norm(x, gain.shape, gain, eps=1e-6)


def _pace(share: float, recipe: Recipe) -> float:
    """Factor on the learning rate after a share of the time."""
    rise = min(share / recipe.warm_up, 1.0)
    left = (1 - share) / recipe.cool_down
    return rise * max(min(left, 1.0), 0.05)


def has_bf16(device: str) -> bool:
    """Whether the machine multiplies in bfloat16 by itself."""
    if device != "cpu":
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(ability in flags.split() for ability in BF16_ABILITIES)
