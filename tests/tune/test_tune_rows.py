"""Rows from the log: what they say, how surely, and what never stands in them."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hookline.channels import channel
from hookline.errors import BadInput, Refused
from hookline.prompts import load
from hookline.tune import (
    Kind,
    LoggedTest,
    Pair,
    Terms,
    Unpaired,
    Won,
    harvest,
    held_out,
    lines,
    study,
)
from hookline.tune.asked import OPEN, left_open
from hookline.types import Attributes, Context, Outcome
from hookline.writers.dialogue import parse
from tune.made_tests import BAG, SECRET, logged, make_arms, make_outcome, make_test

EASY = Terms(least_rows=1.0)
KINDS: tuple[Kind, ...] = ("sft", "pairs", "unpaired")


@cache
def make_log(
    rates: tuple[float, ...],
    n: int = 6_000,
    *,
    seed: int = 0,
    days: float = 7.0,
    orders: float = 0.1,
    visits: int = 1,
) -> LoggedTest:
    """A test whose lines have these click rates, drawn with shares that drift to the first."""
    rng = np.random.default_rng(seed)
    experiment = make_test(arms=make_arms()[: len(rates)])
    log: list[Outcome] = []
    for number in range(n):
        lean = np.ones(len(rates))
        lean[0] += 3 * number / n
        shares = lean / lean.sum()
        at = int(rng.choice(len(rates), p=shares))
        clicks = int(rng.random() < rates[at])
        log.append(
            make_outcome(
                experiment,
                experiment.arms[at],
                shares.tolist(),
                number=number,
                visitor=f"v{number // visits}",
                audience="savers" if number // visits % 2 else "rest",
                clicks=clicks,
                orders=int(clicks and rng.random() < orders),
                hours=24 * days * number / n,
            )
        )
    return logged(experiment, log)


def test_pairs_say_which_line_is_better_within_each_audience() -> None:
    made = harvest([make_log((0.05, 0.15, 0.10))], "pairs", terms=EASY)
    pairs = [row for row in made.rows if isinstance(row, Pair)]
    assert {row.stratum for row in pairs} == {"bags/savers/0", "bags/rest/0"}
    assert {row.copy_ids for row in pairs} >= {("direct", "control"), ("quality", "control")}
    assert not any(row.copy_ids[0] == "control" for row in pairs)
    assert all(0.8 <= row.weight < 1 for row in pairs)


def test_weight_is_twice_the_chance_less_one() -> None:
    made = harvest([make_log((0.05, 0.15))], "pairs", terms=EASY)
    chances = {stratum.id: stratum.chances for stratum in made.strata}
    for row in made.rows:
        better, worse = row.copy_ids
        assert row.weight == pytest.approx(2 * chances[row.stratum][better, worse] - 1)


def test_values_undo_what_the_policy_preferred() -> None:
    """Early visitors click twice as often, and the control is mostly shown late."""
    rng, experiment = np.random.default_rng(1), make_test(arms=make_arms()[:2])
    log: list[Outcome] = []
    for number in range(20_000):
        late = number >= 10_000
        shares = [0.9, 0.1] if late else [0.1, 0.9]
        at = int(rng.random() >= shares[0])
        clicks = int(rng.random() < (0.05 if late else 0.15))
        arm = experiment.arms[at]
        log.append(
            make_outcome(experiment, arm, shares, number=number, visitor=f"{number}", clicks=clicks)
        )
    [stratum] = study(logged(experiment, log), Terms()).strata
    plain = [np.mean([o.clicks for o in log if o.decision.arm_id == a.id]) for a in experiment.arms]
    assert plain[1] > 2 * plain[0]
    assert [line.value for line in stratum.lines] == pytest.approx([0.1, 0.1], abs=0.012)
    assert 0.02 < stratum.chances["direct", "control"] < 0.98


def test_chances_are_right_as_often_as_they_say() -> None:
    """Rates spread as those of real headlines do, and every chance is checked against the truth."""
    said: list[float] = []
    held: list[bool] = []
    for seed in range(12):
        rates = 0.1 * np.exp(0.22 * np.random.default_rng(seed).standard_normal(5))
        for stratum in study(make_log(tuple(rates.tolist()), seed=seed, n=2_500), Terms()).strata:
            ids = [arm.id for arm in make_arms()]
            for (one, other), chance in stratum.chances.items():
                if chance >= 0.5:
                    said.append(chance)
                    held.append(bool(rates[ids.index(one)] > rates[ids.index(other)]))
    assert len(said) > 200
    # pairs of one test share lines, so they err together: ten tests' worth of independence
    assert np.mean(held) == pytest.approx(np.mean(said), abs=0.06)
    sure = np.array(said) > 0.9
    assert np.mean(np.array(held)[sure]) > 0.88


def test_effective_visitors_are_kish_s_and_fewer_than_visitors() -> None:
    [first, *_] = study(make_log((0.1, 0.1), n=2_000), Terms()).strata
    log = make_log((0.1, 0.1), n=2_000).outcomes
    weights = np.array(
        [
            1 / each.decision.propensity
            for each in log
            if each.decision.arm_id == "direct" and each.decision.audience_id == "savers"
        ]
    )
    line = next(line for line in first.lines if line.arm_id == "direct")
    assert line.effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert line.effective < len(weights)


def test_what_won_beats_the_control_and_is_asked_for_its_own_attributes() -> None:
    made = harvest([make_log((0.05, 0.15, 0.03))], "sft", terms=EASY)
    assert {row.copy_ids for row in made.rows} == {("direct",)}
    for row in made.rows:
        assert isinstance(row, Won)
        assert OPEN not in row.prompt[1][1]
        assert "- Angle: direct" in row.prompt[1][1]
        assert parse(row.completion, channel("onsite_banner")) == [dict(make_arms()[1].parts)]
    assert made.left_out["the control is likely better than the line"] == 2


def test_pairs_of_unlike_lines_leave_attributes_open_and_alike_ones_ask_for_them() -> None:
    whole = make_log((0.05, 0.15, 0.03))
    control, one, other = whole.experiment.arms
    twins = (control, one, replace(other, attributes=one.attributes))
    test = logged(make_test(arms=twins), whole.outcomes)
    asked = {row.copy_ids: row.prompt[1][1] for row in harvest([test], "pairs", terms=EASY).rows}
    assert OPEN in asked["direct", "control"]
    assert "Tone:" not in asked["direct", "control"]
    assert OPEN not in asked["direct", "quality"]


def test_prompts_name_the_readers_of_the_stratum() -> None:
    made = harvest([make_log((0.05, 0.15))], "pairs", terms=EASY)
    for row in made.rows:
        who = "Savers. They compare prices." if "savers" in row.stratum else "Everybody else"
        assert f"Readers: {who}" in row.prompt[1][1]


def test_unpaired_rows_balance_their_labels_and_favour_the_better_line() -> None:
    made = harvest([make_log((0.05, 0.15, 0.10))], "unpaired", terms=EASY)
    rows = [row for row in made.rows if isinstance(row, Unpaired)]
    assert len(rows) == 2 * 3 * 2
    weight = {
        label: sum(row.weight for row in rows if row.label is label) for label in (True, False)
    }
    assert weight[True] == pytest.approx(weight[False])
    assert sum(weight.values()) == pytest.approx(len(rows))

    def pull(copy_id: str) -> float:
        return sum(r.weight * (1 if r.label else -1) for r in rows if r.copy_ids == (copy_id,))

    assert pull("direct") > pull("quality") > pull("control")


def test_lines_that_were_withdrawn_are_never_an_example() -> None:
    whole = make_log((0.05, 0.15, 0.10))
    tests = [logged(whole.experiment, whole.outcomes, exemplary={"control", "quality"})]
    pairs = harvest(tests, "pairs", terms=EASY)
    assert all(row.copy_ids[0] != "direct" for row in pairs.rows)
    assert pairs.left_out["the line is no longer approved, or was taken out of its test"] > 0
    assert all(row.copy_ids == ("quality",) for row in harvest(tests, "sft", terms=EASY).rows)
    for row in harvest(tests, "unpaired", terms=EASY).rows:
        assert isinstance(row, Unpaired)
        assert row.copy_ids != ("direct",) or not row.label


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_visitor_is_ever_in_a_row(kind: Kind) -> None:
    made = harvest([make_log((0.05, 0.15, 0.10))], kind, terms=EASY)
    written = b"".join(lines(made.rows, "trl"))
    assert written
    assert SECRET.encode() not in written
    if kind != "unpaired":
        hosted = b"".join(lines(made.rows, "openai"))
        assert hosted
        assert SECRET.encode() not in hosted


def test_who_the_visitors_were_changes_nothing() -> None:
    """Other names, traits and devices, the same rows."""
    whole = make_log((0.05, 0.15, 0.10))
    others = [
        replace(
            outcome,
            decision=replace(
                outcome.decision,
                id=f"d{number}",
                context=Context(visitor_id=f"{-number}", at=outcome.decision.context.at),
            ),
        )
        for number, outcome in enumerate(whole.outcomes)
    ]
    one = harvest([whole], "pairs", terms=EASY).rows
    other = harvest([logged(whole.experiment, others)], "pairs", terms=EASY).rows
    assert [replace(row, weight=1.0) for row in one] == [replace(row, weight=1.0) for row in other]
    assert [row.weight for row in one] == pytest.approx([row.weight for row in other])


def test_periods_are_strata_of_their_own() -> None:
    made = make_log((0.05, 0.15), n=8_000, days=56.0)
    assert len(study(made, Terms(period_days=28.0)).strata) == 4
    assert len(study(made, Terms(period_days=70.0)).strata) == 2


def test_a_visitor_who_comes_often_has_one_vote() -> None:
    once, often = make_log((0.05, 0.15)), make_log((0.05, 0.15), visits=10)
    assert sum(stratum.visitors for stratum in study(once, Terms()).strata) == 6_000
    assert sum(stratum.visitors for stratum in study(often, Terms()).strata) == 600
    [first, *_] = study(often, Terms()).strata
    [face, *_] = study(often, Terms(defence=None)).strata
    assert first.chances["direct", "control"] == pytest.approx(
        face.chances["direct", "control"], abs=0.05
    )


# --- too little, or nothing -------------------------------------------------------------------


def refusal(test: LoggedTest, kind: Kind = "pairs", terms: Terms | None = None) -> str:
    with pytest.raises(Refused) as found:
        harvest([test], kind, terms=terms)
    assert "\n" not in str(found.value)
    return str(found.value)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_success_it_says_so(kind: Kind) -> None:
    said = refusal(make_log((0.0, 0.0)), kind)
    assert "bags: no visitor did what the test is about" in said


@pytest.mark.parametrize("kind", KINDS)
def test_with_one_line_shown_it_says_so(kind: Kind) -> None:
    whole = make_log((0.1, 0.1))
    alone = [each for each in whole.outcomes if each.decision.arm_id == "direct"]
    said = refusal(logged(whole.experiment, alone), kind)
    assert "only one line was shown" in said


def test_with_nobody_shown_it_says_so() -> None:
    assert "nobody was shown a line" in refusal(logged(make_test(), []))


def test_a_log_with_lost_impressions_is_not_compared() -> None:
    whole = make_log((0.05, 0.15))
    kept = [o for i, o in enumerate(whole.outcomes) if o.decision.arm_id != "direct" or i % 3]
    said = refusal(logged(whole.experiment, kept))
    assert "not seen as often as drawn" in said


def test_too_few_visitors_and_too_few_rows_are_told_apart() -> None:
    few = refusal(make_log((0.05, 0.15), n=300))
    assert "fewer than 100 effective visitors" in few
    unsure = refusal(make_log((0.10, 0.10), n=3_000))
    assert "less than 90% sure" in unsure
    assert "fewer than the 10 it takes" in refusal(make_log((0.05, 0.15)))


def test_the_gate_counts_effective_rows() -> None:
    made = harvest([make_log((0.05, 0.15, 0.10))], "pairs", terms=EASY)
    weights = np.array([row.weight for row in made.rows])
    assert made.effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    above = Terms(least_rows=made.effective + 0.01)
    with pytest.raises(Refused):
        harvest([make_log((0.05, 0.15, 0.10))], "pairs", terms=above)


def test_money_has_no_unpaired_rows_but_pairs() -> None:
    whole = make_log((0.1, 0.3), orders=0.8)
    money = logged(make_test(arms=make_arms()[:2], objective="revenue"), whole.outcomes)
    assert {row.copy_ids for row in harvest([money], "pairs", terms=EASY).rows} == {
        ("direct", "control")
    }
    with pytest.raises(BadInput, match="about money"):
        harvest([money], "unpaired", terms=EASY)


def test_the_same_test_twice_is_refused() -> None:
    whole = make_log((0.05, 0.15))
    with pytest.raises(BadInput, match="each of them once"):
        harvest([whole, whole], "pairs")
    with pytest.raises(BadInput, match="at least one"):
        harvest([], "pairs")


def test_terms_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="least_chance"):
        Terms(least_chance=0.4)
    with pytest.raises(ValueError, match="above 0"):
        Terms(period_days=0.0)


# --- files ------------------------------------------------------------------------------------


def test_trl_columns() -> None:
    test = make_log((0.05, 0.15))
    columns = {
        "sft": {"prompt", "completion"},
        "pairs": {"prompt", "chosen", "rejected"},
        "unpaired": {"prompt", "completion", "label"},
    }
    ours = {"weight", "stratum", "test_id", "product_id", "copy_ids"}
    for kind in KINDS:
        made = harvest([test], kind, terms=EASY)
        for line in lines(made.rows, "trl"):
            row = json.loads(line)
            assert set(row) == columns[kind] | ours
            assert [message["role"] for message in row["prompt"]] == ["system", "user"]
            said = row.get("completion") or row["chosen"]
            assert [message["role"] for message in said] == ["assistant"]


def test_openai_formats() -> None:
    test = make_log((0.05, 0.15))
    [row, *_] = map(json.loads, lines(harvest([test], "sft", terms=EASY).rows, "openai"))
    assert [message["role"] for message in row.pop("messages")] == ["system", "user", "assistant"]
    assert not row
    [row, *_] = map(json.loads, lines(harvest([test], "pairs", terms=EASY).rows, "openai"))
    assert set(row) == {"input", "preferred_output", "non_preferred_output"}
    assert [message["role"] for message in row["input"]["messages"]] == ["system", "user"]
    assert "direct" in row["preferred_output"][0]["content"]
    with pytest.raises(BadInput, match="no place for unpaired"):
        list(lines(harvest([test], "unpaired", terms=EASY).rows, "openai"))


def test_products_are_held_out_whole() -> None:
    row = harvest([make_log((0.05, 0.15))], "pairs", terms=EASY).rows[0]
    rows = [replace(row, product_id=f"p{number // 3}") for number in range(180)]
    taught, kept = held_out(rows, share=0.3)
    assert len(taught) + len(kept) == 180
    assert 20 <= len(kept) <= 100
    assert not {row.product_id for row in taught} & {row.product_id for row in kept}
    assert held_out(rows, share=0.0)[1] == []


def test_variants_of_a_product_are_one_product() -> None:
    whole = make_log((0.05, 0.15))
    variant = replace(BAG, id="bag-blue", group_id="bags")
    test = logged(whole.experiment, whole.outcomes, product=variant)
    assert {row.product_id for row in harvest([test], "pairs", terms=EASY).rows} == {"bags"}


def test_left_open_drops_every_attribute_and_nothing_else() -> None:
    shipped = load("write_copy")
    asked = left_open(shipped)
    assert asked.system == shipped.system
    assert "{{sentiment}}" in asked.user
    assert not any(f"{{{{{name}}}}}" in asked.user for name in Attributes.__slots__)
    assert asked.version != shipped.version
    assert left_open(asked) == asked
