"""Every way to train, on a model of some thousand weights; where TRL is, see `make test-train`."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.commands.tune_train import train as command
from hookline.errors import BadInput, Refused, WriterFailed
from hookline.tune.train import (
    Lesson,
    Method,
    Objectives,
    Progress,
    Recipe,
    Reward,
    Trained,
    read,
    train,
)
from hookline.tune.train.folder import Folder
from hookline.tune.train.recipe import Turns
from hookline.types import Attributes, Audience, Brand, Product
from hookline.writers.transformers import TransformersWriter
from tune.made_tuning import ASKED, BAD, GOOD, ROWS, SYSTEM, TEMPLATE, make_base, row, write_rows

METHODS: tuple[Method, ...] = ("sft", "dpo", "kto", "grpo")
PACKAGES = ("torch", "transformers", "trl", "peft", "datasets")
SHORT = Recipe(
    method="sft",
    steps=6,
    batch=4,
    at_once=2,
    rate=1e-2,
    generations=4,
    room=6,
    tell_every=1,
    save_every=2,
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    for package in PACKAGES:
        pytest.importorskip(package, reason=f"{package} is not installed: nothing to train with")
    torch = import_module("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base") / "small")


def lessons(folder: Path, method: Method) -> tuple[Lesson, ...]:
    return read(write_rows(folder / f"{method}.jsonl", ROWS[method]), method)


def shouting(prompts: Sequence[Turns], completions: Sequence[Turns]) -> list[float]:
    """Likes capitals; has to be asked in the rows' own words."""
    assert {prompt[0]["content"] for prompt in prompts} == {SYSTEM}
    assert all(prompt[-1]["content"].startswith("Write a line") for prompt in prompts)
    texts = [turns[0]["content"] for turns in completions]
    return [sum(char.isupper() for char in text) / (len(text) + 1) for text in texts]


def brief(prompts: Sequence[Turns], completions: Sequence[Turns]) -> list[float]:
    return [-float(len(turns[0]["content"])) for turns in completions]


OBJECTIVES = Objectives([Reward("shouting", shouting), Reward("brief", brief, 0.1)])


def run(
    base: Path, out: Path, recipe: Recipe, *, tell: Callable[[str], None] | None = None
) -> Trained:
    out.parent.mkdir(exist_ok=True)
    return train(
        base,
        lessons(out.parent, recipe.method),
        out,
        recipe=recipe,
        objectives=OBJECTIVES if recipe.method == "grpo" else None,
        tell=tell or (lambda line: None),
    )


def measured(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]


def log_likelihood(folder: Path, answer: str) -> float:
    """Of the answer to what the rows ask, in nats, read with transformers alone."""
    torch, transformers = import_module("torch"), import_module("transformers")
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(folder))
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(str(folder))
    asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ASKED}]
    start, whole = (
        tokenizer.apply_chat_template(turns, add_generation_prompt=ask, tokenize=False)
        for turns, ask in (
            (asked, True),
            ([*asked, {"role": "assistant", "content": answer}], False),
        )
    )
    ids = tokenizer(whole, add_special_tokens=False, return_tensors="pt")["input_ids"]
    at = len(tokenizer(start, add_special_tokens=False)["input_ids"])
    with torch.inference_mode():
        logs = torch.log_softmax(model(ids).logits[0, :-1].float(), dim=-1)
    told = logs.gather(1, ids[0, 1:, None])[at - 1 :]
    return float(told.sum())


