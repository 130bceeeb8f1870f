"""The decision rule: what it ships and stops, guard metrics, what is still to come."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.report import analyze, harms
from hookline.report.evidence import Scored, duel
from hookline.report.guardrails import harm_of
from hookline.report.verdict import Judged, judge
from hookline.report.words import Figures, percent, sentence
from hookline.stats import scores
from hookline.types import (
    Arm,
    ArmReport,
    Estimate,
    GuardMetric,
    Guardrail,
    Outcome,
    Rule,
    Wait,
)
from made_report import PRICE, START, experiment, outcomes, report


def test_analyze_with_a_high_bar_stops() -> None:
    test = experiment(horizon=10_000, rule=Rule(worthwhile=150.0))
    found = report(test, outcomes(test, 10_000, [0.5] * 3))
    assert (found.verdict, found.winner) == ("stop", None)
    worths = [arm.worth.high for arm in found.arms[1:] if arm.worth]
    assert all(high is not None and high < 150 for high in worths)
    assert "worth it from +150 clicks per 1,000 visitors" in found.sentence


def test_the_bar_in_money_is_that_in_clicks_times_what_one_is_worth() -> None:
    made = outcomes(experiment(), 4_000, [0.1, 0.1, 0.15])
    counted = report(experiment(rule=Rule(worthwhile=40.0)), made)
    paid = report(experiment(rule=Rule(worthwhile=20.0, value=0.5)), made)
    assert (counted.verdict, counted.unit) == (paid.verdict, "clicks")
    assert paid.unit == "USD"
    assert paid.wait == counted.wait
    for cents, clicks in zip(paid.arms[1:], counted.arms[1:], strict=True):
        assert cents.worth is not None
        assert clicks.worth is not None
        assert cents.worth.estimate == pytest.approx(0.5 * (clicks.worth.estimate or 0))
    assert "USD per 1,000 visitors" in paid.sentence


def test_a_proven_line_that_is_hardly_worth_it_is_not_shipped() -> None:
    test = experiment(rule=Rule(worthwhile=500.0))
    found = report(test, outcomes(test, 4_000, [0.1, 0.1, 0.2]))
    low = found.arms[2].lift["clicks"].low
    assert low is not None
    assert low > 0
    assert (found.verdict, found.winner) == ("stop", None)
    nearer = replace(test, rule=Rule(worthwhile=110.0))
    waiting = report(nearer, outcomes(test, 4_000, [0.1, 0.1, 0.2]))
    assert waiting.verdict == "keep running"
    assert "is proven better, but by its best estimate not worth +110 clicks" in waiting.sentence


def test_a_higher_risk_narrows_every_interval_of_the_verdict() -> None:
    made = outcomes(experiment(), 2_000, [0.1, 0.1, 0.15])
    careful, bold = (report(experiment(rule=Rule(risk=risk)), made) for risk in (0.05, 0.2))
    for metric in ("clicks",):
        pairs = [
            (careful.arms[2].lift[metric], bold.arms[2].lift[metric]),
            (careful.arms[2].rate[metric], bold.arms[2].rate[metric]),
            (careful.lift[metric], bold.lift[metric]),
            (careful.extra[metric], bold.extra[metric]),
        ]
        for wide, narrow in pairs:
            assert wide.low is not None
            assert narrow.low is not None
            assert wide.low < narrow.low


def test_choices_proven_worse_stop_the_test() -> None:
    test = experiment()
    found = report(test, outcomes(test, 3_000, [0.3, 0.2, 0.25], shares=[0.1, 0.7, 0.2]))
    assert found.lift["clicks"].high is not None
    assert found.lift["clicks"].high < 0
    assert (found.verdict, found.winner) == ("stop", None)
    assert "proven worse than your control" in found.sentence


def test_lines_matched_to_visitors_are_not_stopped_for_being_no_good_to_all() -> None:
    """Each line is worth nothing over all visitors, and much to its own half of them."""
    test = experiment(holdout=0.2, rule=Rule(worthwhile=60.0))
    made: list[Outcome] = []
    for audience, best in (("hikers", 1), ("all", 2)):
        rates = {key: [0.2, 0.1, 0.1] for key in ("hikers", "all")}
        rates[audience][best] = 0.3
        shares = [0.02, 0.02, 0.02]
        shares[best] = 0.96
        each = outcomes(test, 20_000, rates, seed=best, shares=shares)
        made += [one for one in each if one.decision.audience_id == audience]
    found = report(test, made)
    assert all(arm.worth and arm.worth.high is not None for arm in found.arms[1:])
    assert found.worth is not None
    assert found.worth.low is not None
    assert found.worth.low > 0
    assert found.verdict == "keep running"
    assert "taken together Hookline's choices are proven better" in found.sentence


@pytest.mark.parametrize("status", ["paused", "concluded"])
def test_a_test_that_no_longer_runs_never_asks_to_keep_running(status: str) -> None:
    test = experiment(status=status)
    for rates in ([0.1] * 3, [0.1, 0.1, 0.12]):
        found = report(test, outcomes(test, 2_000, rates))
        assert (found.verdict, found.wait) == (status, None)
        assert "Your control serves everybody" in found.sentence
        assert "more visitors" not in found.sentence
    empty = report(test, [])
    assert empty.verdict == status
    proven = report(test, outcomes(test, 4_000, [0.1, 0.1, 0.2]))
    assert (proven.verdict, proven.winner) == ("ship", "a2")
    assert ("let it run again to ship" in proven.sentence) == (status == "paused")


def test_a_test_whose_lines_were_all_taken_out_stops() -> None:
    test = experiment()
    bare = replace(
        test, arms=(test.arms[0], *(replace(arm, active=False) for arm in test.arms[1:]))
    )
    found = report(bare, outcomes(test, 2_000, [0.1] * 3))
    assert (found.verdict, found.winner) == ("stop", None)
    assert "each was taken out: your control serves everybody" in found.sentence


def test_a_shipped_line_is_still_measured_against_the_hold_out() -> None:
    test = experiment()
    before = outcomes(test, 2_000, [0.1, 0.1, 0.2])
    chances = {"a0": 0.1, "a2": 0.9}
    after = [
        replace(
            each,
            decision=replace(
                each.decision,
                arm_id="a0" if each.decision.arm_id == "a0" else "a2",
                probabilities=chances,
                slice="shipped",
            ),
        )
        for each in outcomes(experiment(holdout=0.1, uniform=0.0), 4_000, [0.1, 0.2, 0.2], seed=1,
                             shares=[0.0, 0.5, 0.5])
    ]  # fmt: skip
    alone = report(test, before)
    found = report(replace(test, shipped="a2"), before + after)
    assert (found.verdict, found.winner, found.shipped) == ("shipped", None, "a2")
    assert found.sentence.startswith(
        "“Line 2 [b]” serves everybody but the 10% held out, who tell what it is worth."
    )
    assert found.arms[2].lift["clicks"].n == 6_000
    assert found.lift["clicks"].n == alone.lift["clicks"].n == 2_000  # the policy's own choices
    assert found.allocation[-1].visitors <= 2_000 // len(found.allocation) + 1
    assert not found.split.flagged
    gain = found.gain["clicks"].estimate
    assert gain is not None
    assert gain > (alone.gain["clicks"].estimate or 0) + 200


def unsubscribing(made: Sequence[Outcome], chances: Mapping[str, float]) -> list[Outcome]:
    rng = np.random.default_rng(5)
    left = rng.random(len(made)).tolist()
    return [
        replace(each, unsubscribed=chance < chances[each.decision.arm_id])
        for each, chance in zip(made, left, strict=True)
    ]


def test_a_line_that_is_proven_harmful_cannot_be_shipped() -> None:
    test = experiment(rule=Rule(guardrails=(Guardrail(metric="unsubscribes", tolerated=5.0),)))
    made = unsubscribing(
        outcomes(test, 6_000, [0.1, 0.1, 0.2]), {"a0": 0.01, "a1": 0.01, "a2": 0.06}
    )
    found = report(test, made)
    assert [row.harmful for row in found.guardrails] == [False, True]
    harm = found.guardrails[1].harm
    assert harm.low is not None
    assert harm.high is not None
    assert 5 < harm.low < 50 < harm.high
    assert found.guardrails[1].events == sum(
        each.unsubscribed for each in made if each.decision.arm_id == "a2"
    )
    assert found.winner != "a2"
    assert [row.arm_id for row in harms(test, made)] == ["a2"]
    lenient = replace(test, rule=Rule(guardrails=(Guardrail(metric="unsubscribes", tolerated=90),)))
    assert harms(lenient, made) == ()
    assert report(lenient, made).winner == "a2"


def test_a_line_with_fewer_orders_does_harm_where_orders_are_guarded() -> None:
    test = experiment(rule=Rule(guardrails=(Guardrail(metric="orders"),)), horizon=8_000)
    found = harms(test, outcomes(test, 8_000, [0.5, 0.02, 0.5]))
    assert [(row.arm_id, row.metric) for row in found] == [("a1", "orders")]
    low = found[0].harm.low
    assert low is not None
    assert low > 0


def test_nothing_is_taken_out_on_traffic_that_is_not_as_drawn() -> None:
    test = experiment(rule=Rule(guardrails=(Guardrail(metric="unsubscribes"),)))
    made = unsubscribing(outcomes(test, 6_000, [0.1] * 3), {"a0": 0.01, "a1": 0.01, "a2": 0.08})
    assert [row.arm_id for row in harms(test, made)] == ["a2"]
    lossy = [
        replace(each, exposed=each.decision.arm_id != "a2" or i % 2 == 0)
        for i, each in enumerate(made)
    ]
    assert report(test, lossy).split.flagged
    assert harms(test, lossy) == ()


@pytest.mark.parametrize("metric", ["unsubscribes", "orders"])
def test_identical_lines_are_hardly_ever_found_harmful_at_any_look(metric: GuardMetric) -> None:
    """Under few events, where the variance is least known: the rule's 5 % is kept."""
    chances, n, runs = np.array([0.1, 0.7, 0.1, 0.1]), 4_000, 100
    told = false = 0
    audiences, logged = np.zeros(n, dtype=np.int64), np.tile(chances, (n, 1))
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        arms, rewards = rng.choice(4, n, p=chances), (rng.random(n) < 0.02).astype(float)
        psi = scores(rewards, arms, logged, audiences)
        lows: list[float | None] = []
        for seen in range(500, n + 1, 500):
            scored = Scored(
                psi=psi[:seen],
                arms=arms[:seen],
                audiences=audiences[:seen],
                probabilities=logged[:seen],
                chosen=np.ones(seen, dtype=bool),
                rewards=rewards[:seen],
                limits=(0, 1),
            )
            pairs = (duel(scored, line, 0) for line in (1, 2, 3))
            lows += [harm_of(Guardrail(metric=metric), pair, n, 0.05 / 3).low for pair in pairs]
        told += any(low is not None for low in lows)
        false += any(low is not None and low > 0 for low in lows)
    assert told == runs
    assert false <= 11  # P(more than 11 of 100 at 5 %) < .5 %


