"""What the transformers writer says where it can't work; runs without torch."""

from pathlib import Path

import pytest

from hookline import extras
from hookline.errors import BadInput
from hookline.writers.transformers import TransformersWriter


@pytest.mark.parametrize(
    ("folder", "word"), [("", "no folder is named"), ("x", "x holds no model")]
)
def test_folder_without_a_model_is_refused(folder: str, word: str) -> None:
    with pytest.raises(BadInput, match=f"{word}; set transformers_model"):
        TransformersWriter(folder=folder)


@pytest.mark.parametrize("given", [{"temperature": 0.0}, {"top_p": 1.5}, {"at_once": 0}])
def test_wrong_arguments_fail_at_construction(tmp_path: Path, given: dict[str, float]) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadInput, match="temperature must be above 0"):
        TransformersWriter(folder=tmp_path, **given)  # pyright: ignore[reportArgumentType]


def test_missing_package_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text("{}")

    def absent(name: str) -> None:
        assert name == "torch"

    monkeypatch.setattr(extras, "find_spec", absent)
    with pytest.raises(BadInput, match=r"needs torch: pip install 'hookline\[local\]'"):
        TransformersWriter(folder=tmp_path)
