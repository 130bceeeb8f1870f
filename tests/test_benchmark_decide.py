"""`benchmarks.decide` asks everybody the same, counts every call once, and its bars can fail."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from benchmarks.decide import __main__ as command
from benchmarks.decide.players import (
    Call,
    MabWiser,
    Ours,
    OursWithMemory,
    Player,
    VowpalWabbit,
    VowpalWabbitParsed,
    installed,
)
from benchmarks.decide.plot import plot
from benchmarks.decide.race import BLOCK, WARM, Cost, growth, race, times
from benchmarks.decide.room import STATM, Filled, SnapshotCost, law, memory_growth, snapshot_cost
from benchmarks.decide.world import AUDIENCES, CATEGORIES, NUMBERS, Visit, arms_of, visits_of

from hookline.memory import EPISODES

ARMS = arms_of(4, 0)
VISITS = visits_of(8, len(ARMS), (1,))
COST = Cost(median=10.0, p99=20.0, p99_all=30.0, learn=4.0)
KEPT = SnapshotCost(arms=1_000, outcomes=9, dump=0.1, load=0.1, first=0.01, kilobytes=5.0)


def test_arms_are_a_control_and_challengers_with_all_there_is_to_see() -> None:
    arms = arms_of(30, 0)
    assert [arm.control for arm in arms] == [True] + [False] * 29
    assert len({arm.id for arm in arms}) == 30
    for arm in arms[1:]:
        assert arm.attributes is not None
        assert np.linalg.norm(arm.embedding) == pytest.approx(1)
    assert arms == arms_of(30, 0)
    assert arms != arms_of(30, 1)


def test_visits_have_32_traits_and_every_audience() -> None:
    assert visits_of(8, len(ARMS), (1,)) == VISITS
    assert visits_of(8, len(ARMS), (2,)) != VISITS
    assert {visit.audience_id for visit in VISITS} == set(AUDIENCES)
    for visit in VISITS:
        kinds = [type(trait) for trait in visit.context.traits.values()]
        assert (kinds.count(float), kinds.count(str)) == (NUMBERS, CATEGORIES)
        assert 0 <= visit.served < len(ARMS)


class Ticking(Player):
    """A player on a clock of its own: an outcome takes 2 µs, a decision 1, or 5 after learning."""

    label: ClassVar[str] = "ticking"
    now: ClassVar[int] = 0
    fresh: ClassVar[int] = 0
    learned: ClassVar[int] = 0

    def asks(self, visits: Sequence[Visit]) -> Iterator[Call]:
        for _ in visits:
            Ticking.now += 1_000_000
            yield self.decide

    def lessons(self, visits: Sequence[Visit]) -> list[Call]:
        return [self.learn] * len(visits)

    def decide(self) -> None:
        Ticking.now += 5_000 if Ticking.fresh else 1_000
        Ticking.fresh = max(0, Ticking.fresh - 1)

    def learn(self) -> None:
        Ticking.now += 2_000
        Ticking.fresh = len(AUDIENCES)
        Ticking.learned += 1


def test_race_counts_what_learning_leaves_to_the_next_decisions_as_learning() -> None:
    found = race([Ticking], 4, seed=0, rounds=3, taught=1, clock=lambda: Ticking.now)["ticking"]
    assert (found.median, found.p99, found.p99_all) == (1.0, 1.0, 1.0)
    assert found.learn == pytest.approx(2.0 + len(AUDIENCES) * 4.0 / BLOCK)
    assert Ticking.learned == BLOCK * (1 + WARM + 3)


def test_times_are_those_of_each_call() -> None:
    moments = iter([0, 7, 10, 30])
    assert times([int, int], lambda: next(moments)).tolist() == [7, 20]


def test_growth_is_the_exponent_from_the_least_size_on() -> None:
    costs = {size: replace(COST, median=3.0 * size**1.5) for size in (20, 50, 200)}
    costs[2] = replace(COST, median=1e6)
    assert growth(costs, 20) == pytest.approx(1.5)
    assert growth(costs, 2) < 1.5


def _teach(player: Player, visits: Sequence[Visit]) -> None:
    for learn in player.lessons(visits):
        learn()


def test_ours_gives_probabilities_and_learns() -> None:
    player = Ours(ARMS)
    before = player.policy.dump()
    for shares in (ask() for ask in player.asks(VISITS)):
        assert isinstance(shares, np.ndarray)
        assert shares.sum() == pytest.approx(1)
    assert player.policy.dump() == before
    _teach(player, VISITS)
    assert player.policy.dump() != before


def test_ours_with_memory_reads_a_full_past_and_writes_to_it() -> None:
    player = OursWithMemory(ARMS)
    visit = VISITS[0]
    who = visit.context.visitor_id, visit.context.at
    before = player.memory.recall(*who)
    assert len(before) == EPISODES
    assert None not in {episode.surprise for episode in before}
    _teach(player, [visit])
    after = player.memory.recall(*who)
    assert after[:-1] == before[1:]
    assert after[-1].arm_id == ARMS[visit.served].id
    (shares,) = (ask() for ask in player.asks([visit]))
    assert np.sum(np.array(shares)) == pytest.approx(1)


@pytest.mark.skipif(VowpalWabbit not in installed(), reason="Vowpal Wabbit is not installed")
def test_vowpal_wabbit_does_the_same_with_text_parsed_on_the_clock_or_before() -> None:
    text, parsed = VowpalWabbit(ARMS), VowpalWabbitParsed(ARMS)
    for player in (text, parsed):
        _teach(player, visits_of(200, len(ARMS), (3,)))
    for one, other in zip(text.asks(VISITS), parsed.asks(VISITS), strict=True):
        shares = one()
        assert isinstance(shares, list)
        assert shares == other()
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert len(shares) == len(ARMS)


@pytest.mark.skipif(VowpalWabbit not in installed(), reason="Vowpal Wabbit is not installed")
def test_vowpal_wabbit_learns_which_arm_was_clicked() -> None:
    player = VowpalWabbit(ARMS)
    visits = visits_of(400, len(ARMS), (4,))
    _teach(player, [replace(visit, reward=float(visit.served == 2)) for visit in visits])
    means = np.mean([np.array(ask()) for ask in player.asks(VISITS)], axis=0)
    assert means.argmax() == 2


@pytest.mark.skipif(MabWiser not in installed(), reason="MABWiser is not installed")
def test_mabwiser_chooses_the_arm_that_was_clicked() -> None:
    player = MabWiser(ARMS)
    visits = visits_of(400, len(ARMS), (5,))
    _teach(player, [replace(visit, reward=float(visit.served == 1)) for visit in visits])
    assert {ask() for ask in player.asks(VISITS)} == {ARMS[1].id}


def test_snapshot_cost_is_that_of_a_taught_policy() -> None:
    small, large = snapshot_cost(10, 40, 0), snapshot_cost(40, 400, 0)
    assert (large.arms, large.outcomes) == (40, 400)
    assert large.kilobytes > small.kilobytes > 0
    assert min(large.dump, large.load, large.first) > 0


def test_law_splits_the_growth_into_visitors_and_showings() -> None:
    found = [
        Filled(visitors=visitors, shown=shown, grown=visitors * (200 + 14 * shown))
        for visitors in (50, 100)
        for shown in (1, 16)
    ]
    assert law(found) == (pytest.approx(200), pytest.approx(14))


@pytest.mark.skipif(not STATM.exists(), reason="this machine does not tell the size of a process")
def test_memory_growth_is_told_by_visitors_and_showings() -> None:
    found = memory_growth(20_000)
    assert [each.visitors for each in found] == [5_000, 10_000, 20_000] * 2
    assert found[2].grown > found[0].grown
    assert found[5].each > 14 * EPISODES
    assert found[5].each > found[2].each + 7 * EPISODES


def sweep(ours: Cost, theirs: Cost | None) -> command.Sweep:
    row = {OursWithMemory.label: ours} | ({VowpalWabbit.label: theirs} if theirs else {})
    return dict.fromkeys((2, 20, 200), row)


def test_bars_compare_with_vowpal_wabbit_with_its_text() -> None:
    twice = Cost(median=20.0, p99=40.0, p99_all=1.0, learn=8.0)
    ahead = {bar.name: bar for bar in command.speed_bars(sweep(COST, twice))}
    assert [bar.value for bar in ahead.values()][1:] == [0.5, 0.5, 0.5]
    assert all(bar.holds for bar in ahead.values())
    level = command.speed_bars(sweep(COST, COST))
    assert [bar.holds for bar in level] == [True, True, True, False]
    behind = command.speed_bars(sweep(twice, COST))
    assert [bar.holds for bar in behind] == [True, False, False, False]


def test_bars_on_speed_need_vowpal_wabbit() -> None:
    assert len(command.speed_bars(sweep(COST, None))) == 1


def test_bar_on_growth_can_fail() -> None:
    costs = {size: {OursWithMemory.label: replace(COST, median=size**1.2)} for size in (20, 200)}
    assert not command.speed_bars(costs)[0].holds


def test_bars_on_what_is_kept() -> None:
    assert [bar.holds for bar in command.snapshot_bars(KEPT)] == [True, True]
    assert [bar.holds for bar in command.snapshot_bars(replace(KEPT, load=0.2))] == [True, False]
    fills = [Filled(visitors=10, shown=16, grown=grown) for grown in (4_000, 9_000)]
    (bar,) = command.memory_bars(fills)
    assert (bar.value, bar.holds) == (pytest.approx(9.0), False)
    assert command.memory_bars(fills[:1])[0].holds
    assert command.memory_bars([]) == []


def test_plot_has_a_line_for_everybody() -> None:
    row = {player.label: COST for player in (Ours, OursWithMemory, VowpalWabbit)}
    drawn = ET.fromstring(plot({2: row, 20: row, 200: row}))
    shown = {"".join(each.itertext()).strip() for each in drawn.iter() if each.tag.endswith("text")}
    assert {*row, "20", "200"} <= shown


@pytest.mark.parametrize(("theirs", "status"), [(9.0, 0), (3.0, 1)])
def test_command_writes_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: float, status: int
) -> None:
    peer = replace(COST, median=20.0, p99=40.0, learn=theirs)
    row = {OursWithMemory.label: COST, VowpalWabbit.label: peer}
    grown = [Filled(visitors=10, shown=shown, grown=4_000) for shown in (1, 16)]
    for name, answer in (("race", row), ("snapshot_cost", KEPT), ("memory_growth", grown)):
        monkeypatch.setattr(command, name, Mock(return_value=answer))
    out, drawn = tmp_path / "out.json", tmp_path / "out.svg"
    assert command.main(["--quick", "--json", str(out), "--plot", str(drawn)]) == status
    result = json.loads(out.read_text())
    assert result["arms"]["20"][VowpalWabbit.label]["learn"] == theirs
    assert result["clock"] == "wall"
    assert len(result["bars"]) == 7
    assert drawn.read_text().startswith("<svg")
