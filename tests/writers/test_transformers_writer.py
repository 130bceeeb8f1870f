"""The transformers writer on a model made by hand; where torch is, see `make test-train`."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput, WriterFailed
from hookline.prompts import load, with_craft
from hookline.testing import check_writer
from hookline.types import Attributes, Audience, Brand, Brief, Draft, Product
from hookline.writers.transformers import TransformersWriter
from made_model import CALLS, WORDS, make_model


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    for package in ("torch", "transformers"):
        pytest.importorskip(package, reason=f"{package} is not installed: no model to write with")
    torch = import_module("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def brief() -> Brief:
    return make_brief(
        product=Product(id="t", title="Canvas Tote Bag"),
        audience=Audience(id="all", name="Everybody"),
        channel=channel("onsite_banner"),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )


def test_writer_keeps_the_contract(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", wrong=0.3)
    check_writer(lambda: TransformersWriter(folder=folder))


def test_drafts_are_drawn_from_the_seed_and_counted(tmp_path: Path, brief: Brief) -> None:
    writer = TransformersWriter(folder=make_model(tmp_path / "model"))
    drafts = writer.write(brief, 6, seed=3)
    assert 3 <= len(drafts) <= 6
    assert drafts == writer.write(brief, 6, seed=3) != writer.write(brief, 6, seed=4)
    assert {draft.parts["headline"] for draft in drafts} <= set(WORDS)
    assert {draft.parts["cta"] for draft in drafts} <= set(CALLS)
    assert {draft.prompt for draft in drafts} == {load("write_copy").version}
    assert {draft.cost_usd for draft in drafts} == {0.0}
    answer = 7  # start, field, text, field, text, close, end
    assert sum(draft.tokens_out for draft in drafts) == 6 * answer
    assert sum(draft.tokens_in for draft in drafts) % 6 == 0
    assert drafts[0].tokens_in > 100


def test_small_batches_write_as_many(tmp_path: Path, brief: Brief) -> None:
    folder = make_model(tmp_path / "model")
    assert len(TransformersWriter(folder=folder, at_once=2).write(brief, 5, seed=1)) >= 3


def test_wrong_answers_are_sent_back_once(tmp_path: Path, brief: Brief) -> None:
    mended = TransformersWriter(folder=make_model(tmp_path / "a", wrong=1.0))
    sound = TransformersWriter(folder=make_model(tmp_path / "b"))
    drafts = mended.write(brief, 3, seed=1)
    assert drafts
    tokens = sum(draft.tokens_in for draft in drafts)
    assert tokens > 2 * sum(draft.tokens_in for draft in sound.write(brief, 3, seed=1))
    stubborn = TransformersWriter(folder=make_model(tmp_path / "c", wrong=1.0, wrong_again=1.0))
    with pytest.raises(WriterFailed, match="c answered wrongly twice: there is no JSON"):
        stubborn.write(brief, 3, seed=1)


def test_prompt_that_leaves_no_room_is_refused(tmp_path: Path, brief: Brief) -> None:
    folder = make_model(tmp_path / "model")
    config = (folder / "config.json").read_text().replace("8192", "128")
    (folder / "config.json").write_text(config)
    with pytest.raises(WriterFailed, match="the model has room for 128"):
        TransformersWriter(folder=folder).write(brief, 1, seed=1)


def test_model_without_a_chat_template_is_asked_in_plain_text(tmp_path: Path, brief: Brief) -> None:
    folder = make_model(tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(WriterFailed, match="wrongly twice"):  # it knows the template's marks alone
        TransformersWriter(folder=folder).write(brief, 1, seed=1)


def test_template_that_knows_no_system_message_gets_it_with_the_first(
    tmp_path: Path, brief: Brief
) -> None:
    folder = make_model(tmp_path / "model")
    template = folder / "chat_template.jinja"
    refusal = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    )
    template.write_text(refusal + template.read_text())
    assert TransformersWriter(folder=folder).write(brief, 1, seed=1)


def test_draws_of_others_are_left_alone(tmp_path: Path, brief: Brief) -> None:
    torch = import_module("torch")
    writer = TransformersWriter(folder=make_model(tmp_path / "model"))
    state = torch.random.get_rng_state().clone()
    writer.write(brief, 2, seed=1)
    assert torch.equal(state, torch.random.get_rng_state())


def test_threads_get_what_they_would_get_alone(tmp_path: Path, brief: Brief) -> None:
    writer = TransformersWriter(folder=make_model(tmp_path / "model"))

    def write(seed: int) -> tuple[Draft, ...]:
        return writer.write(brief, 2, seed)

    alone = [write(seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(write, range(6))) == alone


def test_prompts_on_trial_share_the_seeds(tmp_path: Path, brief: Brief) -> None:
    usual = load("write_copy")
    trial = with_craft(usual, "- Ask a question.")
    writer = TransformersWriter(folder=make_model(tmp_path / "model"), prompts=(usual, trial))
    seen = [writer.write(brief, 1, seed)[0].prompt for seed in range(4)]
    assert seen == [usual.version, trial.version] * 2


def test_folder_that_holds_no_weights_is_named(tmp_path: Path, brief: Brief) -> None:
    folder = make_model(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"can't load the model in .*model on cpu"):
        TransformersWriter(folder=folder).write(brief, 1, seed=1)


def test_importing_writers_does_not_import_torch() -> None:
    code = "import sys, hookline.writers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
