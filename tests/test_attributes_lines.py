"""Whole lines: how they stand in their test, what that teaches, and whose prompt wrote better."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import NOW
from hookline.attributes import lessons_from, rivals, standings
from hookline.attributes.rivals import difference, pooled
from hookline.types import Arm, Attributes, Context, Decision, Experiment, Outcome


def experiment(arms: int = 3, **changes: object) -> Experiment:
    made = Experiment(
        id="t",
        name="Test",
        product_id="p",
        channel_id="email",
        arms=(
            Arm(id="human", text="Human words", parts={}, control=True),
            *(
                Arm(id=f"a{k}", text=f"Line {k}", parts={}, attributes=Attributes())
                for k in range(arms - 1)
            ),
        ),
    )
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


def outcomes(
    rates: Mapping[str, float],
    visitors: int = 2_000,
    *,
    audience: str = "all",
    propensity: float = 0.25,
    seed: int = 0,
) -> list[Outcome]:
    """Visitors of each line, who click at the line's rate."""
    rng = np.random.default_rng(seed)
    made: list[Outcome] = []
    for arm, rate in rates.items():
        for k, clicked in enumerate(rng.random(visitors) < rate):
            decision = Decision(
                id=f"{arm}-{audience}-{k}",
                experiment_id="t",
                arm_id=arm,
                propensity=propensity,
                probabilities={arm: propensity},
                slice="policy",
                reason="policy",
                context=Context(visitor_id=f"v{k}", at=NOW + timedelta(seconds=k)),
                audience_id=audience,
            )
            made.append(
                Outcome(decision=decision, exposed=True, clicks=int(clicked), click_settled=True)
            )
    return made


# --- standings ----------------------------------------------------------------------------------


