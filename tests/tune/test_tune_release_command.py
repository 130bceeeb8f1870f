"""`hookline tune release`, `adopt`, `rollback` and `writers`, on a shop of a few products."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import NOW
from hookline import attributes, sample
from hookline.app import open_app
from hookline.catalog import Feed
from hookline.commands.tune_release import adopt, release, rollback, writers
from hookline.errors import BadInput, Refused
from hookline.settings import read_settings
from hookline.store import open_store
from hookline.tune import release as gate
from hookline.tune.export import is_held_out
from hookline.tune.release import MEASURES, Figure, Gate, Task
from hookline.tune.versions import Registry, registry
from hookline.types import Estimate, Experiment, Product
from hookline.wire import CopyOrder
from hookline.writers import House
from tune.test_tune_versions import SHIPPED, make_model

HELD_OUT = [f"p{number}" for number in range(200) if is_held_out(f"p{number}")][:5]
TAUGHT = [f"p{number}" for number in range(20) if not is_held_out(f"p{number}")][:2]
SURE = Estimate(estimate=0.2, low=0.1, high=0.3, n=80)
Say = Callable[[], str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, no encoder, slates of two and one feeling."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKLINE_ENCODER", "none")
    monkeypatch.setattr(gate, "SLATE", 2)
    monkeypatch.setattr(gate, "TARGETS", (0.3,))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    """What was printed since the last time."""
    return lambda: capsys.readouterr().out


def make_shop(products: list[str] | None = None, *, tested: bool = True) -> None:
    """A shop with one test that nobody has seen yet."""
    ids = [*TAUGHT, *HELD_OUT] if products is None else products
    goods = tuple(Product(id=key, title=f"Harbor Canvas Tote Bag {key.upper()}") for key in ids)
    feed = Feed(format="made", mapping={}, products=goods, rejected=(), rows=len(goods))
    audience, brand = sample.audiences()[0], sample.brand()
    app = open_app(read_settings())
    app.desk.import_catalog(feed, at=NOW)
    app.desk.put_brand(brand, at=NOW)
    app.desk.put_audience(audience, at=NOW)
    place: dict[str, Any] = {"product_id": ids[0], "channel_id": "push"}
    lines = [
        app.desk.add_control(**place, brand_id=brand.id, at=NOW, parts=parts)
        for parts in ({"title": "Tote bag", "body": "A bag."}, {"title": "Bag", "body": "A tote."})
    ]
    one, other = (line.id for line in lines)
    app.desk.review([one, other], "approved", by="test", at=NOW)
    if tested:
        draft = Experiment(id="bags", name="Bags", arms=(), policy="uniform", **place)
        asked: dict[str, Any] = {"control_id": one, "audience_ids": [audience.id], "at": NOW}
        app.live.create_experiment(draft, copy_ids=[other], **asked)
    app.close()


def found_sound(
    self: Gate, new: object, incumbent: object, tasks: list[Task], **_: object
) -> tuple[Figure, ...]:
    """Figures that hold."""
    del self, new, incumbent
    assert {task.product_id for task in tasks} == set(HELD_OUT)
    assert {brief.channel.id for task in tasks for brief in task.slate} == {"push"}
    return tuple(
        Figure(
            name=each.name, says=each.says, incumbent=0.5, new=0.7, difference=SURE,
            margin=each.margin, verdict="holds",
        )
        for each in MEASURES
    )  # fmt: skip


def now() -> Registry:
    """The versions in the store."""
    store = open_store(read_settings().database)
    try:
        return registry(store)
    finally:
        store.close()


def prompts() -> set[str]:
    """Versions that an order for copy of the house is written with."""
    app = open_app(read_settings())
    order = CopyOrder(
        product_id=TAUGHT[0], channels=["push"], audiences=[sample.audiences()[0].id],
        brand=sample.brand().id, variants=4, writer="house",
    )  # fmt: skip
    kept = app.desk.write_copy(order, at=NOW).kept
    app.close()
    return {copy.prompt for copy in kept if copy.writer == House.name}


def test_a_version_goes_on_trial_wins_and_is_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Say
) -> None:
    make_shop()
    folder = make_model(tmp_path / "tuned")
    monkeypatch.setattr(Gate, "compare", found_sound)
    release(folder)
    out = said()
    assert "tuned is on trial" in out
    assert "The log is not counted: the log tells which of two lines is better in 0.0" in out
    [version] = now().versions
    assert (version.id, version.parent, version.state) == ("tuned", SHIPPED, "challenger")
    assert {figure.name for figure in version.figures} == {m.name for m in MEASURES} | {"shadow"}
    assert prompts() == {SHIPPED, "tuned"}
    with pytest.raises(Refused, match="version tuned of house is on trial"):
        release(folder)
    with pytest.raises(Refused, match="has not won yet \\(no test has shown"):
        adopt()

    asked: list[tuple[str, ...]] = []

    def told(tests: object, version_of: object, *versions: str) -> Estimate:
        asked.append(versions)
        return replace(SURE, low=-0.1 if len(asked) == 1 else 0.1)

    monkeypatch.setattr(attributes, "rivals", told)
    with pytest.raises(Refused, match=r"-10\.0% to"):
        adopt()
    adopt()
    assert asked == [(SHIPPED, "tuned")] * 2
    assert "house writes with tuned from now on (+20.0% (+10.0% to +30.0%), 80 lines)" in said()
    assert prompts() == {"tuned"}
    writers()
    assert "tuned" in said()

    rollback()
    assert "tuned is taken back; house writes with what ships" in said()
    assert prompts() == {SHIPPED}
    with pytest.raises(Refused, match="no version is challenger or default"):
        rollback()
    store = open_store(read_settings().database)
    actions = b"".join(row.body for row in store.read() if row.kind == "action")
    store.close()
    assert all(verb in actions for verb in (b"release writer", b"adopt writer", b"roll back"))


def test_a_writer_that_promises_no_more_is_refused(tmp_path: Path, said: Say) -> None:
    make_shop()
    folder = make_model(tmp_path / "tuned")
    with pytest.raises(Refused, match=r"not released, since of .*promise \(not shown\)"):
        release(folder)
    assert "On 5 held-out products" in said()
    assert now() == Registry()
    assert prompts() == {SHIPPED}


def test_a_folder_that_changes_during_the_comparison_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop()
    folder = make_model(tmp_path / "tuned")

    def spoiled(*arguments: Any, **named: Any) -> tuple[Figure, ...]:
        (folder / "house.json").write_text("{}")
        return found_sound(*arguments, **named)

    monkeypatch.setattr(Gate, "compare", spoiled)
    with pytest.raises(Refused, match="changed meanwhile"):
        release(folder)
    assert now() == Registry()


def test_a_stopped_training_is_never_released(tmp_path: Path) -> None:
    make_shop()
    folder = make_model(tmp_path / "tuned")
    (folder / "stopped.json").write_text('{"why": "entropy fell"}')
    with pytest.raises(Refused, match="entropy fell"):
        release(folder)
    assert now() == Registry()


def test_what_cannot_be_compared_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="holds no model"):
        release(tmp_path)
    make_shop(tested=False)
    with pytest.raises(BadInput, match="no test in the log"):
        release(make_model(tmp_path / "tuned"))
    with pytest.raises(Refused, match="writes with already"):
        release(make_model(tmp_path / "same", SHIPPED))
    monkeypatch.setenv("HOOKLINE_PRIOR", "none")
    monkeypatch.setenv("HOOKLINE_DATABASE", "sqlite:///other.db")
    make_shop()
    with pytest.raises(BadInput, match="name a text prior with --judge"):
        release(tmp_path / "tuned")


def test_without_held_out_products_there_is_nothing_to_measure_on(tmp_path: Path) -> None:
    make_shop(TAUGHT)
    with pytest.raises(BadInput, match="none of 2 products is held out"):
        release(make_model(tmp_path / "tuned"))


def test_a_model_without_an_incumbent_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: no model of others can be run")
    pytest.importorskip("transformers", reason="transformers is not installed")
    make_shop()
    folder = tmp_path / "hf"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(BadInput, match="has no incumbent to be compared with"):
        release(folder)


def test_a_shop_without_versions_says_so(said: Say) -> None:
    writers()
    assert "No version was released" in said()