def test_maturity_tells_how_many_orders_are_to_come() -> None:
    test = experiment(order_hours=48.0)
    rng = np.random.default_rng(3)
    now = START + timedelta(minutes=4_000)
    made: list[Outcome] = []
    due = 0
    for each in outcomes(test, 4_000, [0.2] * 3):
        age = (now - each.decision.context.at) / timedelta(hours=1)
        delay = float(rng.uniform(0, 48))
        will, open_ = each.clicks > 0 and rng.random() < 0.5, age < 48
        came = will and delay <= age
        due += will and not came
        made.append(
            replace(
                each,
                orders=int(came),
                revenue=PRICE * came,
                ordered_after=delay if came else None,
                order_settled=not open_,
            )
        )
    found = analyze(test, made, {}, writing_usd=0, now=now).report.maturity
    assert found is not None
    assert found.open == sum(not each.order_settled for each in made)
    assert found.to_come.low is not None
    assert found.to_come.high is not None
    assert found.to_come.low < due < found.to_come.high
    assert f"{found.open:,} of 4,000 visitors can still order: about" in found.sentence


def test_maturity_says_when_all_is_in_and_when_nothing_can_be_told() -> None:
    test = experiment()
    made = outcomes(test, 2_000, [0.2] * 3)
    closed = report(test, made).maturity
    assert closed is not None
    assert (closed.open, closed.to_come.estimate) == (0, 0.0)
    assert closed.sentence == "Every order window has closed: no orders are still to come."
    young = report(test, [replace(each, order_settled=False) for each in made]).maturity
    assert young is not None
    assert young.to_come.estimate is None
    assert "can't be told yet: needs 20 orders whose window has closed" in young.sentence
    nobody = report(test, []).maturity
    assert nobody is not None
    assert nobody.sentence.startswith("Nobody has seen a line")


