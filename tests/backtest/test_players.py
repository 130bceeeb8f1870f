"""Players do what the policies of their names do, and none of them the impossible."""

from dataclasses import dataclass, field, replace
from itertools import product
from math import log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import make_arm, make_context
from hookline.backtest import players
from hookline.backtest.players import EXTERNAL, PLAYERS, Block, External, Hint
from hookline.errors import BadInput
from hookline.policies import make_policy
from hookline.policies.tally import TallyState
from hookline.types import Forecast, dumps

Array = NDArray[np.float64]
LEVEL, WORTH = 0.02, 18.0
EVERY = {**PLAYERS, **EXTERNAL}


def make_block(rates: Array, visitors: int, *, score: Array | None = None, seed: int = 0) -> Block:
    """A block whose tests are thought to have a level of 2 %, and forecasts worth 18 clicks."""
    tests = rates.shape[0]
    hint = Hint(
        score=np.zeros(rates.shape) if score is None else score,
        pseudo_clicks=np.full((tests, 1), WORTH),
        level=np.full((tests, 1), LEVEL),
    )
    return Block(
        rates=rates,
        visitors=visitors,
        own=hint,
        external=External(predicted=LEVEL * np.exp(hint.score), both=hint),
        beta=(np.full((tests, 1), 1.5), np.full((tests, 1), 73.5)),
        rng=np.random.default_rng(seed),
    )


def drawn_block(tests: int, lines: int, visitors: int, *, telling: float = 0.7) -> Block:
    """Rates about 2 % that differ by a third, and a score that tells part of it."""
    rng = np.random.default_rng(9)
    effect = rng.normal(0, 0.33, (tests, lines))
    score = telling * effect + (1 - telling) * rng.normal(0, 0.33, effect.shape)
    return make_block(LEVEL * np.exp(effect), visitors, score=score)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched(Block):
    """Notes the clicks and impressions before each visitor, and the arms shown."""

    seen: list[tuple[Array, Array, NDArray[np.int64]]] = field(default_factory=list)

    def click(self, arms: NDArray[np.int64], clicks: Array, shown: Array) -> None:
        self.seen.append((clicks.copy(), shown.copy(), arms.copy()))
        Block.click(self, arms, clicks, shown)


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun(Block):
    """Goes on from clicks and impressions that were there before."""

    before: tuple[Array, Array]

    def empty(self) -> tuple[Array, Array]:
        clicks, shown = self.before
        return clicks.copy(), shown.copy()


def watched(block: Block) -> Watched:
    return Watched(**{name: getattr(block, name) for name in Block.__dataclass_fields__})


# --- what is known exactly ---------------------------------------------------------------------

RATES = np.array([[0.1, 0.3, 0.2], [0.5, 0.1, 0.0]])


def test_uniform_shows_all_lines_equally_often() -> None:
    assert PLAYERS["uniform"](make_block(RATES, 30)).tolist() == pytest.approx([6.0, 6.0])


def test_oracle_shows_the_best_line() -> None:
    assert PLAYERS["oracle"](make_block(RATES, 30)).tolist() == pytest.approx([9.0, 15.0])


def test_prior_only_shows_the_line_with_the_highest_forecast() -> None:
    score = np.array([[0.0, -1.0, 0.1], [-0.2, -0.1, -0.3]])
    found = PLAYERS["prior_only"](make_block(RATES, 30, score=score))
    assert found.tolist() == pytest.approx([6.0, 3.0])


