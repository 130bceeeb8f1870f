"""A house model while it is tuned, beside the base that it began from.

The forward pass is that of `house.train`, whole texts at a time, so what is tuned is what was
trained. Sums are made in an order that follows from the lines alone: on one thread the same lines
lead to the same weights, bit for bit, stopped in between or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np

from hookline.errors import Refused
from hookline.house.batches import Line, stacked
from hookline.house.export import export
from hookline.house.train import CHECKPOINT, Recipe, Weights, has_bf16, logits
from hookline.prior.export import require
from hookline.tune.house.reading import Reader
from hookline.writers.house.network import Build, Layer, Network

Torch = Any
"""The package: bound at run time, since Hookline is checked and run where it is not installed."""
Tensor = Any

_TABLES: Final = ("pieces", "places", "rooms", "conditions", "norm")


@dataclass(frozen=True, slots=True)
class Said:
    """How likely lines are, piece by piece; beyond a line's end zeros.

    Attributes:
        chosen: Log-likelihood of each piece, with its gradient, (lines, length).
        base: The same under the base, without a gradient, (lines, length).
        inside: Where there are pieces, (lines, length).
        pieces: How many pieces there are.
        entropy: Of the next piece, in nats, summed over the pieces.
        kl: Divergence of the next piece from the base's, in nats, summed over the pieces.
    """

    chosen: Tensor
    base: Tensor
    inside: Tensor
    pieces: int
    entropy: float
    kl: float


class HouseTuner:
    """The weights of a house model while they are tuned.

    Args:
        base: Where they begin; the model that ships, or any other.
        clip: Greatest norm of a gradient.
        device: Where, in torch's words: "cpu", "cuda".
        fine: Whether to reckon in 32 bits even where the machine is faster in 16, as the base was
            trained: in 16, a piece's likelihood comes out some 2 % off, by chance.

    Attributes:
        base: As given.
        reader: Makes lines of rows.
        steps: Steps done.
        seen: Pieces learned from.
        pace: Share of the highest rate that updates proved to bear.

    Raises:
        BadInput: Where torch is missing.
    """

    def __init__(
        self, base: Network, *, clip: float = 1.0, device: str = "cpu", fine: bool = False
    ) -> None:
        self._torch: Torch = require("torch")
        self.base, self.reader = base, Reader(base.build)
        self.steps = self.seen = 0
        self.pace = 1.0
        self._clip, self._device = clip, device
        coarse = has_bf16(device) and not fine
        self._real = self._torch.bfloat16 if coarse else self._torch.float32
        self._torch.set_flush_denormal(True)  # moments of pieces seldom seen fade out
        started = {name: self._torch.tensor(w, device=device) for name, w in arrays(base).items()}
        self._base = {name: weight.to(self._real, copy=True) for name, weight in started.items()}
        self._weights = {name: weight.requires_grad_() for name, weight in started.items()}
        # no weight decay: it would draw the weights away from the base
        self._optimizer: Any = self._torch.optim.AdamW(
            list(self._weights.values()), betas=(0.9, 0.95), weight_decay=0.0, fused=True
        )

    def said(
        self, lines: Sequence[Line], told: Sequence[bool] | None = None, *, compare: bool = True
    ) -> Said:
        """How likely the lines are, with the gradient, and how likely they were under the base.

        Args:
            lines: One or more.
            told: Whether each line's conditions are told; all are where None.
            compare: Whether the base is asked; if not, it counts as having said the same.
        """
        torch, batch = self._torch, self._batch(lines)
        factor = self._factor([True] * len(lines) if told is None else told)
        asked = batch["next"] >= 0
        likely = self._likely(self._tuned(), batch, factor)
        with torch.no_grad():
            before = self._likely(self._base, batch, factor) if compare else likely.detach()
            share = likely.exp()
            entropy, kl = -(share * likely).sum(), (share * (likely - before)).sum()
        return Said(
            chosen=self._placed(likely, batch["next"], asked),
            base=self._placed(before, batch["next"], asked),
            inside=asked,
            pieces=int(asked.sum()),
            entropy=float(entropy),
            kl=float(kl),
        )

    def chosen(self, lines: Sequence[Line], *, base: bool = False) -> Tensor:
        """Log-likelihood of each piece without its gradient, (lines, length), beyond ends zeros.

        Args:
            lines: One or more.
            base: Under the base rather than the tuned weights.
        """
        batch = self._batch(lines)
        with self._torch.no_grad():
            weights = self._base if base else self._tuned()
            likely = self._likely(weights, batch, self._factor([True] * len(lines)))
            return self._placed(likely, batch["next"], batch["next"] >= 0)

    def update(self, losses: Iterable[Tensor], rate: float) -> tuple[float, float]:
        """One update on the sum of the losses: that sum, and the norm of its gradient.

        Args:
            losses: Each reckoned when it is asked for, and let go before the next one.
            rate: Learning rate.

        Raises:
            Refused: Where the gradient is no number any more.
        """
        total = 0.0
        for loss in losses:
            loss.backward()
            total += float(loss.detach())
        clipped = self._torch.nn.utils.clip_grad_norm_(self._weights.values(), self._clip)
        norm = float(clipped)
        if not isfinite(norm):
            raise Refused("the gradient is no number any more; begin again with a lower rate")
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return total, norm

    def network(self) -> Network:
        """The model as it is now, not yet rounded to 8 bits; its own version is the base's."""
        weights = self.weights()
        layers = tuple(
            Layer(**{part.name: weights[f"{at}.{part.name}"] for part in fields(Layer)})
            for at in range(self.base.build.layers)
        )
        tables = {name: weights[name] for name in _TABLES}
        return Network(build=self.base.build, layers=layers, **tables)

    def export(self, folder: Path) -> Build:
        """Writes the folder that the house writer reads, and gives back what its card says."""
        build = self.base.build
        recipe = Recipe(
            width=build.width, layers=build.layers, heads=build.heads, places=build.places
        )
        return export(
            self.weights(),
            folder,
            recipe=recipe,
            pieces=build.pieces,
            conditions=build.conditions,
            words=build.words,
        )

    def weights(self) -> Weights:
        """The weights as arrays of their own."""
        return {name: w.detach().cpu().numpy().copy() for name, w in self._weights.items()}

    def save(self, folder: Path, of: str, memory: bytes = b"") -> None:
        """Writes the checkpoint, whole or not at all.

        Args:
            folder: Where; made where it does not exist.
            of: What the tuning is, so that no other one goes on from it.
            memory: What to keep beside the weights.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CHECKPOINT
        state = {
            "of": of,
            "weights": {name: w.detach() for name, w in self._weights.items()},
            "optimizer": self._optimizer.state_dict(),
            "counts": (self.steps, self.seen, self.pace),
            "memory": self._torch.tensor(list(memory), dtype=self._torch.uint8),
        }
        self._torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def resume(self, folder: Path, of: str) -> bytes | None:
        """What was kept beside the folder's checkpoint, which is gone on from; None without one.

        Raises:
            Refused: Where it is of another tuning.
        """
        path = folder / CHECKPOINT
        if not path.exists():
            return None
        state = self._torch.load(path, map_location=self._device, weights_only=True)
        if state.get("of") != of:
            raise Refused(
                f"{path} is of another tuning (base, lines or recipe); tune into another folder"
            )
        with self._torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(state["weights"][name])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps, self.seen, self.pace = state["counts"]
        return bytes(state["memory"].tolist())

    def _batch(self, lines: Sequence[Line]) -> dict[str, Tensor]:
        """The lines side by side."""
        made = stacked(lines)
        return {name: self._torch.from_numpy(a).to(self._device) for name, a in made.items()}

    def _factor(self, told: Sequence[bool]) -> Tensor:
        """1 where a line's conditions are told, else 0, (lines,)."""
        return self._torch.tensor(list(told), device=self._device).to(self._real)

    def _tuned(self) -> dict[str, Tensor]:
        return {name: weight.to(self._real) for name, weight in self._weights.items()}

    def _likely(
        self, weights: Mapping[str, Tensor], batch: Mapping[str, Tensor], told: Tensor
    ) -> Tensor:
        """Log-likelihood of every piece wherever one comes next, (places with a next, pieces)."""
        found = logits(self._torch, weights, batch, told, self.base.build.heads)
        return self._torch.log_softmax(found.float(), -1)

    def _placed(self, likely: Tensor, following: Tensor, asked: Tensor) -> Tensor:
        """The log-likelihood of what does come next, line by line."""
        chosen = likely.gather(1, following[asked][:, None])[:, 0]
        return self._torch.zeros_like(asked, dtype=chosen.dtype).masked_scatter(asked, chosen)


def arrays(network: Network) -> Weights:
    """Name → weights, as `house.train` names them."""
    named: Weights = {name: getattr(network, name) for name in _TABLES}
    for at, layer in enumerate(network.layers):
        named |= {f"{at}.{part.name}": getattr(layer, part.name) for part in fields(Layer)}
    return named


def loaded(base: Network | Path) -> Network:
    """The model, read where a folder is named.

    Raises:
        BadInput: Where the folder holds none.
    """
    return Network.load(base) if isinstance(base, Path) else base


def lots(sizes: Sequence[int], pieces: int) -> list[list[int]]:
    """Lines by their number, those of like length together, each lot of about so many pieces.

    Examples:
        >>> lots([9, 2, 3, 8], 12)
        [[1, 2], [3], [0]]
    """
    made: list[list[int]] = [[]]
    for at in np.argsort(np.asarray(sizes), kind="stable").tolist():
        if made[-1] and (len(made[-1]) + 1) * sizes[at] > pieces:
            made.append([])
        made[-1].append(at)
    return made
