"""`benchmarks.drift` shows everybody the same world, tells them in time, and counts right."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from benchmarks.drift.__main__ import main
from benchmarks.drift.entries import OURS, STATIC
from benchmarks.drift.play import Account, Run, play, play_asking
from benchmarks.drift.plot import plot
from benchmarks.drift.runs import SETTINGS
from benchmarks.drift.table import bars_of, table_of
from benchmarks.drift.world import BATCH, MACHINE_LINES, REPLACED, SETTLED, World
from benchmarks.peers import DRIFT_PEERS, installed
from benchmarks.peers.base import Peer
from benchmarks.peers.linear import DiscountedLinTS, LinUcb
from benchmarks.peers.sliding_thompson import SlidingThompson

from hookline.attributes import design
from hookline.policies import Policy, make_policy
from hookline.policies.uniform import Uniform
from hookline.types import Arm, Attributes, Audience, Context, Decision, Episode

SMALL = replace(SETTINGS["abrupt"], visits=600, days=32.0)
AT = datetime(2026, 1, 5, tzinfo=UTC)
ARMS = (
    Arm(id="control", text="See it.", parts={"headline": "See it."}, control=True),
    Arm(id="a", text="A", parts={"headline": "A"}, attributes=Attributes(angle="value")),
    Arm(id="b", text="B", parts={"headline": "B"}, attributes=Attributes(angle="quality")),
)


@pytest.fixture(scope="module")
def world() -> World:
    return World(SMALL, seed=9001)


class Watcher(Uniform):
    """Deals evenly, and keeps what it was asked and told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Context, Sequence[Arm]]] = []
        self.told: list[tuple[Decision, Sequence[Arm], float, int]] = []

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Any:
        self.asked.append((context, arms))
        return super().propose(context, audience_id, arms)

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        self.told.append((decision, arms, reward, len(self.asked)))


class Notes:
    """A memory that counts what it is told; as `Memory`, it is false while it is empty."""

    def __init__(self) -> None:
        self.shown: dict[str, list[str]] = {}
        self.settled = 0

    def __len__(self) -> int:
        return len(self.shown)

    def show(self, decision: Decision, arm: Arm) -> None:
        self.shown.setdefault(decision.context.visitor_id, []).append(arm.id)

    def settle(self, decision: Decision, reward: float) -> None:
        self.settled += 1

    def recall(self, visitor_id: str, at: datetime) -> tuple[Episode, ...]:
        return tuple(Episode(1.0, arm_id, -1) for arm_id in self.shown.get(visitor_id, []))


class Wishes:
    """Asks for calm lines only."""

    def __init__(self) -> None:
        self.told = 0

    def learn(self, decision: Decision, arms: Sequence[Arm], reward: float) -> None:
        self.told += 1

    def cells(self, n: int, *, seed: int, taken: Collection[Attributes]) -> Sequence[Attributes]:
        everybody = Audience(id="x", name="X")
        found = [replace(cell, tone="calm") for cell in design(everybody, 4 * n, seed, taken)]
        return [cell for cell in dict.fromkeys(found) if cell not in taken][:n]


def test_world_is_the_same_from_the_same_seed(world: World) -> None:
    again = World(SMALL, seed=9001)
    assert again.contexts == world.contexts
    assert again.slates == world.slates
    assert np.array_equal(again.luck, world.luck)
    assert World(SMALL, seed=9002).contexts != world.contexts


def test_world_three_oldest_lines_make_room_for_three_new_ones(world: World) -> None:
    assert len(world.slates) == 3
    for before, after in zip(world.slates, world.slates[1:], strict=False):
        assert len(after) == 1 + MACHINE_LINES
        assert after[0] is before[0]
        assert after[0].control
        assert after[1:-REPLACED] == before[1 + REPLACED :]
        assert not {arm.id for arm in after[-REPLACED:]} & {arm.id for arm in before}
    every = {arm.id: arm.text for slate in world.slates for arm in slate}
    assert len(every) == 1 + MACHINE_LINES + 2 * REPLACED


