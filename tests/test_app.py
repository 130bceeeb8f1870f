from pathlib import Path

import pytest

from conftest import NOW
from hookline import sample
from hookline.app import open_app
from hookline.catalog import read_feed
from hookline.errors import UnregisteredName
from hookline.settings import read_settings
from hookline.wire import CopyOrder
from hookline.writers import OpenAIWriter


def test_one_writer_serves_the_whole_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cost cap and its breaker hold over requests only if it is the same writer."""
    made: list[str] = []
    build = OpenAIWriter.__init__

    def counted(writer: OpenAIWriter, *, model: str, **rest: object) -> None:
        made.append(model)
        build(writer, model=model, **rest)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(OpenAIWriter, "__init__", counted)
    settings = read_settings(
        database=f"sqlite:///{tmp_path}/app.db", openai_base_url="http://127.0.0.1:9/v1",
        openai_retries=0, openai_model="one",
    )  # fmt: skip
    app = open_app(settings)
    app.desk.import_catalog(read_feed(sample.shop_path()), at=NOW)
    app.desk.put_brand(sample.brand(), at=NOW)
    audience = sample.audiences()[0]
    app.desk.put_audience(audience, at=NOW)
    for product in app.desk.products()[:2]:
        order = CopyOrder(
            product_id=product.id, channels=["email"], audiences=[audience.id],
            brand=sample.brand().id, writer="openai", variants=1,
        )  # fmt: skip
        (copy,) = app.desk.write_copy(order, at=NOW).kept
        assert "written by phrasebook" in copy.note
    app.close()
    assert made == ["one"]


def test_open_app_refuses_an_unknown_writer_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnregisteredName, match="poet"):
        open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", writer="poet"))
    assert not (tmp_path / "app.db").exists()
