"""The rule at work: shipped to everybody, taken out by a guard, and the log that gives it back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from conftest import NOW, make_context, make_experiment
from hookline.errors import BadInput, HooklineError, Refused, Unknown
from hookline.experiment import decide, is_held_out, retired, shipped, unshipped, with_rule, without
from hookline.live import GUARD, WATCH_EVERY, Live
from hookline.policies import POLICIES
from hookline.store import Store, open_store
from hookline.types import (
    Action,
    Audience,
    Copy,
    Experiment,
    Guardrail,
    GuardrailReport,
    Outcome,
    Product,
    Rule,
    dumps,
    loads,
)

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    copies = {
        name: Copy(
            id=name, product_id="p1", channel_id="email", parts={"subject": name},
            status="approved", created_at=NOW,
        )
        for name in ("control", "a", "b")
    }  # fmt: skip
    made = open_store(f"sqlite:///{tmp_path}/ship.db")
    made.write(
        documents={
            "product": {"p1": dumps(Product(id="p1", title="Boots"))},
            "audience": {"all": dumps(Audience(id="all", name="All"))},
            "copy": {name: dumps(copy) for name, copy in copies.items()},
        }
    )
    yield made
    made.close()


def started(store: Store, **changes: object) -> Live:
    """A running experiment `boots` over a control, `a` and `b`."""
    live = Live(store)
    draft = make_experiment(arms=(), status="draft", started_at=None, channel_id="email", **changes)
    live.create_experiment(
        draft, copy_ids=["a", "b"], control_id="control", audience_ids=["all"], at=NOW
    )
    live.move("boots", "review", at=NOW)
    live.move("boots", "running", at=NOW)
    return live


def told(name: str, visitor: str, key: str, at: datetime) -> dict[str, object]:
    """An event on a decision, as a shop sends it."""
    return {
        "messageId": f"{name} {key}",
        "event": name,
        "userId": visitor,
        "timestamp": at.isoformat(),
        "properties": {"decision_id": key},
    }


def visit(
    live: Live, first: int, count: int, *, leave: str = "", at: datetime = NOW
) -> Counter[str]:
    """Visitors who are shown their line; one in three of those on `leave` unsubscribes."""
    served: Counter[str] = Counter()
    events: list[dict[str, object]] = []
    for n in range(first, first + count):
        got = live.decide("boots", make_context(f"v{n}", at=at))
        served[got.arm.id] += 1
        if got.decision_id:
            names = ["Promotion Viewed"] + ["Unsubscribed"] * (got.arm.id == leave and n % 3 == 0)
            events += [told(name, f"v{n}", got.decision_id, at) for name in names]
    live.ingest(events, at=at)
    return served


def actions(store: Store) -> list[Action]:
    return [loads(row.body, Action) for row in store.read() if row.kind == "action"]


# --- shipping ----------------------------------------------------------------------------------


def test_a_shipped_line_serves_everybody_but_the_hold_out(store: Store) -> None:
    live = started(store, holdout=0.2)
    before = {n: live.decide("boots", make_context(f"v{n}")).arm.id for n in range(60)}
    live.ship("boots", "b", at=NOW, by="test")
    test = live.experiment("boots")
    made = {n: live.decide("boots", make_context(f"v{n}")).decision_id for n in range(60, 460)}
    held = {n: is_held_out(test, key) for n, key in made.items()}
    assert abs(sum(held.values()) - 80) < 4 * (400 * 0.2 * 0.8) ** 0.5
    for n, out in held.items():
        served = live.decide("boots", make_context(f"v{n}"))
        assert served.arm.id == ("control" if out else "b")
        assert served.propensity == pytest.approx(0.2 if out else 0.8)
    for n, arm in before.items():
        served = live.decide("boots", make_context(f"v{n}"))
        known = live._decision(served.decision_id)
        if served.decision_id == "":  # who had another line gets this one, outside the test
            assert (served.arm.id, served.reason, served.token) == ("b", "shipped", "")
        else:
            assert served.arm.id == arm
            assert arm == "b" or is_held_out(live.experiment("boots"), served.decision_id)
            assert known is not None


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_every_policy_learns_on_while_a_line_is_shipped_and_replay_gives_it_back(
    store: Store, policy: str
) -> None:
    live = started(store, policy=policy, objective="clicks")
    visit(live, 0, 40)
    live.learn()
    live.ship("boots", "a", at=NOW)
    visit(live, 40, 40, at=NOW + DAY)
    live.learn()
    live.unship("boots", at=NOW + DAY)
    again = visit(live, 80, 40, at=NOW + 2 * DAY)
    version = live.learn().version
    assert len(again) > 1
    assert live.replay().same
    reborn = Live(store)
    assert reborn.experiments() == live.experiments()
    assert reborn.learn().version == version
    assert [each.verb for each in actions(store)[-2:]] == ["ship", "unship"]
    assert actions(store)[-2].note == "a"


def test_shipping_without_a_name_takes_the_reports_winner(store: Store) -> None:
    live = started(store)
    with pytest.raises(Refused, match="the verdict is 'too early'; name the line"):
        live.ship("boots", at=NOW)
    assert live.experiment("boots").shipped == ""
    events: list[dict[str, object]] = []
    for n in range(2_000):
        got = live.decide("boots", make_context(f"v{n}"))
        clicked = n % 10 < {"control": 1, "a": 1, "b": 5}[got.arm.id]
        names = ["Promotion Viewed"] + ["Promotion Clicked"] * clicked
        events += [told(name, f"v{n}", got.decision_id, NOW) for name in names]
    live.ingest(events, at=NOW)
    visit(live, 5_000, 1, at=NOW + DAY)  # moves the log's clock past the window
    live.learn()
    assert live.experiment_report("boots").verdict == "ship"
    assert live.ship("boots", at=NOW).shipped == "b"
    assert live.experiment_report("boots").verdict == "shipped"


def test_a_concluded_experiment_gives_the_shipped_line_to_all_and_a_paused_one_the_control(
    store: Store,
) -> None:
    live = started(store, holdout=0.5)
    live.ship("boots", "a", at=NOW)
    live.move("boots", "paused", at=NOW)
    assert visit(live, 0, 20) == {"control": 20}
    with pytest.raises(Refused, match="is paused, so its control serves everybody"):
        live.ship("boots", "b", at=NOW)
    live.move("boots", "running", at=NOW)
    assert visit(live, 20, 40).keys() == {"a", "control"}
    live.move("boots", "concluded", at=NOW)
    assert visit(live, 60, 20) == {"a": 20}
    live.ship("boots", "b", at=NOW)
    assert visit(live, 80, 20) == {"b": 20}
    live.unship("boots", at=NOW)
    assert visit(live, 100, 20) == {"control": 20}
    live.flush()
    assert store.counts()["decision"] == 40


@pytest.mark.parametrize(
    ("arm", "kind", "word"),
    [
        ("control", Unknown, "no line 'control' to ship; there are: a, b"),
        ("none", Unknown, "no line 'none'"),
    ],
)
def test_only_a_served_challenger_can_be_shipped(
    arm: str, kind: type[HooklineError], word: str
) -> None:
    with pytest.raises(kind, match=word):
        shipped(make_experiment(), arm)
    with pytest.raises(Unknown, match="there are: b"):
        shipped(retired(make_experiment(), ["a"]), "a")
    with pytest.raises(Refused, match="is draft"):
        shipped(make_experiment(status="draft"), "a")
    with pytest.raises(Refused, match="nothing to undo"):
        unshipped(make_experiment())


def test_shipping_and_taking_back_leaves_the_experiment_as_it_was() -> None:
    for status in ("running", "concluded"):
        test = make_experiment(status=status)
        assert unshipped(shipped(test, "a")) == test


def test_a_shipped_line_that_is_withdrawn_leaves_everybody_the_control(store: Store) -> None:
    live = started(store)
    live.ship("boots", "a", at=NOW)
    live.withdraw(["a"], at=NOW, by="test")
    assert (live.experiment("boots").shipped, live.experiment("boots").status) == ("", "paused")
    assert visit(live, 0, 20) == {"control": 20}


def test_without_a_hold_out_a_shipped_line_has_all_the_probability() -> None:
    test = shipped(make_experiment(holdout=0.0), "b")
    made = decide(test, make_context(), None, "")
    assert (made.arm_id, made.propensity, made.slice) == ("b", 1.0, "shipped")
    assert made.probabilities == {"b": 1.0}


# --- guard metrics -----------------------------------------------------------------------------

WATCHED = Rule(guardrails=(Guardrail(metric="unsubscribes", tolerated=5.0),))


def test_a_guard_takes_a_proven_harmful_line_out_and_nothing_else(store: Store) -> None:
    live = started(store, rule=WATCHED, horizon=1_500, uniform=0.5)
    visit(live, 0, 1_500, leave="a")
    live.learn()
    assert len(live.experiment("boots").challengers) == 2  # nothing is settled, nothing is proven
    visit(live, 2_000, 1, at=NOW + 2 * DAY)
    live.learn()
    left = live.experiment("boots")
    assert [arm.id for arm in left.challengers] == ["b"]
    assert left.status == "running"
    done = actions(store)[-1]
    assert (done.verb, done.by, done.subject) == ("retire", GUARD, "boots")
    assert "a: +" in done.note
    assert "more unsubscribes per 1,000 visitors" in done.note
    assert "where 5 are tolerated" in done.note
    assert "a" not in visit(live, 3_000, 100, at=NOW + 2 * DAY)
    live.learn()
    assert live.replay().same
    assert Live(store).experiment("boots") == left
    verbs = [each.verb for each in actions(store)]
    assert verbs.count("retire") == 1
    report = live.experiment_report("boots")
    assert [row.harmful for row in report.guardrails] == [True, False]


def test_the_last_line_taken_out_pauses_the_experiment(store: Store) -> None:
    live = started(store, rule=WATCHED, horizon=1_500, uniform=0.5)
    live.retire("boots", ["b"], at=NOW, by="test", note="not our tone")
    visit(live, 0, 1_000, leave="a")
    visit(live, 2_000, 1, at=NOW + 2 * DAY)
    live.learn()
    assert live.experiment("boots").status == "paused"
    assert visit(live, 3_000, 50, at=NOW + 2 * DAY) == {"control": 50}
    report = live.experiment_report("boots")
    assert report.verdict == "stop"
    assert "your control serves everybody" in report.sentence


def test_a_dip_that_is_not_proven_takes_nothing_out(store: Store) -> None:
    live = started(store, rule=WATCHED)
    visit(live, 0, 120, leave="a")
    visit(live, 2_000, 1, at=NOW + 2 * DAY)
    live.learn()
    assert live.experiment_report("boots").guardrails[0].events > 3
    assert len(live.experiment("boots").challengers) == 2


def test_guard_metrics_are_looked_at_every_so_often_by_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = started(store, rule=WATCHED)
    looks: list[int] = []

    def look(_test: Experiment, made: Sequence[Outcome]) -> tuple[GuardrailReport, ...]:
        looks.append(len(made))
        return ()

    monkeypatch.setattr("hookline.live.harms", look)
    for n, minutes in enumerate((0, 1, 14, 15, 16, 31)):
        visit(live, n, 1, at=NOW + timedelta(minutes=minutes))
        live.learn()
    assert timedelta(minutes=15) == WATCH_EVERY
    assert looks == [1, 4, 6]


def test_retired_lines_are_refused_twice_and_the_control_always() -> None:
    test = make_experiment()
    once = retired(test, ["a"])
    assert [arm.active for arm in once.arms] == [True, False, True]
    with pytest.raises(Refused, match="taken out before"):
        retired(once, ["a"])
    with pytest.raises(Refused, match="is the control"):
        retired(test, ["control"])
    with pytest.raises(Unknown, match="no line 'z'"):
        retired(test, ["z"])
    assert without(test, ["z"]) == test
    assert retired(test, ["a", "b"]).status == "paused"
    assert retired(replace(test, status="draft"), ["a", "b"]).status == "draft"


# --- the rule ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (Rule(worthwhile=-1.0), "worthwhile must be a gain"),
        (Rule(worthwhile=float("nan")), "worthwhile must be a gain"),
        (Rule(value=0.0), "value must be the money"),
        (Rule(risk=0.0), "risk must be above 0"),
        (Rule(risk=0.6), "risk must be above 0"),
        (Rule(guardrails=(Guardrail(metric="clicks"),)), "clicks is the objective"),
        (Rule(guardrails=(Guardrail(metric="orders", tolerated=-1),)), "harm tolerated in orders"),
        (Rule(guardrails=(Guardrail(metric="orders"),) * 2), "names one twice"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Rule, word: str) -> None:
    draft = make_experiment(status="draft", started_at=None)
    with pytest.raises(BadInput, match=word):
        with_rule(draft, rule)


def test_a_rule_is_set_before_the_start_and_never_after(store: Store) -> None:
    live = Live(store)
    draft = make_experiment(arms=(), status="draft", started_at=None, channel_id="email")
    live.create_experiment(
        draft, copy_ids=["a", "b"], control_id="control", audience_ids=["all"], at=NOW
    )
    asked = Rule(worthwhile=2.0, value=0.4, risk=0.1, guardrails=WATCHED.guardrails)
    assert live.set_rule("boots", asked, at=NOW, by="marketer").rule == asked
    live.move("boots", "review", at=NOW)
    live.move("boots", "running", at=NOW)
    for status in ("running", "paused"):
        with pytest.raises(Refused, match="its rule was set before and stays"):
            live.set_rule("boots", Rule(), at=NOW)
        if status == "running":
            live.move("boots", "paused", at=NOW)
    reborn: Experiment = Live(store).experiment("boots")
    assert reborn.rule == asked
    kept = [each for each in actions(store) if each.verb == "rule"]
    assert [(each.by, each.experiment and each.experiment.rule) for each in kept] == [
        ("marketer", asked)
    ]