def test_standing_is_the_line_over_its_test_with_poissons_variance() -> None:
    told = outcomes({"human": 0.0, "a0": 0.0, "a1": 0.0}, 100)
    told = [replace(each, clicks=int(i % 100 < (i // 100 + 1) * 10)) for i, each in enumerate(told)]
    found = standings(experiment(), told)
    assert [each.arm.id for each in found] == ["human", "a0", "a1"]
    assert [each.value for each in found] == pytest.approx([-0.5, 0.0, 0.5])
    assert [each.visitors for each in found] == pytest.approx([100] * 3)
    assert [each.variance for each in found] == pytest.approx([0.2 / 100 / 0.04] * 3)


def test_lines_are_judged_on_the_same_visitors() -> None:
    """The line was shown mostly to eager visitors, by a policy that said so."""
    eager = outcomes({"a0": 0.5}, 900, propensity=0.9) + outcomes(
        {"human": 0.5}, 100, propensity=0.1
    )
    idle = outcomes({"a0": 0.1}, 100, propensity=0.1) + outcomes(
        {"human": 0.1}, 900, propensity=0.9
    )
    values = {each.arm.id: each.value for each in standings(experiment(), eager + idle)}
    assert values["a0"] == pytest.approx(0.0, abs=0.15)
    naive = (900 * 0.5 + 100 * 0.1) / (100 * 0.5 + 900 * 0.1)
    assert naive > 3


def test_audience_and_faults_are_told_apart() -> None:
    here = outcomes({"a0": 0.4, "a1": 0.1}, 200, audience="here")
    there = outcomes({"a0": 0.1, "a1": 0.4}, 200, audience="there")
    fault = [replace(each, exposed=False) for each in there]
    value = {e.arm.id: e.value for e in standings(experiment(), here + there, "here")}
    assert value["a0"] > 0.3 > -0.3 > value["a1"]
    assert standings(experiment(), fault) == ()


def test_too_small_a_test_says_nothing() -> None:
    assert standings(experiment(), outcomes({"a0": 0.0, "a1": 0.0}, 500)) == ()
    assert standings(experiment(), outcomes({"a0": 1.0}, 9)) == ()
    assert len(standings(experiment(), outcomes({"a0": 1.0}, 10))) == 1


# --- lessons ------------------------------------------------------------------------------------


def test_lessons_quote_what_stood_out_and_what_to_avoid() -> None:
    told = outcomes({"human": 0.10, "a0": 0.14, "a1": 0.06}, 5_000)
    best, worst = lessons_from([(experiment(), told)], "all")
    assert best.startswith("“Line 0” brought about ")
    assert best.endswith("% more clicks than its test's average, with these readers.")
    assert worst.startswith("“Line 1” brought about ")
    assert "% fewer clicks" in worst
    share = int(best.split("about ")[1].split("%")[0])
    assert 20 <= share <= 40, "40 % as seen, drawn towards 0"


def test_human_lines_teach_too() -> None:
    told = outcomes({"human": 0.14, "a0": 0.10, "a1": 0.10}, 5_000)
    assert lessons_from([(experiment(), told)], "all")[0].startswith("“Human words”")


def test_what_is_luck_is_no_lesson() -> None:
    """Lines of the same rate: a lesson is a false alarm, rarer than its 10 % for two sides."""
    alarms = 0
    for seed in range(60):
        told = outcomes({"human": 0.05, "a0": 0.05, "a1": 0.05}, 400, seed=seed)
        alarms += len(lessons_from([(experiment(), told)], "all"))
    assert alarms <= 12  # of 180 lines; shrinkage makes them rare


def test_other_readers_fill_up_and_are_named() -> None:
    told = outcomes({"human": 0.10, "a0": 0.16, "a1": 0.10}, 4_000, audience="others")
    (lesson, *_) = lessons_from([(experiment(), told)], "all")
    assert lesson.endswith("with all readers together.")
    own = lessons_from([(experiment(), told)], "others")
    assert own[0].endswith("with these readers.")
    assert sum("Line 0" in each for each in own) == 1


def test_lessons_are_few_and_the_strongest_first() -> None:
    rates = {"human": 0.10} | {f"a{k}": 0.16 + 0.02 * k for k in range(5)}
    rates |= {f"a{k}": 0.01 for k in range(5, 12)}
    test = experiment(13)
    lessons = lessons_from([(test, outcomes(rates, 3_000))], "all", most=2)
    assert len(lessons) == 4
    assert "Line 4" in lessons[0]
    assert "Line 3" in lessons[1]
    assert all("fewer" in lesson for lesson in lessons[2:])


def test_money_is_spoken_of_as_money() -> None:
    test = experiment(objective="revenue")
    told = outcomes({"human": 0.1, "a0": 0.2, "a1": 0.1}, 3_000)
    paid = [replace(each, revenue=20.0 * each.clicks, order_settled=True) for each in told]
    lessons = lessons_from([(test, paid)], "all")
    assert "more revenue" in lessons[0]
    assert all("less revenue" in each for each in lessons[1:])


def test_long_lines_are_cut_and_stand_on_one_line() -> None:
    arm = Arm(id="a0", text="Long\nline " * 100, parts={}, attributes=Attributes())
    test = experiment(arms=1)
    told = outcomes({"human": 0.1, "a0": 0.2}, 3_000)
    lesson = lessons_from([(replace(test, arms=(*test.arms, arm)), told)], "all")[0]
    assert "\n" not in lesson
    assert len(lesson) < 350


# --- rivals -------------------------------------------------------------------------------------


def many_lines(
    gain: float, lines: int, seed: int, *, luck: float = 0.2, visitors: int = 150
) -> list[tuple[Experiment, list[Outcome]]]:
    """Tests of two lines of each version, each line with luck of its own."""
    rng = np.random.default_rng(seed)
    tests: list[tuple[Experiment, list[Outcome]]] = []
    for number in range(lines // 2):
        names = [f"{side}{k}-{number}" for side in ("old", "new") for k in range(2)]
        arms = tuple(Arm(id=n, text=n, parts={}, attributes=Attributes()) for n in names)
        base = experiment(1)
        rates = {
            name: 0.3 * (1 + gain * name.startswith("new") + luck * float(rng.normal()))
            for name in names
        }
        told = outcomes(rates, visitors, seed=seed * 1000 + number)
        tests.append((replace(base, id=f"t{number}", arms=(*base.arms, *arms)), told))
    return tests


def version_of(copy_id: str) -> str:
    return copy_id[:3] if copy_id[:3] in {"old", "new"} else ""


def test_better_prompt_wins_once_it_has_lines_enough() -> None:
    few = rivals(many_lines(0.3, 4, 1), version_of, "old", "new")
    many = rivals(many_lines(0.3, 60, 1), version_of, "old", "new")
    assert few.low is not None
    assert few.low < 0, "four lines tell nothing, whatever the traffic"
    assert many.low is not None
    assert many.estimate == pytest.approx(0.26, abs=0.1)  # of the mean of both: .3 / 1.15
    assert many.low > 0
    assert many.n == 120
    back = rivals(many_lines(0.3, 60, 1), version_of, "new", "old")
    assert back.estimate == pytest.approx(-(many.estimate or 0.0))


def test_interval_holds_at_all_looks_together() -> None:
    """Equal prompts, looked at after each of 20 tests, in 30 runs: at 5 % one or two may miss."""
    missed = 0
    for seed in range(30):
        tests = many_lines(0.0, 40, seed, visitors=40)
        found = [difference(*test, version_of, "old", "new") for test in tests]
        told = [each for each in found if each is not None]
        looks = [pooled(told[: k + 1]) for k in range(len(told))]
        missed += any((look.low or 0) > 0 or (look.high or 0) < 0 for look in looks)
    assert missed <= 5  # P(X > 5 | 30, .05) is .3 %


def test_tests_without_both_versions_say_nothing() -> None:
    found = rivals(many_lines(0.3, 20, 1), version_of, "old", "third")
    assert (found.estimate, found.n) == (None, 0)
    assert found.reason == "no test has shown lines of both versions often enough"
    assert rivals([], version_of, "old", "new").estimate is None
