"""Trained weights → the folder that `Network.load` reads: 8 bits a weight, a scale a row."""

from collections.abc import Mapping, Sequence, Set
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from hookline.house.train import Recipe
from hookline.writers.house.network import CARD, WEIGHTS, Build, Floats


def export(
    weights: Mapping[str, Floats],
    out: Path,
    *,
    recipe: Recipe,
    pieces: Sequence[str],
    conditions: Sequence[str],
    words: Set[str] = frozenset(),
) -> Build:
    """Writes the model's folder, and gives back what its card says.

    Args:
        weights: What `train` gave back.
        out: Folder to write; made where it does not exist.
        recipe: How they were trained.
        pieces: The vocabulary.
        conditions: What can be asked for.
        words: What copy is made of; none for any.
    """
    arrays: dict[str, NDArray[np.int8] | Floats] = {}
    digest = blake2b(digest_size=10)
    for name in sorted(weights):
        steps, scales = rounded(weights[name])
        arrays |= {name: steps, f"{name}.scale": scales}
        digest.update(steps.tobytes() + scales.tobytes())
    build = Build(
        version=digest.hexdigest(),
        width=recipe.width,
        layers=recipe.layers,
        heads=recipe.heads,
        places=recipe.places,
        pieces=tuple(pieces),
        conditions=tuple(conditions),
        words=frozenset(words),
    )
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / WEIGHTS, allow_pickle=False, **arrays)
    _write_card(build, out)
    return build


def set_temperature(folder: Path, temperature: float) -> Build:
    """Has the folder's writer draw so boldly from now on; what the card says then.

    It is another build after that, since it writes other copy.

    Args:
        folder: What `export` wrote.
        temperature: Above 0, to two places.
    """
    card = msgspec.json.decode((folder / CARD).read_bytes(), type=Build)
    told = round(temperature, 2)
    if told == card.temperature:
        return card
    digest = blake2b(f"{card.version} at {told}".encode(), digest_size=10)
    build = msgspec.structs.replace(card, version=digest.hexdigest(), temperature=told)
    _write_card(build, folder)
    return build


def _write_card(build: Build, folder: Path) -> None:
    card = msgspec.json.encode(build, order="sorted")
    (folder / CARD).write_bytes(msgspec.json.format(card, indent=0) + b"\n")


def rounded(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """The weights in steps of -127 to 127, and the size of a step in each row.

    Examples:
        >>> steps, scales = rounded(np.array([[1.27, -0.5]], np.float32))
        >>> steps.tolist(), round(float(scales[0]), 3)
        ([[127, -50]], 0.01)
    """
    largest = np.abs(weights).max(-1)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    steps = np.rint(weights / scales[..., None]).astype(np.int8)
    return steps, scales
