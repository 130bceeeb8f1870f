import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hookline.errors import BadInput, Refused
from hookline.past import PastTests
from hookline.prior import TextPrior
from hookline.prior.encoder import Encoder
from hookline.prior.export import Weights, export, require
from hookline.prior.finetune import CHECKPOINT, Recipe, average, finetune
from hookline.prior.train import Plan, train_prior

RECIPE = Recipe(
    seed=3, epochs=6, batch=16, rate=3e-3, average_from=0.3, average_rate=0.05, max_length=12
)


@pytest.fixture
def tests() -> PastTests:
    """60 tests of 3 lines, in which "you" doubles the clicks."""
    rng = np.random.default_rng(0)
    texts = [f"{rng.choice(['you', 'we'])} {rng.choice(list('abcdefgh'))}" for _ in range(180)]
    rates = np.where([text.startswith("you") for text in texts], 0.04, 0.02)
    return PastTests(
        test_ids=tuple(f"t{number}" for number in range(60)),
        groups=np.arange(60),
        starts=np.arange(0, 181, 3),
        texts=tuple(texts),
        impressions=np.full(180, 3000),
        clicks=rng.binomial(3000, rates),
        predicted=None,
    )


@pytest.fixture
def bert(base: Path) -> Iterator[Path]:
    """The small BERT with weights, as transformers saves it; one thread, which it can't fill."""
    for package in ("torch", "transformers", "onnx"):
        pytest.importorskip(package, reason=f"{package} is not installed: nothing to train with")
    torch, transformers = require("torch"), require("transformers")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config: Any = transformers.BertConfig.from_pretrained(str(base))
        transformers.BertModel(config).save_pretrained(str(base))
    yield base
    torch.set_num_threads(threads)


def equal(left: Weights, right: Weights) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(left[name], right[name]) for name in left
    )


def test_finetune_learns_what_earns_clicks(tests: PastTests, bert: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, float]] = []
    weights = finetune(
        tests,
        bert,
        tmp_path / "run",
        recipe=RECIPE,
        progress=lambda done, steps, loss: told.append((done, steps, loss)),
    )
    steps = len(told)
    assert [(done, of) for done, of, _ in told] == [(step, steps) for step in range(1, steps + 1)]
    assert np.mean([loss for *_, loss in told[-6:]]) < np.mean([loss for *_, loss in told[:6]])
    export(weights, bert, tmp_path / "encoder", max_length=12)
    you, we = Encoder.load(tmp_path / "encoder").score(["you b", "we b"])
    assert 0.3 < you - we < 1.0  # log 2 is 0.69


def test_finetune_goes_on_as_if_it_had_never_stopped(
    tests: PastTests, bert: Path, tmp_path: Path
) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, steps: int, loss: float) -> None:
        if done in {7, 31}:
            raise Stop

    torch = require("torch")
    state = torch.random.get_rng_state()
    whole = finetune(tests, bert, tmp_path / "whole", recipe=RECIPE)
    assert torch.equal(state, torch.random.get_rng_state())
    for _ in range(2):
        with pytest.raises(Stop):
            finetune(tests, bert, tmp_path / "cut", recipe=RECIPE, save_every=3, progress=stop)
    cut = finetune(tests, bert, tmp_path / "cut", recipe=RECIPE, save_every=3)
    assert equal(whole, cut)


def test_finetune_that_is_done_gives_its_weights_again(
    tests: PastTests, bert: Path, tmp_path: Path
) -> None:
    recipe = Recipe(epochs=0.5, batch=16, max_length=12)
    first = finetune(tests, bert, tmp_path, recipe=recipe)
    told: list[int] = []
    again = finetune(
        tests, bert, tmp_path, recipe=recipe, progress=lambda done, steps, loss: told.append(done)
    )
    assert not told
    assert equal(first, again)


def test_finetune_refuses_the_checkpoint_of_another_training(
    tests: PastTests, bert: Path, tmp_path: Path
) -> None:
    recipe = Recipe(epochs=0.2, batch=16, max_length=12)
    finetune(tests, bert, tmp_path / "run", recipe=recipe)
    with pytest.raises(Refused, match="delete it or train elsewhere"):
        finetune(tests, bert, tmp_path / "run", recipe=replace(recipe, rate=3e-4))
    torch, weights = require("torch"), bert / "model.safetensors"
    files = require("safetensors.torch")
    tensors = files.load_file(str(weights))
    files.save_file({name: tensor + torch.ones(()) for name, tensor in tensors.items()}, weights)
    with pytest.raises(Refused, match=CHECKPOINT):
        finetune(tests, bert, tmp_path / "run", recipe=recipe)


def test_finetune_refuses_a_base_without_its_weights(
    tests: PastTests, bert: Path, tmp_path: Path
) -> None:
    files, path = require("safetensors.torch"), bert / "model.safetensors"
    tensors = files.load_file(str(path))
    del tensors["encoder.layer.1.output.dense.bias"]
    files.save_file(tensors, str(path), metadata={"format": "pt"})
    with pytest.raises(BadInput, match=r"lacks weights: encoder\.layer\.1\.output\.dense\.bias"):
        finetune(tests, bert, tmp_path / "run", recipe=RECIPE)
    path.unlink()
    with pytest.raises(BadInput, match="cannot read the weights"):
        finetune(tests, bert, tmp_path / "run", recipe=RECIPE)


def test_finetune_refuses_longer_texts_than_the_base_reads(
    tests: PastTests, bert: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="24 tokens at most, not 48"):
        finetune(tests, bert, tmp_path / "run")


def test_finetune_names_what_to_install(
    tests: PastTests, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BadInput, match=r"needs torch: pip install 'hookline\[train\]'"):
        finetune(tests, base, tmp_path / "run")


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0.0}, {"batch": 0}, {"warm_up": 0.0}, {"average_from": 1.0}, {"seed": -1}]
)
def test_recipe_refuses_what_cannot_be_trained_with(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Recipe(**wrong)


def test_average_is_the_mean_of_each_weight(weights: Weights) -> None:
    twice = {name: array * 2 for name, array in weights.items()}
    mean = average([weights, twice])
    assert mean.keys() == weights.keys()
    for name, array in mean.items():
        assert array.dtype == np.float32
        assert array == pytest.approx(weights[name] * 1.5)
    assert equal(average([weights]), weights)


def test_average_refuses_runs_of_other_builds(weights: Weights) -> None:
    wider = dict(weights) | {"head.bias": np.zeros(2, dtype=np.float32)}
    for runs in ([], [weights, wider], [weights, {}]):
        with pytest.raises(BadInput, match="same base"):
            average(runs)


def test_train_prior_tunes_weighs_and_tidies_up(
    tests: PastTests, bert: Path, tmp_path: Path
) -> None:
    plan = Plan(name="mine", learned_from="made up", base=bert, runs=2, recipe=RECIPE)
    bars: list[str] = []

    def step(title: str, total: int) -> Callable[[int], None]:
        assert total > 0
        bars.append(title)
        return lambda done: None

    trained = train_prior(tests, plan, tmp_path / "prior", step=step)
    assert len(bars) == 4  # two runs without the held-out tests, two with all
    assert 0 < len(trained.held_out) < len(tests)
    prior = TextPrior.load(tmp_path / "prior")
    you, we = prior.score(["you a", "we a"])
    assert you > we
    assert prior.card.encoder
    assert not [path for path in (tmp_path / "prior").iterdir() if path.is_dir()]