def test_world_luck_of_a_line_belongs_to_its_turn() -> None:
    world = World(SMALL, seed=9001)
    visit = world.visits[0]
    cells = design(Audience(id="x", name="X"), REPLACED, seed=5)
    one, other = world.renewed(world.slates[0], cells), world.renewed(world.slates[0], cells[::-1])
    liked = {arm.attributes: world.shop.expected_click(visit, {}, arm.attributes) for arm in one}
    luck = [world.click(visit, arm) / liked[arm.attributes] for arm in one[-REPLACED:]]
    again = [world.click(visit, arm) / liked[arm.attributes] for arm in other[-REPLACED:]]
    assert luck == pytest.approx(again)
    assert len({round(each, 9) for each in luck}) == REPLACED
    assert {arm.text for arm in one[-REPLACED:]} == {arm.text for arm in other[-REPLACED:]}


def test_play_tells_each_outcome_once_in_order_and_not_within_a_day(world: World) -> None:
    watcher = Watcher()
    play(world, make=lambda: watcher)
    assert [context.visit_id for context, _ in watcher.asked] == [
        visit.visit_id for visit in world.visits
    ]
    assert [one[0].context.visit_id for one in watcher.told] == [
        visit.visit_id for visit in world.visits[: world.matured[-1]]
    ]
    for decision, arms, reward, asked in watcher.told:
        assert asked % BATCH == 0
        assert decision.context.at + SETTLED <= world.visits[asked].at
        assert decision.arm_id in {arm.id for arm in arms}
        assert sum(decision.probabilities.values()) == pytest.approx(1)
        assert decision.propensity == decision.probabilities[decision.arm_id]
        assert reward in {0.0, 1.0}
    due = world.visits[-BATCH].at - SETTLED
    assert world.matured[-1] == sum(visit.at <= due for visit in world.visits)