@pytest.mark.parametrize(("share", "each"), [(0.2, 1), (0.5, 2), (0.0, 0), (1.0, 5)])
def test_explore_then_commit_has_its_exact_expectation(share: float, each: int) -> None:
    """All outcomes of the testing phase, one after the other; ties go to each line alike."""
    rates, visitors = np.array([0.5, 0.2, 0.35]), 15
    expected = 0.0
    for clicks in product(range(each + 1), repeat=3):
        chance = 1.0
        for got, rate in zip(clicks, rates.tolist(), strict=True):
            ways = [1, each, 1] if each == 2 else [1] * (each + 1)
            ways = [1, 5, 10, 10, 5, 1] if each == 5 else ways
            chance *= ways[got] * rate**got * (1 - rate) ** (each - got)
        best = [k for k in range(3) if clicks[k] == max(clicks)]
        chosen = float(np.mean([rates[k] for k in best]))
        expected += chance * (each * rates.sum() + (visitors - 3 * each) * chosen)
    found = players.explore_then_commit(make_block(np.tile(rates, (40_000, 1)), visitors), share)
    error = 4 * found.std() / sqrt(found.size) + 1e-9
    assert abs(found.mean() - expected) < error


@pytest.mark.parametrize("visitors", [1, 7, 499, 1003, 1250])
@pytest.mark.parametrize("name", EVERY)
def test_every_visitor_is_served_once(name: str, visitors: int) -> None:
    """With all lines alike, what a player earns is the number of visitors times the rate."""
    block = make_block(np.full((3, 4), 0.25), visitors)
    found = EVERY[name](block)
    np.testing.assert_allclose(found, 0.25 * visitors, rtol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_nobody_beats_the_oracle_or_loses_to_the_worst_line(name: str) -> None:
    block = drawn_block(50, 4, 300)
    found = EVERY[name](block)
    assert np.all(found <= block.rates.max(axis=1) * 300 * (1 + 1e-12))
    assert np.all(found >= block.rates.min(axis=1) * 300 * (1 - 1e-12))


@pytest.mark.parametrize("name", EXTERNAL)
def test_external_players_need_a_prediction(name: str) -> None:
    with pytest.raises(BadInput, match="predicted_ctr"):
        EXTERNAL[name](replace(make_block(RATES, 10), external=None))


@pytest.mark.parametrize("name", EVERY)
def test_the_same_draws_give_the_same_play(name: str) -> None:
    play = EVERY[name]
    block = drawn_block(5, 3, 600)
    first = play(replace(block, rng=np.random.default_rng(4)))
    assert play(replace(block, rng=np.random.default_rng(4))).tolist() == first.tolist()


# --- as the policies ---------------------------------------------------------------------------


def policy_shares(name: str, clicks: Array, shown: Array, score: Array, **params: float) -> Array:
    """What the policy of that name plays after these clicks of one test."""
    policy = make_policy(name, params)
    sums = {
        f"a{k}": (int(n), float(c), float(c))
        for k, (c, n) in enumerate(zip(clicks, shown, strict=True))
    }
    policy.load(dumps(TallyState(arms=sums)).decode())
    arms = [
        replace(make_arm(f"a{k}"), forecast=Forecast(mean=float(mean), sd=WORTH**-0.5))
        for k, mean in enumerate(score)
    ]
    return policy.probabilities(make_context(), "", arms)


@pytest.mark.parametrize("name", ["lola", "lola_external"])
def test_lola_plays_what_the_policy_plays(name: str) -> None:
    """Visitor by visitor, on the clicks of that very play."""
    block = watched(drawn_block(3, 4, 400))
    EVERY[name](block)
    assert len(block.seen) == 400
    for clicks, shown, arms in block.seen:
        for test in range(3):
            found = policy_shares(
                "lola", clicks[test], shown[test], block.own.score[test], level=LEVEL, floor=0.0
            )
            assert found[arms[test]] > 0


def test_lola_external_goes_by_predicted_ctr_alone() -> None:
    block = drawn_block(40, 3, 1, telling=1.0)
    assert block.external
    upside_down = replace(block.external, predicted=1 / block.external.predicted)
    worst = EXTERNAL["lola_external"](replace(block, external=upside_down))
    assert worst.tolist() == pytest.approx(block.rates.min(axis=1).tolist())


def test_ucb_is_that_of_lolas_authors() -> None:
    block = watched(drawn_block(4, 3, 250))
    PLAYERS["ucb"](block)
    for visitor, (clicks, shown, arms) in enumerate(block.seen):
        for test in range(4):
            index = [
                c / n + 0.08 * sqrt(log(visitor + 2) / n) if n else float("inf")
                for c, n in zip(clicks[test].tolist(), shown[test].tolist(), strict=True)
            ]
            assert index[arms[test]] >= max(index) * (1 - 1e-12)


CLICKS = np.array([9.0, 6.0, 0.0, 1.0])
SHOWN = np.array([400.0, 350.0, 300.0, 12.0])
SCORE = np.array([-0.1, 0.15, 0.0, 0.05])


def played_shares(
    name: str, visitors: int, monkeypatch: pytest.MonkeyPatch, shown: Array = SHOWN
) -> Array:
    """Shares of the next visitors, all drawn at once, after the clicks above.

    Test k earns 1 with line k and nothing with the others, so that what it earns is its share.
    """
    monkeypatch.setattr(players, "STEPS", 1)
    lines = shown.size
    block = make_block(np.eye(lines), visitors, score=np.tile(SCORE, (lines, 1)), seed=2)
    begun = Begun(
        **{each: getattr(block, each) for each in Block.__dataclass_fields__},
        before=(np.tile(CLICKS, (lines, 1)), np.tile(shown, (lines, 1))),
    )
    return (EVERY[name](begun) - shown) / visitors


@pytest.mark.parametrize("name", ["hookline", "hookline_external"])
@pytest.mark.parametrize("visitors", [20_000, 60_000])
def test_hookline_draws_with_the_shares_of_the_policy(
    name: str, visitors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = policy_shares(
        "horizon_thompson", CLICKS, SHOWN, SCORE, level=LEVEL, horizon=SHOWN.sum() + visitors
    )
    found = played_shares(name, visitors, monkeypatch)
    assert np.all(np.abs(found - expected) < 4 * np.sqrt(expected / visitors) + 0.001)
    assert found.min() > 0  # the floor


def test_thompson_draws_each_line_as_often_as_it_is_likely_to_be_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, shown = np.random.default_rng(5), np.array([60.0, 30, 20, 4])
    for name, (won, lost) in {"thompson": (1.5, 73.5), "thompson_flat": (1.0, 1.0)}.items():
        drawn = rng.beta(won + CLICKS, lost + shown - CLICKS, (200_000, 4)).argmax(axis=1)
        expected = np.bincount(drawn, minlength=4) / drawn.size
        found = played_shares(name, 100_000, monkeypatch, shown)
        assert np.all(np.abs(found - expected) < 0.008), name


# --- what they are worth -----------------------------------------------------------------------


def closed(name: str, block: Block) -> float:
    """Share of the way from equal shares to the oracle."""
    floor, ceiling = PLAYERS["uniform"](block).sum(), PLAYERS["oracle"](block).sum()
    return float((EVERY[name](block).sum() - floor) / (ceiling - floor))


@pytest.mark.parametrize("name", ["hookline", "lola", "thompson", "ucb", "explore_then_commit"])
def test_more_traffic_is_put_to_use(name: str) -> None:
    blocks = [drawn_block(150, 4, visitors, telling=0.3) for visitors in (100, 3000)]
    few, many = (closed(name, block) for block in blocks)
    assert many > few + 0.1
    assert many > 0.35


@pytest.mark.parametrize("name", ["hookline", "hookline_external", "lola", "prior_only"])
def test_a_telling_forecast_helps_a_short_test(name: str) -> None:
    told, untold = (closed(name, drawn_block(300, 4, 120, telling=t)) for t in (0.8, 0.0))
    assert told > untold + 0.3


def test_hookline_gets_over_a_misleading_forecast_in_a_long_test() -> None:
    """The forecast points the wrong way by as much as rates differ, and is thought to be sure."""
    short, long = (drawn_block(60, 3, visitors) for visitors in (2_000, 240_000))
    misled = [
        closed("hookline", replace(block, own=replace(block.own, score=-block.own.score)))
        for block in (short, long)
    ]
    assert misled[0] < 0
    assert misled[1] > 0.3
