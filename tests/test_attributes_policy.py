from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.attributes import AttributePolicy, Trial, believe, code_of, design
from hookline.errors import BadInput
from hookline.types import ATTRIBUTE_LEVELS, Attributes, Audience, ElementReport

START = datetime(2026, 1, 1, tzinfo=UTC)
THRIFTY = Audience(id="thrifty", name="Thrifty", motives=("value",))
ANYBODY = Audience(id="all", name="Everybody")
CELLS = design(ANYBODY, 24, seed=3)


def effect(rows: tuple[ElementReport, ...], attribute: str, level: str) -> ElementReport:
    return next(row for row in rows if (row.attribute, row.level) == (attribute, level))


def told(
    policy: AttributePolicy,
    *,
    audience: str = "all",
    cells: tuple[Attributes, ...] = CELLS,
    liked: float = 1.4,
    visitors: int = 60,
    at: datetime = START,
    test: str = "t",
) -> AttributePolicy:
    """Every cell shown to as many visitors; lines that turn on value bring `liked` as much."""
    for cell in cells:
        worth = liked if cell.angle in {"value", "direct", "benefit"} else 1.0
        for visitor in range(visitors):
            policy.learn(
                audience_id=audience,
                attributes=cell,
                reward=worth * (1 + 0.2 * (-1) ** visitor),
                expected=1.0,
                at=at + timedelta(minutes=visitor),
                test_id=test,
            )
    return policy


@pytest.mark.parametrize("audience", [THRIFTY, ANYBODY])
def test_proposals_before_any_outcome_are_the_design(audience: Audience) -> None:
    policy = AttributePolicy(half_life_days=10.0)
    taken = design(audience, 2, 9)
    assert policy.propose(audience, 7, 5, taken) == design(audience, 7, 5, taken)


def test_outcomes_that_brought_nothing_leave_the_design() -> None:
    policy = told(AttributePolicy(), liked=0.0)
    silent = AttributePolicy()
    silent.learn(audience_id="all", attributes=CELLS[0], reward=0.0, expected=0.1, at=START)
    assert silent.propose(ANYBODY, 3, 1) == design(ANYBODY, 3, 1)
    assert policy.propose(ANYBODY, 3, 1) != design(ANYBODY, 3, 1)


def test_what_works_is_asked_for_more_often() -> None:
    policy = told(AttributePolicy())
    asked = policy.propose(ANYBODY, 12, seed=1)
    liked = [cell.angle in {"value", "direct", "benefit"} for cell in asked]
    assert liked[0]
    assert sum(liked) >= 4
    assert len({cell.angle for cell in asked}) >= 3


def test_what_was_never_tried_is_tried() -> None:
    policy = told(AttributePolicy(), cells=tuple(cell for cell in CELLS if cell.tone != "calm"))
    assert "calm" in {cell.tone for cell in policy.propose(ANYBODY, 4, seed=1)}


def test_a_taste_of_one_audience_is_told_from_the_others() -> None:
    policy = told(told(AttributePolicy(), audience="all", liked=1.5), audience="craft", liked=0.7)
    mine = effect(policy.effects("all"), "angle", "value").effect
    theirs = effect(policy.effects("craft"), "angle", "value").effect
    assert mine.estimate is not None
    assert theirs.estimate is not None
    assert mine.estimate - theirs.estimate > 0.1
    unseen = effect(policy.effects("nobody yet"), "angle", "value").effect
    assert (unseen.estimate, unseen.reason) == (None, "no line that was seen has it")


@settings(max_examples=15)
@given(n=st.integers(1, 12), seed=st.integers(), used=st.integers(0, 24))
def test_proposals_are_distinct_never_taken_and_the_seed_decides(
    n: int, seed: int, used: int
) -> None:
    policy = told(AttributePolicy(), visitors=2)
    taken = CELLS[:used]
    asked = policy.propose(THRIFTY, n, seed, taken)
    assert len({*asked, *taken}) == n + used
    assert asked == policy.propose(THRIFTY, n, seed, taken)


def test_more_cells_than_there_are_is_bad_input() -> None:
    with pytest.raises(BadInput, match="9216"):
        told(AttributePolicy(), visitors=2).propose(ANYBODY, 9217, 0)


