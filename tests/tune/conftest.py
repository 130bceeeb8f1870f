"""A tiny house model, trained once for all tests of its tuning."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from hookline.house.batches import line_of, vocabulary
from hookline.house.export import export
from hookline.house.pieces import Pieces
from hookline.house.train import Sizes, train
from hookline.tune.house import (
    Sample,
    draw,
    row_of,
)
from hookline.tune.house.tuner import arrays
from hookline.writers.house.network import Network
from tune.made_tiny import CTAS, HEADLINES, RECIPE, briefs, found_torch


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread, which so small a model can't fill."""
    torch = found_torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A tiny model that has learned to say eight lines, half of them with "you"."""
    found_torch().set_num_threads(1)
    folder = tmp_path_factory.mktemp("house")
    rows = [
        made
        for brief in briefs(4)
        for headline, cta in product(HEADLINES, CTAS)
        if (made := row_of({"headline": headline.format(brief.product.title), "cta": cta}, brief))
    ]
    texts = [spot.text for each in rows for spot in each.fields]
    pieces = Pieces.found(texts, 80)
    conditions = vocabulary(rows)
    ids = {name: at for at, name in enumerate(conditions)}
    lines = [line for each in rows if (line := line_of(each, pieces, ids, RECIPE.places))]
    assert len(lines) == 32
    weights, _ = train(lines, Sizes(len(pieces.texts), len(conditions)), folder, recipe=RECIPE)
    export(weights, folder, recipe=RECIPE, pieces=pieces.texts, conditions=conditions)
    return Network.load(folder)


@pytest.fixture(scope="session")
def copies(net: Network) -> list[Sample]:
    drawn = draw(net, briefs(4), 20, seed=5)
    return [each for each in drawn if each.fit and each.row is not None]


@pytest.fixture
def base(net: Network, tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    known = net.build
    export(arrays(net), folder, recipe=RECIPE, pieces=known.pieces, conditions=known.conditions)
    return folder