bounds = st.lists(st.floats(-1, 3), min_size=3, max_size=3).map(sorted)


def arm_report(key: str, worth: Estimate | None, *, active: bool = True) -> ArmReport:
    """A line with its worth; the control where it has none."""
    control = worth is None
    return ArmReport(
        arm=Arm(id=key, text=key, parts={}, control=control, active=active),
        exposures=0,
        clicks=0,
        orders=0,
        revenue=0.0,
        share=0.0,
        rate={},
        lift={"clicks": worth or Estimate(estimate=None, low=None, high=None)},
        worth=worth,
    )


def known(numbers: Sequence[float]) -> Estimate:
    low, estimate, high = numbers
    return Estimate(estimate=estimate, low=low, high=high, n=500)


@given(
    st.lists(st.tuples(bounds, st.booleans()), max_size=4),
    st.none() | bounds,
    st.sampled_from([0.0, 0.02, 1.5]),
    st.sets(st.sampled_from(["line0", "line1"])),
    st.sampled_from(["running", "paused", "concluded"]),
)
def test_verdict_never_contradicts_the_intervals(
    lines: list[tuple[list[float], bool]],
    policy: list[float] | None,
    bar: float,
    harmful: set[str],
    status: str,
) -> None:
    arms = [arm_report("control", None)] + [
        arm_report(f"line{k}", known(numbers), active=active)
        for k, (numbers, active) in enumerate(lines)
    ]
    whole = known(policy) if policy else Estimate(estimate=None, low=None, high=None, reason="few")
    test = experiment(rule=Rule(worthwhile=bar), status=status)
    judged = judge(arms, whole, test.rule, harmful)
    words = sentence(judged, Figures(whole, whole), test)
    left = [
        numbers for k, (numbers, active) in enumerate(lines) if active and f"line{k}" not in harmful
    ]
    ships = [numbers for numbers in left if numbers[0] > 0 and numbers[1] >= bar]
    assert (judged.verdict == "ship") == bool(ships)
    if judged.verdict == "ship":
        assert judged.arm is not None
        assert judged.arm.worth is not None
        assert judged.arm.worth.estimate == max(numbers[1] for numbers in ships)
        assert "is proven better than your control" in words
    if judged.verdict == "stop":
        small = all(high < bar for _, _, high in left) and (not policy or policy[2] < bar)
        losing = policy and policy[2] < 0 and all(low <= 0 for low, _, _ in left)
        assert {"small": small, "losing": losing, "out": not left}[judged.cause]
    elif left and not ships:
        assert any(high >= bar for *_, high in left) or not policy or policy[2] >= bar
    if "choices are proven better" in words:
        assert policy
        assert policy[0] > 0
    if "choices are proven worse" in words:
        assert policy
        assert policy[2] < 0
    if status != "running":
        assert "more visitors" not in words
        assert "yet" not in words


def test_too_early_is_said_where_nothing_is_known() -> None:
    nothing = Estimate(estimate=None, low=None, high=None, reason="needs 100 visitors")
    arms = [arm_report("control", None), arm_report("line", nothing)]
    assert judge(arms, nothing, Rule()) == Judged("too early")


@given(st.floats(-1, 50))
def test_percent_keeps_the_sign(share: float) -> None:
    text = percent(share)
    assert text.startswith("0 %") == (share == 0)
    assert text.startswith("+") == (share > 0)
    assert text.startswith("−") == (share < 0)


def test_line_with_uncertain_bounds_is_neither_shipped_nor_stopped() -> None:
    open_ended = Estimate(estimate=0.4, low=None, high=None, n=500, reason="too early")
    arms = [arm_report("control", None), arm_report("line", open_ended)]
    test = experiment()
    judged = judge(arms, open_ended, test.rule)
    days = Estimate(estimate=3.0, low=None, high=None)
    words = sentence(judged, Figures(open_ended, open_ended), test, Wait(visitors=1_200, days=days))
    assert words == (
        "No line is proven better yet; it is too early to say what Hookline's "
        "choices are worth. About 1,200 more visitors, about 3 days at the present traffic, would "
        "settle it if lines stay where they are."
    )
