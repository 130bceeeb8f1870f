"""Versions of a prompt: what may change in one, and which is in use."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput, Unknown
from hookline.prompts import MAX_CRAFT, load, of_text, with_craft
from hookline.prompts.versions import Roles, in_use, keep, roles, set_roles, version

USUAL = load("write_copy")
TRIAL = with_craft(USUAL, "- Ask a question.")


def test_new_advice_changes_the_advice_alone() -> None:
    assert TRIAL.craft == "- Ask a question."
    assert (TRIAL.system, TRIAL.user) == (USUAL.system, USUAL.user)
    assert TRIAL.version != USUAL.version
    assert with_craft(TRIAL, USUAL.craft) == USUAL
    assert with_craft(USUAL, f"\n{USUAL.craft}  \n") == USUAL


@pytest.mark.parametrize(
    "craft", ["", " \n", "x" * (MAX_CRAFT + 1), "a {{product}}", "a\n# user\nb", "# craft"]
)
def test_advice_that_could_change_more_is_refused(craft: str) -> None:
    with pytest.raises(BadInput):
        with_craft(USUAL, craft)


@given(st.text(max_size=200))
def test_no_advice_reaches_beyond_its_part(craft: str) -> None:
    try:
        made = with_craft(USUAL, craft)
    except BadInput:
        return
    assert (made.system, made.user) == (USUAL.system, USUAL.user)
    assert with_craft(made, USUAL.craft) == USUAL


def test_prompt_without_a_place_for_advice_takes_none() -> None:
    with pytest.raises(BadInput, match="has no part # craft"):
        with_craft(load("reflect"), "- Be nice.")


@pytest.mark.parametrize(
    "text", ["", "# system\na\n", "# user\na\n", "# system\na\n# user\nb\n# user\n"]
)
def test_file_without_its_parts_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="one part # system"):
        of_text("mine", text)


def test_without_a_folder_the_one_that_ships_is_in_use(tmp_path: Path) -> None:
    assert in_use(tmp_path / "none") == (USUAL,)
    assert not (tmp_path / "none").exists()


def test_version_on_trial_stands_behind_the_usual_one(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    file = keep(folder, TRIAL, {"gain": 0.1})
    assert file.name == f"{TRIAL.version}.md"
    assert json.loads(file.with_suffix(".json").read_text()) == {"gain": 0.1}
    set_roles(folder, Roles(on_trial=TRIAL.version))
    assert in_use(folder) == (USUAL, TRIAL)
    set_roles(folder, Roles(usual=TRIAL.version))
    assert in_use(folder) == (TRIAL,)
    assert roles(folder) == Roles(usual=TRIAL.version)
    assert version(folder, USUAL.version) == version(folder, "") == USUAL


def test_unknown_versions_get_no_role(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="has no prompt 'abc'"):
        set_roles(tmp_path, Roles(on_trial="abc"))
    assert roles(tmp_path) == Roles()


def test_changed_file_is_found_out(tmp_path: Path) -> None:
    file = keep(tmp_path, TRIAL, {})
    set_roles(tmp_path, Roles(usual=TRIAL.version))
    file.write_text(file.read_text().replace("question", "riddle"))
    with pytest.raises(BadInput, match="was changed; take it away, or rename it"):
        in_use(tmp_path)


def test_broken_roles_are_named(tmp_path: Path) -> None:
    (tmp_path / "roles.json").write_text("{")
    with pytest.raises(BadInput, match=r"roles\.json can't be read"):
        in_use(tmp_path)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="can't be written"):
        keep(tmp_path / "file" / "prompts", TRIAL, {})
