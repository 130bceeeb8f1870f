"""From the log to what is asked for: outcomes → attribute policy → the desk's briefs."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conftest import NOW
from hookline import sample
from hookline.app import App, open_app
from hookline.attributes import AttributePolicy, design, learned_from
from hookline.catalog import read_feed
from hookline.prompts import load, render
from hookline.settings import read_settings
from hookline.types import Arm, Attributes, Audience, Brief, Context, Decision, Experiment, Outcome
from hookline.wire import CopyOrder

CELLS = design(Audience(id="all", name="All"), 4, seed=0)
TEST = Experiment(
    id="t",
    name="Test",
    product_id="p",
    channel_id="email",
    arms=(
        Arm(id="human", text="Human", parts={}, control=True),
        *(Arm(id=f"a{k}", text=f"Line {k}", parts={}, attributes=c) for k, c in enumerate(CELLS)),
    ),
)


def outcome(k: int, arm: str, **changes: object) -> Outcome:
    decision = Decision(
        id=f"d{k}",
        experiment_id="t",
        arm_id=arm,
        propensity=0.2,
        probabilities={arm: 0.2},
        slice="policy",
        reason="policy",
        context=Context(visitor_id=f"v{k}", at=NOW + timedelta(hours=k)),
        audience_id="all",
    )
    made = Outcome(decision=decision, exposed=True, clicks=k % 3, click_settled=True)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_settled_outcomes_of_written_lines_are_learned() -> None:
    outcomes = [outcome(k, f"a{k % 4}") for k in range(12)]
    wanted = AttributePolicy(half_life_days=5.0)
    for each in outcomes:
        wanted.learn(
            audience_id="all",
            attributes=CELLS[int(each.decision.arm_id[1:])],
            reward=float(each.clicks > 0),
            expected=8 / 12,
            at=each.decision.context.at,
            propensity=0.2,
            test_id="t",
            line_id=each.decision.arm_id,
        )
    assert learned_from([(TEST, outcomes)], half_life_days=5.0).dump() == wanted.dump()


@pytest.mark.parametrize(
    "changes",
    [
        {"exposed": False},
        {"click_settled": False},
        {"decision": replace(outcome(2, "a1").decision, slice="fallback")},
        {"decision": replace(outcome(2, "a1").decision, arm_id="human")},
        {"decision": replace(outcome(2, "a1").decision, arm_id="gone")},
        {"decision": replace(outcome(2, "a1").decision, propensity=0.0)},
    ],
)
def test_what_says_nothing_of_a_line_is_left_out(changes: dict[str, object]) -> None:
    sound = [outcome(k, f"a{k % 4}") for k in range(8)]
    without = learned_from([(TEST, sound)])
    assert learned_from([(TEST, [*sound, outcome(2, "a1", **changes)])]).dump() == without.dump()


def test_a_test_that_brought_nothing_leaves_the_design() -> None:
    policy = learned_from([(TEST, [outcome(k, f"a{k % 4}", clicks=0) for k in range(8)])])
    assert policy.dump() == "[]"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.chdir(tmp_path)
    made = open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", learn_every_s=0))
    made.desk.import_catalog(read_feed(sample.shop_path()), at=NOW)
    made.desk.put_brand(sample.brand(), at=NOW)
    for audience in sample.audiences():
        made.desk.put_audience(audience, at=NOW)
    return made


def ordered(app: App, product: int, seed: int = 0) -> dict[str, Attributes]:
    """Copy id → attributes of what is written for one audience of one product."""
    order = CopyOrder(
        product_id=app.desk.products()[product].id,
        channels=["onsite_banner"],
        audiences=[sample.audiences()[0].id],
        brand=sample.brand().id,
        variants=4,
        seed=seed,
    )
    kept = app.desk.write_copy(order, at=NOW).kept
    return {copy.id: copy.attributes for copy in kept if copy.attributes is not None}


def briefs(app: App, product: int, writer: str) -> list[Brief]:
    """What one copy for one audience of one product is asked for."""
    order = CopyOrder(
        product_id=app.desk.products()[product].id,
        channels=["onsite_banner"],
        audiences=[sample.audiences()[0].id],
        brand=sample.brand().id,
        variants=1,
        writer=writer,
    )
    return app.desk.briefs(order)


def test_new_copy_asks_for_what_worked_on_the_channel(app: App) -> None:
    """A test whose visitors click on half of its lines; the next product's copy learns from it."""
    audience, product = sample.audiences()[0], app.desk.products()[0].id
    untaught = set(ordered(app, 1).values())
    written = ordered(app, 0)
    control = app.desk.add_control(
        product_id=product, channel_id="onsite_banner", brand_id=sample.brand().id, at=NOW
    )
    app.review([*written, control.id], "approved", at=NOW, by="test")
    draft = Experiment(
        id="one", name="One", product_id=product, channel_id="onsite_banner", arms=(), uniform=1.0,
        holdout=0.0, click_hours=1.0,
    )  # fmt: skip
    app.live.create_experiment(
        draft, copy_ids=list(written), control_id=control.id, audience_ids=[audience.id], at=NOW
    )
    app.live.move("one", "review", at=NOW)
    app.live.move("one", "running", at=NOW)
    traits = {trait: values[0] for trait, values in audience.when.items()}
    good = next(iter(written))
    for n in range(400):
        served = app.live.decide("one", Context(visitor_id=f"v{n}", at=NOW, traits=traits))
        names = ["Promotion Viewed"] + ["Promotion Clicked"] * (
            n % 10 < (9 if served.arm.id == good else 2)
        )
        app.live.ingest(
            [
                {
                    "messageId": f"{name}{n}", "event": name, "userId": f"v{n}",
                    "timestamp": NOW.isoformat(),
                    "properties": {"decision_id": served.decision_id},
                }
                for name in names
            ],
            at=NOW,
        )  # fmt: skip
    app.live.learn()
    assert set(ordered(app, 1).values()) == untaught  # no window has closed yet
    app.live.ingest([{"event": "nonsense", "messageId": "m"}], at=NOW)
    app.live.decide("one", Context(visitor_id="late", at=NOW + timedelta(hours=2)))
    app.live.learn()
    taught = list(ordered(app, 1).values())
    assert set(taught) != untaught
    assert taught == list(ordered(app, 1, seed=0).values())
    shared = [
        sum(
            getattr(cell, name) == getattr(written[good], name) for name in ("angle", "tone", "cta")
        )
        for cell in taught
    ]
    assert shared[0] >= 2
    (best, *_) = [copy.text for copy in app.desk.copies() if copy.id == good]
    told = {writer: briefs(app, 1, writer)[0].lessons for writer in ("openai", "phrasebook")}
    assert told["openai"][0].startswith(f"“{best}” brought about ")
    assert told["openai"][0].endswith("more clicks than its test's average, with these readers.")
    assert told["phrasebook"] == (), "it reads no lessons, so that none are gathered for it"
    assert told["openai"][0] in render(load("write_copy"), briefs(app, 1, "openai")[0], 2)[1]
    app.close()


def test_cells_of_approved_copy_are_not_asked_for_again(app: App) -> None:
    first = ordered(app, 0)
    assert set(ordered(app, 0).values()) == set(first.values())
    app.review(list(first), "approved", at=NOW, by="test")
    assert not set(ordered(app, 0).values()) & set(first.values())
    app.close()
