from pathlib import Path

import pytest

from hookline.errors import BadInput
from hookline.settings import read_settings


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "HOOKLINE_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_read_settings_prefers_arguments_to_environment_to_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("hookline.toml").write_text("port = 1\nwriter = 'openai'\n")
    assert read_settings().port == 1
    monkeypatch.setenv("HOOKLINE_PORT", "2")
    assert read_settings().port == 2
    assert read_settings(port=3).port == 3
    assert read_settings().writer == "openai"


def test_read_settings_takes_the_usual_openai_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-quiet")
    settings = read_settings()
    assert settings.openai_base_url == "http://127.0.0.1:1/v1"
    assert settings.openai_api_key.get_secret_value() == "sk-quiet"
    assert "sk-quiet" not in repr(settings)


@pytest.mark.parametrize(("name", "value"), [("port", -1), ("port", "x"), ("prot", 1)])
def test_read_settings_names_the_bad_one(name: str, value: object) -> None:
    with pytest.raises(BadInput, match=name):
        read_settings(**{name: value})
