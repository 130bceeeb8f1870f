"""Versions of writers: their states, their folders, and who writes."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput, HooklineError, Refused
from hookline.store import open_store
from hookline.tune.in_use import InUse
from hookline.tune.versions import (
    Registry,
    Version,
    check_finished,
    digest_of,
    fault_of,
    identity,
    keep,
    kind_of,
    labelled,
    prompt_of,
    registry,
    version_of,
)
from hookline.types import Action, Attributes, Audience, Brand, Brief, Copy, Estimate, Product
from hookline.writers import House, Phrasebook, Writer
from hookline.writers.house import DEFAULT

GAIN = Estimate(estimate=0.2, low=0.1, high=0.3, n=80)
SHIPPED = json.loads((DEFAULT / "house.json").read_text())["version"]


def make_model(folder: Path, name: str = "tuned") -> Path:
    """A folder with the model that ships, under another name."""
    folder.mkdir(parents=True)
    shutil.copy(DEFAULT / "weights.npz", folder)
    card = json.loads((DEFAULT / "house.json").read_text()) | {"version": name}
    (folder / "house.json").write_text(json.dumps(card))
    return folder


def make_version(folder: Path, **changes: object) -> Version:
    """A version of the house model in the folder."""
    given: dict[str, object] = {
        "id": json.loads((folder / "house.json").read_text())["version"],
        "writer": "house",
        "folder": str(folder),
        "digest": digest_of(folder),
        "parent": SHIPPED,
        "at": NOW,
    }
    return Version(**{**given, **changes})  # pyright: ignore[reportArgumentType]


def a_version(name: str, writer: str = "house", parent: str = "") -> Version:
    """A version without a folder."""
    return Version(id=name, writer=writer, folder="f", digest="d", parent=parent, at=NOW)


# --- states -------------------------------------------------------------------------------------


def test_a_version_is_released_adopted_and_rolled_back() -> None:
    one, two = a_version("1", parent="ships"), a_version("2", parent="1")
    now = Registry().released(one)
    assert now.of("house", "challenger") == one
    now = now.adopted("house", GAIN)
    assert now.of("house", "default") == replace(one, state="default", live=GAIN)
    now = now.released(two).adopted("house", GAIN)
    assert [each.state for each in now.versions] == ["former", "default"]
    now, gone = now.rolled_back("house")
    assert gone.id == "2"
    assert [each.state for each in now.versions] == ["default", "rolled back"]
    now, gone = now.rolled_back("house")
    assert gone.id == "1"
    assert [each.state for each in now.versions] == ["rolled back", "rolled back"]
    with pytest.raises(Refused, match="no version to roll back"):
        now.rolled_back("house")


def test_a_challenger_is_rolled_back_before_the_default() -> None:
    now = Registry().released(a_version("1", parent="ships")).adopted("house", GAIN)
    now, gone = now.released(a_version("2", parent="1")).rolled_back("house")
    assert gone.id == "2"
    default = now.of("house", "default")
    assert default is not None
    assert default.id == "1"


def test_one_version_is_on_trial_at_a_time() -> None:
    now = Registry().released(a_version("1"))
    with pytest.raises(Refused, match="version 1 of house is on trial"):
        now.released(a_version("2"))
    assert now.released(a_version("3", writer="transformers")).of("transformers", "challenger")
    with pytest.raises(Refused, match="writes with already"):
        Registry().released(a_version("1", parent="1"))
    with pytest.raises(Refused, match="no version of house is on trial"):
        Registry().adopted("house", GAIN)


@given(st.lists(st.sampled_from(["release", "adopt", "roll back"]), max_size=20))
def test_a_writer_has_at_most_one_version_of_each_kind(steps: list[str]) -> None:
    now = Registry()
    for number, step in enumerate(steps):
        default = now.of("house", "default")
        fresh = a_version(str(number), parent=default.id if default else "ships")
        try:
            if step == "release":
                now = now.released(fresh)
            elif step == "adopt":
                now = now.adopted("house", GAIN)
            else:
                now, _ = now.rolled_back("house")
        except Refused:
            continue
        states = [each.state for each in now.versions]
        assert states.count("challenger") <= 1
        assert states.count("default") <= 1
        assert len({each.id for each in now.versions}) == len(states)


def test_versions_are_kept_in_the_store_with_an_audit_row() -> None:
    store = open_store("sqlite://")
    assert registry(store) == Registry()
    now = Registry().released(a_version("1")).adopted("house", GAIN)
    keep(store, now, Action(verb="adopt writer", subject="1", by="test"), at=NOW)
    assert registry(store) == now
    [row] = store.read()
    assert b"adopt writer" in row.body
    store.close()


# --- folders ------------------------------------------------------------------------------------


def test_a_folder_says_which_writer_runs_it(tmp_path: Path) -> None:
    assert kind_of(DEFAULT) == "house"
    with pytest.raises(BadInput, match="holds no model"):
        kind_of(tmp_path)
    (tmp_path / "house.json").write_text("{}")
    with pytest.raises(BadInput, match="holds no model"):
        kind_of(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert kind_of(tmp_path) == "transformers"


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model/house.json", "{}", "was changed"),
        ("model/weights.npz", "", "was changed"),
        ("model/weights.npz", None, "holds no model"),
        ("model/stopped.json", '{"why": "it lied"}', "it lied"),
        ("stopped.json", "?", "stopped"),
        ("model", None, "holds no model"),
    ],
)
def test_what_is_not_what_was_released_is_found_out(
    tmp_path: Path, file: str, content: str | None, words: str
) -> None:
    folder = make_model(tmp_path / "model")
    version = make_version(folder)
    assert fault_of(version) == ""
    (folder / "README.md").write_text("Read me.")
    assert fault_of(version) == ""
    spoiled = tmp_path / file
    if content is not None:
        spoiled.write_text(content)
    elif spoiled.is_dir():
        shutil.rmtree(spoiled)
    else:
        spoiled.unlink()
    assert words in fault_of(version)


def test_every_file_of_a_hugging_face_model_counts_but_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    before = digest_of(tmp_path)
    for name in ("checkpoint-5/model.safetensors", ".cache/x"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    assert digest_of(tmp_path) == before
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "chat.jinja").write_text("x")
    assert digest_of(tmp_path) != before


def test_a_stopped_training_is_refused_with_its_reason(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model")
    check_finished(folder)
    (folder / "stopped.json").write_text('{"why": "proxy and watchdog parted"}')
    with pytest.raises(Refused, match="proxy and watchdog parted"):
        check_finished(folder)


def test_copy_tells_its_version() -> None:
    copy = Copy(id="c", product_id="p", channel_id="push", parts={}, created_at=NOW)
    house = replace(copy, writer="house", prompt=labelled("build", "house", "build"))
    other = replace(copy, writer="transformers", prompt=labelled("prompt", "transformers", "v"))
    assert (version_of(house), version_of(other), version_of(copy)) == ("build", "v", "")
    assert prompt_of(other) == "prompt"
    with pytest.raises(BadInput, match="no versions"):
        identity(Phrasebook())


# --- who writes ---------------------------------------------------------------------------------


def make_writers(now: Callable[[], Registry]) -> InUse:
    """The house in its versions; any other name is the phrasebook."""

    def plain(name: str) -> Writer:
        return shipped() if name == "house" else Phrasebook()

    return InUse(plain, now, lambda _, folder: House(folder))


@cache
def shipped() -> House:
    return House()


def make_brief_of() -> Brief:
    return make_brief(
        product=Product(id="b", title="Harbor Canvas Tote Bag"),
        audience=Audience(id="all", name="Everybody"),
        channel=channel("push"),
        brand=Brand(id="acme", name="Acme"),
        attributes=Attributes(),
    )


def written(writer: Writer, seeds: int = 4) -> tuple[set[str], set[str]]:
    """Versions and notes of what a writer writes."""
    brief = make_brief_of()
    drafts = [draft for seed in range(seeds) for draft in writer.write(brief, 1, seed)]
    return {draft.prompt for draft in drafts}, {draft.note for draft in drafts}


def test_without_versions_the_writer_is_as_it_ships() -> None:
    writers = make_writers(Registry)
    assert writers("house") is shipped()
    assert writers("phrasebook").name == "phrasebook"
    assert writers.incumbent("house") is shipped()


def test_a_challenger_shares_the_work_until_it_is_rolled_back(tmp_path: Path) -> None:
    now = [Registry().released(make_version(make_model(tmp_path / "m")))]
    writers = make_writers(lambda: now[0])
    writer = writers("house")
    assert (writer.name, writer.oversample) == (House.name, House.oversample)
    assert written(writer) == ({SHIPPED, "tuned"}, {""})
    assert writers.incumbent("house") is shipped()
    now[0], _ = now[0].rolled_back("house")
    assert written(writers("house")) == ({SHIPPED}, {""})


def test_a_default_writes_alone(tmp_path: Path) -> None:
    now = Registry().released(make_version(make_model(tmp_path / "m"))).adopted("house", GAIN)
    writers = make_writers(lambda: now)
    assert written(writers("house")) == ({"tuned"}, {""})
    assert identity(writers.incumbent("house")) == "tuned"


@pytest.mark.parametrize("state", ["challenger", "default"])
def test_a_changed_folder_is_never_used(tmp_path: Path, state: str) -> None:
    folder = make_model(tmp_path / "m")
    now = Registry().released(make_version(folder))
    now = now.adopted("house", GAIN) if state == "default" else now
    writers = make_writers(lambda: now)
    assert "tuned" in written(writers("house"))[0]
    (folder / "house.json").write_text((DEFAULT / "house.json").read_text())
    prompts, [note] = written(writers("house"))
    assert prompts == {SHIPPED}
    assert note == f"version tuned is not used, since {folder} was changed after its release"
    assert writers.incumbent("house") is shipped()


def test_another_model_of_the_same_folder_waits_for_a_restart(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m", "first")
    House(folder)  # is open
    shutil.rmtree(folder)
    now = Registry().released(make_version(make_model(folder, "second")))
    prompts, [note] = written(make_writers(lambda: now)("house"))
    assert prompts == {SHIPPED}
    assert "restart" in note


def test_a_model_that_cannot_be_loaded_is_stood_in_for(tmp_path: Path) -> None:
    class Broken(House):
        """Fails as a model does whose weights are broken."""

        def write(self, brief: Brief, n: int, seed: int) -> tuple[()]:
            del brief, n, seed
            raise BadInput("can't load the model.")

    now = Registry().released(make_version(make_model(tmp_path / "m"))).adopted("house", GAIN)
    writers = InUse(lambda _: shipped(), lambda: now, lambda _, folder: Broken(folder))
    prompts, [note] = written(writers("house"), seeds=2)
    assert prompts == {SHIPPED}
    assert note == "version tuned is not used, since can't load the model"
    with pytest.raises(HooklineError, match="can't load"):
        InUse(lambda _: Broken(), Registry, lambda _, folder: House(folder))("house").write(
            make_brief_of(), 1, 1
        )
