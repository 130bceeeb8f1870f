from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hookline.attributes import design
from hookline.report import analyze, combine, element_note, strongest, to_json, to_text
from hookline.report.elements import CAUTION, is_told
from hookline.types import (
    ATTRIBUTE_LEVELS,
    Arm,
    Attributes,
    Audience,
    Context,
    Decision,
    ElementReport,
    Estimate,
    Experiment,
    Outcome,
    Report,
    dumps,
    loads,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
AUDIENCES = (
    Audience(id="savers", name="Savers", when={"segment": ("saver",)}),
    Audience(id="rest", name="All others"),
)


def experiment(key: str, cells: tuple[Attributes, ...], **changes: object) -> Experiment:
    arms = [Arm(id=f"{key}-0", text="Human line", parts={}, control=True)]
    arms += [
        Arm(id=f"{key}-{k}", text=f"Line {k}", parts={}, attributes=cell)
        for k, cell in enumerate(cells, start=1)
    ]
    made = Experiment(
        id=key, name=f"Test {key}", product_id="p", channel_id="email", arms=tuple(arms),
        audiences=AUDIENCES, horizon=4_000, status="running",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def outcomes(test: Experiment, n: int, *, liked: float, seed: int = 0) -> list[Outcome]:
    """Settled outcomes under fixed shares; savers click `liked` times as often on a price."""
    rng, count = np.random.default_rng(seed), len(test.arms)
    shares = rng.dirichlet(np.full(count, 5.0))
    marginal = 0.1 / count + 0.8 * shares
    marginal[0] += 0.1
    logged = {arm.id: p for arm, p in zip(test.arms, marginal.tolist(), strict=True)}
    made: list[Outcome] = []
    for i, place in enumerate(rng.choice(count, n, p=marginal).tolist()):
        arm, audience = test.arms[place], test.audiences[i % 2].id
        priced = arm.attributes is not None and arm.attributes.proof == "price"
        rate = 0.15 * (liked if priced and audience == "savers" else 1.0)
        decision = Decision(
            id=f"{test.id}-{i}", experiment_id=test.id, arm_id=arm.id,
            propensity=logged[arm.id], probabilities=logged, slice="policy", reason="policy",
            context=Context(visitor_id=f"v{i}", at=START + timedelta(minutes=i)),
            audience_id=audience,
        )  # fmt: skip
        made.append(
            Outcome(
                decision=decision,
                exposed=True,
                clicks=int(rng.random() < rate),
                click_settled=True,
                order_settled=True,
            )
        )
    return made


def report(tests: int = 8, *, liked: float = 2.0, n: int = 4_000) -> Report:
    analyses = []
    for k in range(tests):
        test = experiment(f"t{k}", design(AUDIENCES[1], 6, seed=k))
        analyses.append(analyze(test, outcomes(test, n, liked=liked, seed=k), {}, writing_usd=0.0))
    return combine(analyses, at=START)


@pytest.fixture(scope="module")
def liked() -> Report:
    return report()


def test_an_element_that_works_for_one_audience_is_found_over_tests(liked: Report) -> None:
    shown = strongest(liked.elements["email"])
    assert len(shown) == 6
    first = shown[0]
    assert (first.attribute, first.level, first.audience_id) == ("proof", "price", "savers")
    assert is_told(first)
    assert first.effect.low is not None
    assert first.effect.low > 0
    assert first.lines + first.others == 48
    assert all(row.effect.estimate is not None for row in shown)
    assert len({(row.attribute, row.level) for row in shown}) == 6


def test_one_small_test_proves_no_element(liked: Report) -> None:
    assert not any(is_told(row) for test in liked.experiments for row in test.elements)


def test_lines_that_are_all_alike_show_no_element_that_works() -> None:
    rows = report(4, liked=1.0).elements["email"]
    assert not any(map(is_told, rows))
    assert max(abs(row.effect.estimate or 0.0) for row in rows) < 0.05


def test_every_level_has_a_row_or_a_reason(liked: Report) -> None:
    rows = [row for row in liked.experiments[0].elements if row.audience_id is None]
    assert len(rows) == sum(map(len, ATTRIBUTE_LEVELS.values()))
    missing = [row for row in rows if row.effect.estimate is None]
    assert missing
    assert all(row.effect.reason == "no line that was seen has it" for row in missing)
    assert all(row.lines for row in rows if row not in missing)
    single = [row for row in liked.experiments[0].elements if row.audience_id is not None]
    assert {row.audience_id for row in single} == {"savers", "rest"}
    assert all(row.effect.estimate is not None for row in single)


def test_a_level_on_every_line_was_compared_with_nothing() -> None:
    cells = tuple(replace(cell, urgency="none") for cell in design(AUDIENCES[1], 4, seed=2))
    test = experiment("same", cells)
    rows = analyze(test, outcomes(test, 3_000, liked=1.5), {}, writing_usd=0.0).report.elements
    found = next(row for row in rows if row.level == "none" and row.attribute == "urgency")
    assert found.effect.estimate is None
    assert "every line" in found.effect.reason


@pytest.mark.parametrize(
    ("cells", "n"),
    [((), 2_000), (design(AUDIENCES[1], 1, seed=0), 2_000), (design(AUDIENCES[1], 6, seed=0), 60)],
)
def test_too_little_to_compare_makes_no_rows(cells: tuple[Attributes, ...], n: int) -> None:
    human = Arm(id="h", text="Another human line", parts={})
    test = experiment("few", cells)
    test = replace(test, arms=(*test.arms, human))
    analysis = analyze(test, outcomes(test, n, liked=1.0), {}, writing_usd=0.0)
    assert analysis.report.elements == ()
    made = combine([analysis], at=START)
    assert made.elements == {}
    assert "element" not in to_text(made)


def test_channels_and_objectives_are_not_mixed() -> None:
    cells = design(AUDIENCES[1], 6, seed=1)
    tests = [
        experiment("a", cells),
        experiment("b", cells),
        experiment("c", cells, objective="orders"),
        experiment("d", cells, channel_id="sms"),
    ]
    analyses = [
        analyze(each, outcomes(each, 2_000, liked=1.2, seed=k), {}, writing_usd=0.0)
        for k, each in enumerate(tests)
    ]
    found = combine(analyses, at=START).elements
    assert set(found) == {"email", "sms"}
    assert found["sms"] == analyses[3].report.elements
    lines = max(row.lines + row.others for row in found["email"])
    assert lines == 12


def test_text_shows_six_elements_at_most_and_the_caution(liked: Report) -> None:
    text = to_text(liked, width=140, arms=False)
    part = text.split("All lines on email: which element works for whom")[1]
    part = part.split("All experiments together")[0]
    assert " ".join(CAUTION.split()) in " ".join(part.split())
    rows = [line for line in part.splitlines() if ": " in line and "between" in line]
    assert len(rows) == 6
    assert rows[0].lstrip().startswith("proof: price")
    assert "Savers" in rows[0]
    assert text.count("which element works") == 1
    assert to_text(liked, width=140).count("These lines: which element works") == 8


def test_json_and_back_keeps_the_elements(liked: Report) -> None:
    plain = to_json(liked)
    row = plain["elements"]["email"][0]
    assert set(row) == {"attribute", "level", "audience_id", "lines", "others", "effect"}
    assert plain["experiments"][0]["elements"][0]["effect"].keys() >= {"estimate", "low", "reason"}
    assert loads(dumps(liked), Report).elements == liked.elements


def row(estimate: float | None, half: float = 0.1, **changes: object) -> ElementReport:
    effect = (
        Estimate(estimate=None, low=None, high=None, reason="none")
        if estimate is None
        else Estimate(estimate=estimate, low=estimate - half, high=estimate + half)
    )
    made = ElementReport(
        attribute="tone", level="warm", audience_id=None, lines=2, others=4, effect=effect
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_strongest_takes_proven_ones_first_and_each_level_once() -> None:
    rows = [
        row(0.2, 0.3),
        row(-0.25, 0.1, audience_id="savers"),
        row(0.3, 0.4, level="bold"),
        row(None, level="calm"),
        row(0.04, 0.01, level="plain"),
    ]
    assert [each.level for each in strongest(rows)] == ["warm", "plain", "bold"]
    assert strongest(rows)[0].audience_id == "savers"
    assert [each.level for each in strongest(rows, most=1)] == ["warm"]


def test_strongest_shows_one_of_two_mirror_images() -> None:
    rows = [
        row(-0.2, attribute="urgency", level="none"),
        row(0.2, attribute="urgency", level="soft"),
    ]
    assert [each.level for each in strongest(rows)] == ["soft"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([], "None of these"),
        ([0.3], "The first 1 is proven"),
        ([0.3, 0.4], "The first 2 are proven"),
        ([0.3, 0.4, 0.5], "All of these are proven"),
    ],
)
def test_note_says_how_many_are_proven(told: list[float], words: str) -> None:
    rows = [row(each) for each in told] + [row(0.01)] * (3 - len(told))
    assert element_note(rows) == f"{element_note(rows).removesuffix(CAUTION)}{CAUTION}"
    assert words in element_note(rows)