@pytest.mark.parametrize("lora", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_what_it_is_for(
    base: Path, tmp_path: Path, method: Method, lora: bool
) -> None:
    steps = 12 if method == "grpo" else 6
    recipe = replace(SHORT, method=method, lora=lora, steps=steps, save_every=6)
    done = run(base, tmp_path / "out", recipe)
    assert done == Trained(tmp_path / "out" / "model", steps)
    assert done.folder
    found = measured(tmp_path / "out")
    assert [values["step"] for values in found] == list(range(1, steps + 1))
    assert "<polyline" in (tmp_path / "out" / "progress.svg").read_text()
    config = json.loads((done.folder / "generation_config.json").read_text())
    assert (config["do_sample"], config["eos_token_id"]) == (True, 1)
    assert not (done.folder / "adapter_config.json").exists()
    gain = log_likelihood(done.folder, GOOD) - log_likelihood(base, GOOD)
    loss = log_likelihood(done.folder, BAD) - log_likelihood(base, BAD)
    if method == "grpo":
        assert all("kl" in values for values in found)
        assert found[-1]["kl"] > 0
        assert any(values["rewards/shouting/mean"] > 0 for values in found)
        assert gain != 0
    else:
        assert gain > 0
        assert method == "sft" or gain > loss


def test_heavier_rows_are_learned_more(base: Path, tmp_path: Path) -> None:
    rows = [row(0.9, completion=GOOD), row(0.1, completion=BAD)]
    taught = read(write_rows(tmp_path / "rows", rows), "sft")
    recipe = replace(SHORT, lora=False, steps=10, save_every=10)
    done = train(base, taught, tmp_path / "out", recipe=recipe)
    assert done.folder
    gains = [log_likelihood(done.folder, said) - log_likelihood(base, said) for said in (GOOD, BAD)]
    assert gains[0] > 2 * max(gains[1], 0)


class Killed(BaseException):
    """As if the process had been killed: nothing catches it."""


def killed_at(step: int) -> Callable[[str], None]:
    def tell(line: str) -> None:
        if line.startswith(f"step {step} "):
            raise Killed

    return tell


@pytest.mark.parametrize(
    ("method", "lora"), [("sft", False), ("sft", True), ("kto", True), ("grpo", False)]
)
def test_killed_training_goes_on_to_the_same_weights(
    base: Path, tmp_path: Path, method: Method, lora: bool
) -> None:
    recipe = replace(SHORT, method=method, lora=lora)
    whole = run(base, tmp_path / "whole", recipe)
    with pytest.raises(Killed):
        run(base, tmp_path / "cut", recipe, tell=killed_at(5))
    half = tmp_path / "cut" / "checkpoints" / "checkpoint-6"  # killed while it was written
    half.mkdir()
    (half / "trainer_state.json").write_text('{"global_step": 6, "lo')
    told: list[str] = []
    cut = run(base, tmp_path / "cut", recipe, tell=told.append)
    assert told[0].startswith("step 5 of 6: ")
    assert whole.folder
    assert cut.folder
    files = [folder / "model.safetensors" for folder in (whole.folder, cut.folder)]
    assert files[0].read_bytes() == files[1].read_bytes()
    kept = [(tmp_path / name / "progress.jsonl").read_text() for name in ("cut", "whole")]
    assert kept[0] == kept[1]


def test_finished_training_is_not_done_again(base: Path, tmp_path: Path) -> None:
    recipe = replace(SHORT, steps=1)
    first = run(base, tmp_path / "out", recipe)
    assert run(base, tmp_path / "out", recipe, tell=killed_at(1)) == first


def test_training_killed_before_its_model_was_written_writes_it(base: Path, tmp_path: Path) -> None:
    recipe = replace(SHORT, steps=1)
    done = run(base, tmp_path / "out", recipe)
    assert done.folder
    written = (done.folder / "model.safetensors").read_bytes()
    (tmp_path / "out" / "result.json").unlink()
    done.folder.rename(tmp_path / "out" / "model.part")
    assert run(base, tmp_path / "out", recipe, tell=killed_at(1)) == done
    assert (done.folder / "model.safetensors").read_bytes() == written


@pytest.mark.parametrize(("changes", "what"), [({"seed": 1}, "recipe"), ({"steps": 2}, "recipe")])
def test_another_training_in_the_folder_is_refused(
    base: Path, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    recipe = replace(SHORT, steps=1)
    run(base, tmp_path / "out", recipe)
    with pytest.raises(Refused, match=f"another training lies in .*out: {what} differ"):
        run(base, tmp_path / "out", replace(recipe, **changes))


def test_other_rows_and_another_base_are_another_training(base: Path, tmp_path: Path) -> None:
    recipe = replace(SHORT, steps=1)
    run(base, tmp_path / "out", recipe)
    other = make_base(tmp_path / "other", places=128)
    taught = lessons(tmp_path, "sft")[:1]
    with pytest.raises(Refused, match="base and rows differ"):
        train(other, taught, tmp_path / "out", recipe=recipe)


def test_stop_ends_without_a_model_and_says_why(base: Path, tmp_path: Path) -> None:
    def stop(history: Sequence[Progress]) -> str:
        return "proxy and watchdog part" if history[-1].step == 3 else ""

    taught = lessons(tmp_path, "sft")
    for _ in range(2):  # the second time it is known
        done = train(base, taught, tmp_path / "out", recipe=SHORT, stop=stop)
        assert done == Trained(None, 3, "proxy and watchdog part")
    assert not (tmp_path / "out" / "model").exists()
    assert (tmp_path / "out" / "checkpoints" / "checkpoint-3").is_dir()
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result == {"steps": 3, "stopped": "proxy and watchdog part"}


def test_out_of_memory_keeps_the_checkpoint_and_goes_on_with_less(
    base: Path, tmp_path: Path
) -> None:
    torch = import_module("torch")

    def full(line: str) -> None:
        if line.startswith("step 5 "):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    message = "out of memory at step 5 of 6: lower at_once, now 2, .* up to step 4 is kept"
    with pytest.raises(Refused, match=message):
        run(base, tmp_path / "out", SHORT, tell=full)
    assert run(base, tmp_path / "out", replace(SHORT, at_once=1)).steps == 6


def test_other_errors_are_not_taken_for_a_lack_of_memory(base: Path, tmp_path: Path) -> None:
    def broken(line: str) -> None:
        raise RuntimeError("a reward is broken")

    with pytest.raises(RuntimeError, match="a reward is broken"):
        run(base, tmp_path / "out", SHORT, tell=broken)


def test_rewards_can_be_weighed_anew(base: Path, tmp_path: Path) -> None:
    def weigh(history: Sequence[Progress]) -> dict[str, float]:
        return {"brief": float(history[-1].step)}

    recipe = replace(SHORT, method="grpo", steps=3)
    goals = Objectives(OBJECTIVES.rewards, weigh=weigh)
    taught = lessons(tmp_path, "grpo")
    train(base, taught, tmp_path / "out", recipe=recipe, held_out=taught, objectives=goals)
    own = [values for values in measured(tmp_path / "out") if "loss" in values]
    assert [values["weights/brief"] for values in own] == [1.0, 2.0, 3.0]
    assert {values["weights/shouting"] for values in own} == {1.0}
    for before, values in pairwise(own):
        sums = [values[f"rewards/{name}/mean"] for name in ("shouting", "brief")]
        summed = sums[0] + before["weights/brief"] * sums[1]
        assert values["reward"] == pytest.approx(summed, rel=1e-4)
    held = [values for values in measured(tmp_path / "out") if "held_out_reward" in values]
    assert [values["step"] for values in held] == [2, 3]


def test_rate_falls_where_held_out_rows_get_worse(base: Path, tmp_path: Path) -> None:
    recipe = replace(SHORT, steps=5, save_every=1, patience=1, warm_up=0.0)
    other = read(write_rows(tmp_path / "other", [row(completion="ZZZZ QQQQ XXXX")]), "sft")
    rates: list[float] = []
    for held_out in ((), other):
        out = tmp_path / f"out{len(held_out)}"
        train(base, lessons(tmp_path, "sft"), out, recipe=recipe, held_out=held_out)
        rates.append([values["learning_rate"] for values in measured(out) if "loss" in values][-1])
    losses = [v["held_out_loss"] for v in measured(tmp_path / "out1") if "held_out_loss" in v]
    assert losses[-1] > losses[0]
    assert 0 < rates[1] <= rates[0] / 2


def test_draws_of_others_and_the_network_are_left_alone(base: Path, tmp_path: Path) -> None:
    torch, hub = import_module("torch"), import_module("huggingface_hub")
    before, state = hub.constants.HF_HUB_OFFLINE, torch.random.get_rng_state().clone()
    offline: list[bool] = []
    run(
        base,
        tmp_path / "out",
        replace(SHORT, steps=1),
        tell=lambda line: offline.append(hub.is_offline_mode()),
    )
    assert offline == [True]
    assert before == hub.constants.HF_HUB_OFFLINE
    assert torch.equal(state, torch.random.get_rng_state())


def test_tuned_folder_is_one_that_the_writer_writes_with(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", places=8_192)
    done = run(base, tmp_path / "out", replace(SHORT, steps=1))
    assert done.folder
    asked = make_brief(
        product=Product(id="t", title="Canvas Tote Bag"),
        audience=Audience(id="all", name="Everybody"),
        channel=channel("onsite_banner"),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )
    with pytest.raises(WriterFailed, match="model answered wrongly twice"):  # it is that small
        TransformersWriter(folder=done.folder).write(asked, 1, seed=1)


def refused(base: Path, tmp_path: Path, message: str, recipe: Recipe = SHORT) -> None:
    with pytest.raises(BadInput, match=message):
        run(base, tmp_path / "out", recipe)
    assert not (tmp_path / "out").exists()


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, tmp_path, "holds no model: there is no config.json")


def test_model_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (base / name).unlink()
    refused(base, tmp_path, "holds a model without a tokenizer that can be loaded")


def test_tokenizer_that_can_not_end_an_answer_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    path = base / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["eos_token"]
    path.write_text(json.dumps(config))
    refused(base, tmp_path, "has no eos_token, so no answer could end")


def test_broken_configuration_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    (base / "config.json").write_text("{")
    refused(base, tmp_path, "can't read .*config.json")


def test_model_without_weights_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    (base / "model.safetensors").unlink()
    with pytest.raises(BadInput, match="can't load the model in "):
        run(base, tmp_path / "out", SHORT)


def test_model_without_a_template_gets_the_plain_one_of_the_writer(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", template=None)
    told: list[str] = []
    done = run(base, tmp_path / "out", replace(SHORT, steps=1), tell=told.append)
    assert told[0] == "base has no chat template; it gets a plain one, prompts and 'Answer:'"
    assert done.folder
    tokenizer = Folder.open(done.folder).tokenizer
    turns = [{"role": "system", "content": "A."}, {"role": "user", "content": "B?"}]
    asked = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert asked == "A.\n\nB?\n\nAnswer:\n"  # as the writer asks a model without a template
    turns.append({"role": "assistant", "content": "C."})
    told_all = tokenizer.apply_chat_template(turns, tokenize=False)
    assert told_all == "A.\n\nB?\n\nAnswer:\nC.</s>"


def test_template_that_knows_no_system_message_gets_it_with_the_first(tmp_path: Path) -> None:
    refusal = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
    folder = Folder.open(make_base(tmp_path / "base", template=refusal + TEMPLATE))
    turns = folder.turns((("system", "A."), ("user", "B?"), ("assistant", "C.")))
    assert turns == [
        {"role": "user", "content": "A.\n\nB?"},
        {"role": "assistant", "content": "C."},
    ]
    run(folder.path, tmp_path / "out", replace(SHORT, method="grpo", steps=1))  # as in the rows


def test_row_that_is_too_long_is_named(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", places=24)
    refused(base, tmp_path, r"line 1 takes \d+ tokens with its answer; the model has room for 24")
    grpo = replace(SHORT, method="grpo", room=200)
    base = make_base(tmp_path / "longer", places=100)
    refused(base, tmp_path, r"line 1 takes 2\d\d tokens", grpo)


def test_objectives_go_with_grpo_alone(base: Path, tmp_path: Path) -> None:
    taught = lessons(tmp_path, "grpo")
    with pytest.raises(BadInput, match="grpo goes after rewards, and no other method does"):
        train(base, taught, tmp_path / "out", recipe=replace(SHORT, method="grpo"))
    with pytest.raises(BadInput, match="nothing to learn from"):
        train(base, (), tmp_path / "out", recipe=SHORT)
    with pytest.raises(BadInput, match="each under a name of its own"):
        Objectives([Reward("a", brief), Reward("a", brief)])


def test_gpu_that_is_not_there_is_named(base: Path, tmp_path: Path) -> None:
    if import_module("torch").cuda.is_available():
        pytest.skip("this machine has a GPU")
    refused(base, tmp_path, "torch sees 0 GPUs", replace(SHORT, device="cuda"))


def test_command_trains_and_says_where_the_model_is(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_rewards.py").write_text(
        "from hookline.tune.train import Objectives, Reward\n"
        "def goals():\n"
        "    return Objectives([Reward('short', lambda asked, said: [-len(t[0]['content'])"
        " for t in said])])\n"
    )
    write_rows(tmp_path / "rows.jsonl", ROWS["sft"])
    app = typer.Typer()
    app.command()(command)
    given = ["--base", str(base), "--steps", "1", "--batch", "8", "--room", "4"]
    for method, more in {
        "sft": ["--rows", "rows.jsonl", "--held-out", "rows.jsonl", "--full"],
        "grpo": ["--prompts", "rows.jsonl", "--rewards", "my_rewards:goals"],
    }.items():
        done = CliRunner().invoke(app, [method, *given, *more, "--out", method])
        assert done.exit_code == 0, done.exception
        assert "1 steps done; set transformers_model to" in done.stdout
        assert (tmp_path / method / "model" / "config.json").is_file()