def test_state_survives_json_bit_for_bit() -> None:
    policy = told(AttributePolicy(half_life_days=3.0), visitors=7)
    again = policy.clone()
    again.load(policy.dump())
    assert again.dump() == policy.dump()
    assert again.effects("all") == policy.effects("all")
    assert again.propose(THRIFTY, 5, 2) == policy.propose(THRIFTY, 5, 2)
    assert policy.clone().dump() == "[]"
    with pytest.raises(BadInput, match="no state"):
        again.load('{"a": 1}')


@pytest.mark.parametrize("half_life", [None, 2.0])
def test_a_late_correction_is_as_if_known_at_once(half_life: float | None) -> None:
    """Also after newer outcomes have faded the old one."""
    right, late = (AttributePolicy(half_life_days=half_life) for _ in range(2))
    base = {"audience_id": "all", "expected": 0.1, "propensity": 0.4, "test_id": "t"}
    for policy, first in ((right, 1.0), (late, 0.0)):
        for day, (cell, reward) in enumerate(zip(CELLS[:4] * 2, [first, 1, 0, 1] * 2, strict=True)):
            policy.learn(
                attributes=cell, reward=reward if day else first, at=START + timedelta(days=day),
                **base,  # type: ignore[arg-type]
            )  # fmt: skip
    late.correct(attributes=CELLS[0], delta=1.0, at=START, **base)  # type: ignore[arg-type]
    late.correct(attributes=CELLS[0], delta=1.0, at=START + timedelta(days=4), **base)  # type: ignore[arg-type]
    for mine, other in zip(late.effects(), right.effects(), strict=True):
        assert (mine.effect.estimate is None) == (other.effect.estimate is None)
        if mine.effect.estimate is not None:
            assert mine.effect.estimate == pytest.approx(other.effect.estimate, abs=1e-12)
            assert mine.effect.low == pytest.approx(other.effect.low, abs=1e-12)


def test_the_order_of_outcomes_leaves_no_trace() -> None:
    ahead, back = AttributePolicy(half_life_days=2.0), AttributePolicy(half_life_days=2.0)
    outcomes = [(cell, float(k % 3), k) for k, cell in enumerate(CELLS[:8] * 3)]
    for policy, rows in ((ahead, outcomes), (back, outcomes[::-1])):
        for cell, reward, hours in rows:
            policy.learn(
                audience_id="all", attributes=cell, reward=reward, expected=1.0,
                at=START + timedelta(hours=hours),
            )  # fmt: skip
    for mine, other in zip(ahead.effects("all"), back.effects("all"), strict=True):
        assert mine.effect.estimate == pytest.approx(other.effect.estimate, abs=1e-12)


def test_forgetting_follows_a_taste_that_turned() -> None:
    later = START + timedelta(days=60)
    found: dict[float | None, float] = {}
    for half_life in (None, 10.0):
        policy = told(AttributePolicy(half_life_days=half_life), liked=2.0)
        told(policy, liked=0.4, at=later, cells=design(ANYBODY, 24, seed=4), test="new")
        found[half_life] = effect(policy.effects("all"), "angle", "value").effect.estimate or 0.0
    assert found[None] > 0 > -0.05 > found[10.0]


def test_old_lines_count_less_and_less() -> None:
    """A test that ended long ago leaves wide intervals, though nothing newer contradicts it."""
    widths: list[float] = []
    for days in (0, 20, 200):
        policy = told(AttributePolicy(half_life_days=10.0), liked=1.5)
        told(policy, cells=CELLS[:2], liked=1.0, at=START + timedelta(days=days), test="new")
        rows = policy.effects("all")
        found = effect(rows, "angle", "value").effect
        assert found.low is not None
        assert found.high is not None
        widths.append(found.estimate or 0.0)
    assert widths[0] > widths[1] > widths[2] > -0.01
    assert widths[2] < 0.02