def test_play_offers_the_slate_of_the_day_to_a_visitor_without_a_past(world: World) -> None:
    watcher = Watcher()
    play(world, make=lambda: watcher)
    for (context, arms), visit in zip(watcher.asked, world.visits, strict=True):
        assert arms == world.slates[int(visit.day // 15)]
        assert context.past == ()


def test_play_worth_is_that_of_the_copy_served_as_worn_as_it_was(world: World) -> None:
    watcher = Watcher()
    run = play(world, make=lambda: watcher)
    assert run == replace(play(world, make=Watcher), seconds=run.seconds)
    assert sum(run.daily) == pytest.approx(run.ctr * len(world.visits))
    assert run.regret == pytest.approx(float(world.best.mean()) - run.ctr)
    assert 0 < run.cvr < run.ctr < run.ctr + run.regret < 1
    shoppers = len({visit.visitor_id for visit in world.visits})
    assert run.long_run < run.revenue * len(world.visits) / shoppers


def test_account_a_copy_shown_again_is_worn_and_recovers() -> None:
    world = World(SMALL, seed=9001)
    account, arm, early = Account(world), world.slates[0][1], world.visits[0]
    late = early.at + timedelta(days=900)
    world.visits[1] = replace(early, visit_id="again")
    world.visits[2] = replace(early, visit_id="late", at=late, day=early.day + 900)
    for index in range(3):
        account.serve(index, arm)
    chances = account.worth[:, 0]
    fresh = [world.click(visit, arm) for visit in world.visits[:3]]
    assert chances[0] == fresh[0]
    assert chances[1] < fresh[1]
    assert chances[2] == pytest.approx(fresh[2])


def test_play_memory_hears_of_every_showing_and_fills_the_past(world: World) -> None:
    notes, watcher = Notes(), Watcher()
    play(world, make=lambda: watcher, memory=lambda: notes)
    assert sum(map(len, notes.shown.values())) == len(world.visits)
    assert notes.settled == len(watcher.told) > 0
    for context, _ in watcher.asked[-50:]:
        assert len(context.past) == sum(
            visit.visitor_id == context.visitor_id and visit.at < context.at
            for visit in world.visits
        )


def test_play_new_lines_are_those_that_were_asked_for(world: World) -> None:
    wishes, watcher = Wishes(), Watcher()
    _, slates = play_asking(world, make=lambda: watcher, asks=lambda: wishes)
    last = watcher.asked[-1][1]
    assert list(slates[-1]) == list(last)
    assert wishes.told == len(watcher.told)
    asked = 2 * REPLACED
    assert [arm.attributes.tone for arm in last[-asked:] if arm.attributes] == ["calm"] * asked
    assert len({arm.id for arm in last}) == 1 + MACHINE_LINES


def decided(arm: Arm, audience_id: str, arms: Sequence[Arm] = ARMS) -> Decision:
    return Decision(
        id="d",
        experiment_id="e",
        arm_id=arm.id,
        propensity=1 / len(arms),
        probabilities={one.id: 1 / len(arms) for one in arms},
        slice="policy",
        reason="policy",
        context=seen(audience_id),
        audience_id=audience_id,
    )


def seen(audience_id: str) -> Context:
    return Context(visitor_id="v", at=AT, traits={"segment": audience_id, "orders": 2.0})


def taught(policy: Policy, rounds: int, best: dict[str, str]) -> Policy:
    """The policy after visits to every arm, where each audience clicks on one of them."""
    for _ in range(rounds):
        for audience_id, liked in best.items():
            for arm in ARMS:
                policy.learn(decided(arm, audience_id), ARMS, float(arm.id == liked))
    return policy


@pytest.mark.parametrize("label", DRIFT_PEERS)
def test_peer_deals_learns_and_meets_new_copy(label: str) -> None:
    if label not in installed(DRIFT_PEERS):
        pytest.skip(f"{label} is not installed; `make peers` does it")
    policy = DRIFT_PEERS[label][1]()
    before = policy.probabilities(seen("x"), "x", ARMS)
    assert before.shape == (3,)
    taught(policy, 200, {"x": "b"})
    after = policy.probabilities(seen("x"), "x", ARMS)
    assert after.sum() == pytest.approx(1)
    assert int(after.argmax()) == 2
    assert after[2] > before[2] or before[2] == 1
    more = (*ARMS[::2], Arm(id="c", text="C", parts={}, attributes=Attributes(angle="ease")))
    assert policy.probabilities(seen("y"), "y", more).shape == (3,)
    again = policy.clone()
    assert np.array_equal(again.probabilities(seen("x"), "x", ARMS), before)


@pytest.mark.parametrize("make", [LinUcb, DiscountedLinTS])
def test_linear_peers_tell_audiences_apart(make: type[Peer]) -> None:
    policy = taught(make(), 200, {"x": "a", "y": "b"})
    assert int(policy.probabilities(seen("x"), "x", ARMS).argmax()) == 1
    assert int(policy.probabilities(seen("y"), "y", ARMS).argmax()) == 2


def test_discounted_lints_follows_a_change_that_linucb_sits_out() -> None:
    policies = [taught(make(), 2000, {"x": "a"}) for make in (DiscountedLinTS, LinUcb)]
    for policy in policies:
        taught(policy, 1500, {"x": "b"})
    shares = [policy.probabilities(seen("x"), "x", ARMS) for policy in policies]
    assert [int(share.argmax()) for share in shares] == [2, 1]


def test_sliding_thompson_is_thompson_over_its_window() -> None:
    policy = taught(SlidingThompson(window=60), 100, {"x": "a"})
    taught(policy, 20, {"x": "b"})
    fresh = taught(make_policy("thompson", {"floor": 0}), 20, {"x": "b"})
    assert policy.probabilities(seen("x"), "x", ARMS) == pytest.approx(
        fresh.probabilities(seen("x"), "x", ARMS)
    )


def test_peers_keep_no_state_and_take_no_corrections() -> None:
    policy = LinUcb()
    for refused in (
        policy.dump,
        lambda: policy.load("{}"),
        lambda: policy.correct(decided(ARMS[0], "x"), ARMS, 1.0),
    ):
        with pytest.raises(TypeError, match="linucb"):
            refused()


def run_of(ctr: float, **changed: float) -> Run:
    run = Run(
        ctr=ctr, cvr=ctr / 10, revenue=ctr, long_run=ctr, regret=0.2 - ctr,
        daily=[ctr] * 30, seconds=1.0,
    )  # fmt: skip
    return replace(run, **changed)  # pyright: ignore[reportArgumentType]


RUNS = {
    OURS: {1: run_of(0.12), 2: run_of(0.13)},
    STATIC: {1: run_of(0.10), 2: run_of(0.10)},
    "thompson": {1: run_of(0.13), 2: run_of(0.12)},
}


def test_table_pairs_by_seed() -> None:
    table = table_of("abrupt", RUNS)
    ours, thompson = table.rows[OURS], table.rows["thompson"]
    assert ours.gain["ctr"].estimate == pytest.approx(0.25)
    # t(1 df, .975) = 12.706; the sd of (.2, .3) over √2 is .05.
    assert ours.gain["ctr"].high == pytest.approx(0.25 + 12.706 * 0.05, rel=1e-4)
    assert ours.ours_over_it
    assert ours.ours_over_it.low == ours.ours_over_it.high == 0
    assert thompson.ours_over_it
    assert thompson.ours_over_it.estimate == pytest.approx((12 / 13 + 13 / 12) / 2 - 1)
    assert ours.lift == pytest.approx([0.25] * 30)


def test_bars_hold_and_fail_as_they_should() -> None:
    table = table_of("abrupt", RUNS)
    bars = {bar.name: bar for bar in bars_of(table, SETTINGS["abrupt"])}
    assert bars["abrupt: CTR over static A/B"].holds
    assert not bars["abrupt: over thompson"].holds
    assert not bars["abrupt: over static A/B"].holds  # two seeds are too few to be sure
    assert all(bar.holds for bar in bars_of(table, SETTINGS["seasonal"]))
    [alike] = bars_of(table, SETTINGS["non-personal"])
    assert alike.value == pytest.approx((12 / 13 + 13 / 12) / 2 - 1)
    assert alike.holds
    behind = RUNS | {"thompson": {1: run_of(0.13), 2: run_of(0.14)}}
    [late] = bars_of(table_of("non-personal", behind), SETTINGS["non-personal"])
    assert not late.holds
    weak = {OURS: RUNS[STATIC], STATIC: RUNS[STATIC]}
    assert not any(b.holds for b in bars_of(table_of("abrupt", weak), SETTINGS["abrupt"]))
    alone = {STATIC: RUNS[STATIC]}
    assert bars_of(table_of("abrupt", alone), SETTINGS["abrupt"]) == []


def test_plot_is_a_drawing_with_every_entry() -> None:
    drawn = plot([table_of("abrupt", RUNS), table_of("gradual", RUNS)])
    ET.fromstring(drawn)
    assert all(drawn.count(f">{label}<") == 2 for label in (OURS, "thompson"))


def test_benchmark_runs_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, drawing = tmp_path / "out.json", tmp_path / "out.svg"
    main([
        "--quick", "--settings", "abrupt", "--only", "thompson", "--processes", "1",
        "--json", str(out), "--plot", str(drawing),
    ])  # fmt: skip
    result = json.loads(out.read_text())
    [table] = result["tables"]
    assert table["setting"] == "abrupt"
    assert set(table["rows"]) == {STATIC, "thompson"}
    assert 0.03 < table["rows"][STATIC]["ctr"] < 0.2
    assert table["rows"]["thompson"]["gain"]["ctr"]["estimate"] > 0
    assert "thompson" in drawing.read_text()
    assert "abrupt, 2 seeds; gains over static A/B" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--seeds", "1"], ["--only", "nobody"], ["--settings", "odd"]])
def test_benchmark_bad_arguments_are_refused(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(wrong)
    assert left.value.code == 2
    assert "error" in capsys.readouterr().err
