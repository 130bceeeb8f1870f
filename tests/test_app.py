from pathlib import Path

import pytest

from conftest import NOW
from hookline import sample
from hookline.app import _promise, make_openai, open_app
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import channel
from hookline.errors import BadInput, Unknown, UnregisteredName
from hookline.generate import Slate, Terms
from hookline.prior import TextPrior
from hookline.prompts import load, with_craft
from hookline.prompts.versions import Roles, keep, set_roles
from hookline.settings import read_settings
from hookline.types import Attributes, Brand, Product
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


def test_open_app_refuses_a_writer_that_could_never_write(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/app.db"
    with pytest.raises(BadInput, match="no folder is named; set transformers_model"):
        open_app(read_settings(database=database, writer="transformers"))
    (tmp_path / "roles.json").write_text('{"usual": "abc"}')
    with pytest.raises(Unknown, match="has no prompt 'abc'"):
        open_app(read_settings(database=database, writer="openai", prompts=str(tmp_path)))
    assert not (tmp_path / "app.db").exists()


def test_settings_give_the_openai_writer_its_prompts_and_its_cache(tmp_path: Path) -> None:
    trial = with_craft(load("write_copy"), "- Ask a question.")
    keep(tmp_path, trial, {})
    set_roles(tmp_path, Roles(on_trial=trial.version))
    file = tmp_path / "answers.db"
    made = make_openai(read_settings(prompts=str(tmp_path), openai_cache=str(file)))
    assert made.prompts == (load("write_copy"), trial)
    assert file.exists()
    assert make_openai(read_settings()).prompts == (load("write_copy"),)


def test_settings_become_the_terms_that_copy_is_written_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Terms] = []

    def noted(*args: object, terms: Terms, **rest: object) -> Slate:
        seen.append(terms)
        return Slate(kept=(), rejected=(), shortfall=())

    monkeypatch.setattr("hookline.desk.generate", noted)
    app = open_app(
        read_settings(
            database=f"sqlite:///{tmp_path}/app.db",
            creativity=0.3,
            creativity_by_category={"Bags": 0.7},
            budget_usd=0.25,
            openai_at_once=3,
        )
    )
    app.desk.import_catalog(read_feed(sample.shop_path()), at=NOW)
    app.desk.put_brand(sample.brand(), at=NOW)
    app.desk.put_audience(sample.audiences()[0], at=NOW)
    for writer in ("openai", "phrasebook"):
        order = CopyOrder(
            product_id=app.desk.products()[0].id, channels=["email"], brand=sample.brand().id,
            audiences=[sample.audiences()[0].id], writer=writer,
        )  # fmt: skip
        app.desk.write_copy(order, at=NOW)
    app.close()
    assert [terms.at_once for terms in seen] == [3, 1]
    assert {terms.budget_usd for terms in seen} == {0.25}
    assert {terms.choice.creativity for terms in seen} == {0.3}
    assert seen[0].choice.by_category == {"Bags": 0.7}
    assert seen[0].stand_in is seen[1].stand_in
    assert seen[0].choice.embed(["a bag", "a shoe"]).shape == (2, 64)


def test_the_text_prior_promises_nothing_of_a_language_it_does_not_read() -> None:
    promise = _promise(TextPrior.load)
    german, english = (
        make_brief(
            product=Product(id="b", title="Canvas Bag"),
            audience=sample.audiences()[0],
            channel=channel("email"),
            brand=Brand(id="acme", name="Acme", locale=locale),
            attributes=Attributes(),
        )
        for locale in ("de-DE", "en-GB")
    )
    lines = ["You won't believe what this bag holds", "Bag"]
    assert promise(german, lines).tolist() == [0.0, 0.0]
    promised = promise(english, lines)
    assert promised[0] > promised[1]