def test_propensities_undo_a_policy_that_picks_its_visitors() -> None:
    """Eager visitors mostly get the lines on value; the lines are equally good."""
    rng = np.random.default_rng(5)
    found: dict[bool, float] = {}
    for told_of in (True, False):
        policy = AttributePolicy()
        for _ in range(12_000):
            eager = rng.random() < 0.5
            cell = CELLS[rng.integers(len(CELLS))]
            wanted = cell.angle in {"value", "direct", "benefit"}
            keep = 0.9 if wanted == eager else 0.1
            if rng.random() > keep:
                continue
            policy.learn(
                audience_id="all", attributes=cell, expected=0.2, at=START, test_id="t",
                reward=float(rng.random() < (0.3 if eager else 0.1)),
                propensity=keep / len(CELLS) if told_of else 1.0,
            )  # fmt: skip
        found[told_of] = effect(policy.effects("all"), "angle", "value").effect.estimate or 0.0
    assert abs(found[True]) < 0.05
    assert found[False] > 0.1


def test_a_level_on_every_line_or_on_none_has_no_effect_but_a_reason() -> None:
    policy = told(AttributePolicy(), cells=tuple(c for c in CELLS if c.urgency == "soft"))
    rows = policy.effects("all")
    assert len(rows) == sum(map(len, ATTRIBUTE_LEVELS.values()))
    assert effect(rows, "urgency", "soft").effect.estimate is None
    assert "every line" in effect(rows, "urgency", "soft").effect.reason
    assert effect(rows, "urgency", "none").effect.reason == "no line that was seen has it"
    assert all(row.effect.reason for row in AttributePolicy().effects())


def test_few_lines_teach_little_however_many_visitors() -> None:
    """Six lines with luck of their own: a hundred times the visitors leave the interval wide."""
    widths: list[float] = []
    for visitors in (50, 5_000):
        values = np.array([0.4, -0.2, 0.1, -0.1, 0.0, -0.2])
        trial = Trial(
            codes=np.array([code_of(cell) for cell in CELLS[:6]]),
            lines=np.arange(6),
            audiences=("all",) * 6,
            values=values,
            variances=np.full(6, 9.0 / visitors),
            visitors=np.full(6, float(visitors)),
            freshness=np.ones(6),
        )
        widths.append(float(believe([trial]).of("all").contrasts()[1].max()))
    assert widths[1] > 0.6 * widths[0] > 0.03


def test_effects_cover_the_truth_about_as_often_as_they_say() -> None:
    """Lines with luck, three audiences, true effects of the sizes that the model averages over."""
    rng = np.random.default_rng(11)
    hits: list[bool] = []
    for seed in range(25):
        shared = 0.06 * rng.standard_normal(34)
        trials: list[Trial] = []
        for test in range(6):
            cells = design(ANYBODY, 6, 100 * seed + test)
            codes = np.array([code_of(cell) for cell in cells])
            starts = np.cumsum([0, *map(len, ATTRIBUTE_LEVELS.values())])[:-1]
            worth = shared[codes + starts].sum(axis=1) + 0.2 * rng.standard_normal(6)
            trials.append(
                Trial(
                    codes=codes,
                    lines=np.arange(6),
                    audiences=("all",) * 6,
                    values=worth + 0.05 * rng.standard_normal(6),
                    variances=np.full(6, 0.05**2),
                    visitors=np.full(6, 1000.0),
                    freshness=np.ones(6),
                )
            )
        mean, sd = believe(trials).of("all").contrasts()
        angle = shared[:12] - shared[:12].mean()
        hits += (np.abs(mean[:12] - angle) <= 1.96 * sd[:12]).tolist()
    # 300 intervals, dependent within a run: .95 less four standard errors of 75 independent ones
    assert np.mean(hits) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 75)


@pytest.mark.parametrize(
    "wrong", [{"expected": 0.0}, {"reward": float("nan")}, {"propensity": 0.0}, {"propensity": 1.1}]
)
def test_numbers_out_of_range_are_bad_input(wrong: dict[str, float]) -> None:
    asked = {"reward": 1.0, "expected": 0.1, "propensity": 0.5} | wrong
    policy = AttributePolicy()
    with pytest.raises(BadInput, match=next(iter(wrong))):
        policy.learn(audience_id="all", attributes=CELLS[0], at=START, **asked)  # pyright: ignore[reportArgumentType]
    assert policy.dump() == "[]"


def test_correcting_what_was_never_learned_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no outcome"):
        AttributePolicy().correct(
            audience_id="all", attributes=CELLS[0], delta=1.0, expected=0.1, at=START
        )


def test_a_half_life_must_be_above_zero() -> None:
    with pytest.raises(BadInput, match="half_life_days"):
        AttributePolicy(half_life_days=0.0)
