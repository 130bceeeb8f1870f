"""Docs can't rot: everything registered has its heading, every example runs as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from conftest import ROOT
from hookline import cli
from hookline.channels import CHANNELS
from hookline.events import EVENT_NAMES
from hookline.guards import GUARDS
from hookline.policies import POLICIES
from hookline.settings import Settings
from hookline.writers import WRITERS

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    group = typer.main.get_group(cli.app)
    return list(group.commands)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("channels.md", list(CHANNELS)),
        ("commands.md", commands()),
        ("guards.md", list(GUARDS)),
        ("policies.md", list(POLICIES)),
        ("settings.md", list(Settings.model_fields)),
        ("writers.md", list(WRITERS)),
    ],
)
def test_everything_registered_has_its_heading_and_nothing_else_has(
    page: str, names: list[str]
) -> None:
    headings = re.findall(r"^## `([\w-]+)`", (DOCS / page).read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(names)


def test_every_event_name_is_in_the_docs() -> None:
    page = (DOCS / "events.md").read_text()
    assert [name for name in EVENT_NAMES if f"`{name}`" not in page] == []


def test_settings_doc_states_the_defaults() -> None:
    page = (DOCS / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        section = page.split(f"## `{name}`")[1].split("\n## ")[0]
        default = field.default
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        text = str(shown).lower() if isinstance(shown, bool) else str(shown) or '""'
        assert f"Default: `{text}`" in section, name


def test_every_command_says_what_it_does() -> None:
    group = typer.main.get_group(cli.app)
    assert all(command.help for command in group.commands.values())


def test_readme_shows_the_example_that_runs(tmp_path: Path) -> None:
    example = ROOT / "examples" / "first_test.py"
    body = example.read_text().split('"""', 2)[2].strip()
    assert body in README
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "drawn with probability" in done.stdout


def test_readme_tree_names_every_module() -> None:
    tree = re.search(r"```text\n(.*?)```", README.split("## The tree")[1], re.DOTALL)
    assert tree
    for path in sorted((ROOT / "src" / "hookline").iterdir()):
        if path.name.startswith("_") or path.name == "py.typed":
            continue
        name = f"{path.name}/" if path.is_dir() else path.name
        assert f" {name}" in tree.group(1), name


def test_links_between_docs_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_contributing_lists_the_layers_that_are_enforced() -> None:
    config = (ROOT / "pyproject.toml").read_text()
    layers = re.search(r"layers = \[\n(.*?)\]", config, re.DOTALL)
    assert layers
    wanted = re.findall(r'"([^"]+)"', layers.group(1))
    shown = re.search(r"```text\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert shown
    assert shown.group(1).split("\n")[:-1] == wanted


def test_changelog_names_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text
