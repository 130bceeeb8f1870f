"""The guide knows every policy and every parameter."""

import inspect
from pathlib import Path

import pytest

from hookline.policies import POLICIES

GUIDE = Path(__file__).parents[2] / "docs" / "policies.md"


@pytest.mark.parametrize("name", POLICIES)
def test_guide_describes_the_policy_and_its_parameters(name: str) -> None:
    text = GUIDE.read_text()
    assert f"## `{name}`" in text
    section = text.split(f"## `{name}`")[1].split("\n## ")[0]
    for parameter, of in inspect.signature(POLICIES[name]).parameters.items():
        assert f"| `{parameter}` | {of.default:g} |" in section
