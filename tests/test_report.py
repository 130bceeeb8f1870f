import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.report import analyze, combine, harms, to_json, to_text
from hookline.report.evidence import Scored, duel, score
from hookline.report.guardrails import harm_of
from hookline.report.table import tabulate
from hookline.report.verdict import Judged, judge
from hookline.report.words import Figures, percent, sentence, signed
from hookline.stats import scores
from hookline.types import (
    METRICS,
    Arm,
    ArmReport,
    Audience,
    Context,
    Decision,
    Estimate,
    Experiment,
    ExperimentReport,
    GuardMetric,
    Guardrail,
    Outcome,
    Rule,
    Wait,
    dumps,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
PRICE = 30.0


def experiment(arms: int = 3, **changes: object) -> Experiment:
    base = Experiment(
        id="e1",
        name="Rain jacket · e-mail",
        product_id="p1",
        channel_id="email",
        arms=tuple(
            Arm(id=f"a{k}", text=f"Line {k} [b]", parts={"subject": f"Line {k}"}, control=k == 0)
            for k in range(arms)
        ),
        audiences=(
            Audience(id="hikers", name="Hikers", when={"interest": ("hiking",)}),
            Audience(id="all", name="All others"),
        ),
        policy="thompson",
        horizon=4_000,
        status="running",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def outcomes(
    test: Experiment,
    n: int,
    rates: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    seed: int = 0,
    shares: Sequence[float] | None = None,
) -> list[Outcome]:
    """Settled outcomes under a policy with fixed shares; every clicker's fifth orders."""
    rng, count = np.random.default_rng(seed), len(test.arms)
    pi = np.array(shares or [1 / count] * count)
    marginal = test.uniform / count + (1 - test.holdout - test.uniform) * pi
    marginal[0] += test.holdout
    logged = {arm.id: p for arm, p in zip(test.arms, marginal.tolist(), strict=True)}
    made: list[Outcome] = []
    for i, arm in enumerate(rng.choice(count, n, p=marginal).tolist()):
        audience = test.audiences[i % 2].id
        rate = rates[audience][arm] if isinstance(rates, Mapping) else rates[arm]
        clicked = rng.random() < rate
        ordered = clicked and i % 5 == 0
        decision = Decision(
            id=f"{test.id}-{i}",
            experiment_id=test.id,
            arm_id=test.arms[arm].id,
            propensity=float(marginal[arm]),
            probabilities=logged,
            slice="policy",
            reason="policy",
            context=Context(visitor_id=f"v{i}", at=START + timedelta(minutes=i)),
            audience_id=audience,
        )
        made.append(
            Outcome(
                decision=decision,
                exposed=True,
                clicks=int(clicked),
                orders=int(ordered),
                revenue=PRICE * ordered,
                click_settled=True,
                order_settled=True,
            )
        )
    return made


def report(test: Experiment, made: Sequence[Outcome]) -> ExperimentReport:
    return analyze(test, made, {arm.id: 0.25 for arm in test.arms}, writing_usd=0.5).report


def test_analyze_names_a_clear_winner_and_its_interval() -> None:
    test = experiment()
    found = report(test, outcomes(test, 4_000, [0.1, 0.1, 0.2]))
    lift, worth = found.arms[2].lift["clicks"], found.arms[2].worth
    assert (found.verdict, found.winner, found.unit) == ("ship", "a2", "clicks")
    assert lift.low is not None
    assert lift.high is not None
    assert 0 < lift.low < 1.0 < lift.high
    assert worth is not None
    assert worth.estimate is not None
    assert worth.low is not None
    assert worth.high is not None
    assert 0 < worth.low < 100 < worth.high
    assert found.sentence == (
        f"“Line 2 [b]” is proven better than your control, at {signed(worth.estimate)} clicks "
        f"per 1,000 visitors (between {signed(worth.low)} and {signed(worth.high)}); "
        f"{percent(lift.estimate)} clicks (between {percent(lift.low)} and {percent(lift.high)})."
    )


def test_analyze_of_identical_lines_keeps_running() -> None:
    test = experiment()
    found = report(test, outcomes(test, 4_000, [0.1, 0.1, 0.1]))
    assert (found.verdict, found.winner) == ("keep running", None)
    assert found.sentence.startswith("No line is proven better yet; Hookline's choices are at ")


def test_analyze_corrects_every_lift_for_the_number_of_challengers() -> None:
    test = experiment(5)
    made = outcomes(test, 4_000, [0.2] * 5)
    scored = score(tabulate(test, made), "clicks")
    for place, arm in enumerate(report(test, made).arms[1:], start=1):
        pair = duel(scored, place, 0)
        assert arm.lift["clicks"] == pair.lift(test.horizon, 0.05 / 4)
        assert arm.rate["clicks"] == pair.rate(test.horizon)
        worth = pair.beyond(test.horizon, 0.05 / 4)
        assert arm.worth is not None
        assert (arm.worth.estimate, arm.worth.low) == (
            pytest.approx(1_000 * (worth.estimate or 0)),
            pytest.approx(1_000 * (worth.low or 0)),
        )


def test_analyze_forecasts_visitors_and_days_still_needed() -> None:
    test = experiment()
    made = outcomes(test, 4_000, [0.1, 0.1, 0.13])
    found = report(test, made)
    assert (found.verdict, found.winner) == ("keep running", None)
    assert found.wait is not None
    assert 100 < found.wait.visitors < 36_000
    assert len(str(found.wait.visitors).rstrip("0")) <= 2
    days = found.wait.days.estimate  # 1,440 visitors a day, two whole days, clicks settle in one
    assert days is not None
    assert days == pytest.approx(found.wait.visitors / 1_440 + 1, abs=1.1)
    assert (
        f"About {found.wait.visitors:,} more visitors, about {days:.0f} days at the present "
        "traffic, would settle it if lines stay where they are: more than the 4,000 planned"
    ) in found.sentence


def test_forecast_of_lines_short_of_the_bar_is_until_the_last_falls_below_it() -> None:
    test = experiment(rule=Rule(worthwhile=30.0))
    made = outcomes(test, 2_000, [0.1, 0.1, 0.11])
    found = report(test, made)
    assert found.verdict == "keep running"
    assert found.wait is not None
    assert found.wait.visitors > 0
    easier = report(replace(test, rule=Rule(worthwhile=40.0)), made)
    assert easier.wait is None or easier.wait.visitors < found.wait.visitors


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


def test_sound_split_is_said_to_be_as_drawn() -> None:
    test = experiment()
    found = report(test, outcomes(test, 4_000, [0.1, 0.1, 0.2]))
    split = found.split
    assert (split.flagged, split.visitors) == (False, 4_000)
    assert re.fullmatch(r"Visitors per line are as drawn \(p = [\d.]+\)\.", split.sentence)
    assert sum(split.seen.values()) == 4_000
    assert sum(split.expected.values()) == pytest.approx(4_000)
    text = to_text(combine([analyze(test, [], {}, writing_usd=0)], at=START))
    assert "Visitors per line can't be checked: nobody was given an arm yet." in text


def test_a_line_that_is_lost_on_its_way_takes_the_place_of_the_verdict() -> None:
    test = experiment()
    made = [
        replace(each, exposed=each.decision.arm_id != "a2" or bool(each.clicks) or i % 3 > 0)
        for i, each in enumerate(outcomes(test, 6_000, [0.1, 0.1, 0.2]))
    ]
    sound = [each for each in made if each.decision.arm_id != "a2"]
    found = analyze(test, made, {}, writing_usd=0)
    lift = found.report.arms[2].lift["clicks"].low
    assert lift is not None
    assert lift > 0  # it would have been the winner, not least by what was lost
    assert found.report.split.flagged
    assert (found.report.verdict, found.report.winner) == ("check the traffic", None)
    assert found.report.sentence.startswith(
        "Visitors per line are not as drawn (p < 0.0001). “Line 2 [b]” was seen"
    )
    assert found.report.split.seen["a0"] == sum(o.decision.arm_id == "a0" for o in sound)
    text = to_text(combine([found], at=START))
    assert text.count("Check the traffic") == 1
    assert "Ship" not in text
    assert to_json(combine([found], at=START))["experiments"][0]["split"]["flagged"] is True


def test_split_leaves_out_who_was_not_drawn_or_not_shown() -> None:
    test = experiment()
    made = outcomes(test, 3_000, [0.1] * 3)
    unseen = [replace(each, exposed=False) for each in made[:1_000]]
    stray = [
        replace(each, decision=replace(each.decision, slice="fallback", arm_id="a0"))
        for each in made[1_000:2_000]
    ]
    found = report(test, [*unseen, *stray, *made[2_000:]]).split
    assert (found.visitors, found.flagged) == (1_000, False)


def test_analyze_counts_add_up() -> None:
    test = experiment()
    made = outcomes(test, 1_000, [0.1, 0.2, 0.3])
    unseen = {"exposed": False, "clicks": 0, "orders": 0, "revenue": 0.0}
    made[:10] = [replace(each, **unseen) for each in made[:10]]  # type: ignore[arg-type]
    found = report(test, made)
    assert (found.visitors, found.exposures) == (1_000, 990)
    assert found.clicks == sum(each.clicks for each in made) == sum(a.clicks for a in found.arms)
    assert found.orders == sum(each.orders for each in made) == sum(a.orders for a in found.arms)
    assert found.revenue == pytest.approx(sum(arm.revenue for arm in found.arms))
    assert sum(arm.exposures for arm in found.arms) == 990
    assert found.arms[0].rate["clicks"].n == 990
    assert found.cost["writing_usd"] == 0.5
    assert sum(each.exposures for each in found.audiences) == 990


def test_analyze_rests_on_settled_outcomes_only() -> None:
    test = experiment()
    made = [replace(each, order_settled=False) for each in outcomes(test, 2_000, [0.3] * 3)]
    found = report(test, made)
    assert found.lift["clicks"].estimate is not None
    assert found.lift["orders"].estimate is None
    assert "100 visitors" in found.lift["orders"].reason
    assert found.orders > 0


def test_analyze_leaves_fallback_decisions_out_of_estimates() -> None:
    test = experiment()
    made = outcomes(test, 2_000, [0.1, 0.2, 0.1])
    stray = [
        replace(
            each,
            decision=replace(
                each.decision, slice="fallback", arm_id="a0", probabilities={"a0": 1.0}
            ),
        )
        for each in outcomes(test, 500, [0.9] * 3, seed=1)
    ]
    clean, mixed = report(test, made), report(test, stray + made)
    assert mixed.exposures == clean.exposures + 500
    assert mixed.lift == clean.lift
    assert mixed.gain == clean.gain
    assert [arm.rate for arm in mixed.arms] == [arm.rate for arm in clean.arms]


def test_analyze_without_outcomes_has_no_data() -> None:
    found = report(experiment(), [])
    assert (found.verdict, found.winner) == ("too early", None)
    assert found.sentence == "No answer yet: needs 100 visitors whose outcome is settled, has 0."
    assert found.allocation == ()
    assert all(found.gain[metric].estimate is None for metric in METRICS)
    assert found.cost["exploration_clicks"] is None


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


def test_analyze_never_names_an_arm_that_is_no_longer_served() -> None:
    test = experiment()
    made = outcomes(test, 4_000, [0.1, 0.1, 0.2])
    retired = replace(test, arms=(*test.arms[:2], replace(test.arms[2], active=False)))
    assert report(retired, made).winner is None


def test_gain_and_exploration_cost_make_up_the_policys_whole_worth() -> None:
    """What was served and what exploring held back sum to the policy for everybody."""
    test = experiment()
    found = analyze(
        test, outcomes(test, 3_000, [0.1, 0.3, 0.1], shares=[0.1, 0.8, 0.1]), {}, writing_usd=0
    )
    evidence = found.evidence["clicks"]
    whole = evidence.policy.mean[0] - evidence.policy.mean[1]
    gain, cost = found.report.gain["clicks"], found.report.cost["exploration_clicks"]
    assert gain.estimate is not None
    assert cost is not None
    assert gain.estimate + cost == pytest.approx(3_000 * whole)
    truth = 3_000 * ((0.8 * 0.8 + 0.1 / 3) * 0.2)
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < truth < gain.high
    assert gain.low > 0


def test_gain_in_money_is_gain_in_orders_times_the_price() -> None:
    test = experiment()
    found = report(test, outcomes(test, 4_000, [0.4, 0.8, 0.4]))
    orders, money = found.gain["orders"], found.gain["revenue"]
    assert orders.low is not None
    assert money.low == pytest.approx(PRICE * orders.low)
    assert found.lift["revenue"].low == pytest.approx(found.lift["orders"].low)


def test_probabilities_that_do_not_fit_the_shares_leave_the_policy_unknown() -> None:
    test = experiment()
    made = outcomes(test, 2_000, [0.1] * 3)
    found = report(replace(test, holdout=0.5, uniform=0.4), made)
    assert found.lift["clicks"].estimate is None
    assert "do not fit" in found.lift["clicks"].reason
    assert found.gain["clicks"].estimate is not None
    assert found.allocation == ()
    assert found.arms[1].lift["clicks"].estimate is not None


def test_arm_added_in_flight_is_compared_on_visitors_who_could_get_it() -> None:
    young, grown = experiment(2), experiment(3)
    early = outcomes(young, 1_000, [0.1, 0.1])
    late = outcomes(grown, 1_500, [0.1, 0.1, 0.1], seed=1)
    found = report(grown, early + late)
    assert found.arms[1].lift["clicks"].n == 2_500
    assert found.arms[2].lift["clicks"].n == 1_500
    assert found.lift["clicks"].n == 2_500


def test_audiences_get_their_own_best_line() -> None:
    test = experiment()
    rates = {"hikers": [0.1, 0.3, 0.1], "all": [0.1, 0.1, 0.3]}
    hikers, others = report(test, outcomes(test, 8_000, rates)).audiences
    assert (hikers.best_arm_id, others.best_arm_id) == ("a1", "a2")
    assert hikers.proven
    assert others.proven
    assert hikers.best_text == "Line 1 [b]"


def test_audience_that_prefers_the_control_is_told_so() -> None:
    test = experiment()
    first = report(test, outcomes(test, 4_000, [0.3, 0.1, 0.1])).audiences[0]
    assert (first.best_arm_id, first.proven) == ("a0", False)
    assert "control" in first.lift.reason


def test_audience_seen_too_seldom_has_no_best_line() -> None:
    test = experiment()
    made = [
        replace(each, decision=replace(each.decision, audience_id="hikers" if i % 50 else ""))
        for i, each in enumerate(outcomes(test, 2_000, [0.1] * 3))
    ]
    found = report(test, made).audiences
    assert [each.audience_id for each in found] == ["hikers", "all", ""]
    assert [each.exposures for each in found] == [1_960, 0, 40]
    assert found[1].best_arm_id == found[2].best_arm_id == ""
    assert found[1].lift.reason == "no challenger was seen often enough in this audience"


def test_allocation_gives_the_policys_own_shares_over_time() -> None:
    test = experiment()
    before = outcomes(test, 600, [0.1] * 3, shares=[0.6, 0.2, 0.2])
    after = [
        replace(
            each,
            decision=replace(
                each.decision,
                context=replace(each.decision.context, at=START + timedelta(days=2, minutes=i)),
            ),
        )
        for i, each in enumerate(outcomes(test, 600, [0.1] * 3, shares=[0.1, 0.8, 0.1], seed=1))
    ]
    points = report(test, after + before).allocation
    assert len(points) == 24
    assert [point.at for point in points] == sorted(point.at for point in points)
    assert sum(point.visitors for point in points) == 1_200
    assert points[0].shares == pytest.approx({"a0": 0.6, "a1": 0.2, "a2": 0.2})
    assert points[-1].shares == pytest.approx({"a0": 0.1, "a1": 0.8, "a2": 0.1})


def test_combine_pools_visitors_and_sums_gains() -> None:
    test = experiment()
    parts = [
        analyze(replace(test, id=f"e{seed}"), made, {}, writing_usd=0)
        for seed in range(6)
        if (made := outcomes(test, 1_500, [0.1, 0.16, 0.13], seed=seed))
    ]
    whole = combine(parts, at=START, totals={"events_sent": 7.0})
    gains = [part.report.gain["clicks"].estimate for part in parts]
    assert whole.gain["clicks"].estimate == pytest.approx(sum(g for g in gains if g is not None))
    lift = whole.lift["clicks"]
    assert lift.n == 9_000
    assert lift.low is not None
    assert lift.low > 0
    assert whole.totals["visitors"] == 9_000
    assert whole.totals["events_sent"] == 7
    assert whole.totals["clicks"] == sum(part.report.clicks for part in parts)


def test_combine_refuses_to_add_currencies() -> None:
    parts = [
        analyze(test, outcomes(test, 1_000, [0.5] * 3), {}, writing_usd=0)
        for test in (experiment(), experiment(currency="EUR"))
    ]
    whole = combine(parts, at=START)
    assert whole.lift["revenue"].reason == "money in EUR and USD does not add"
    assert whole.lift["clicks"].estimate is not None
    assert "revenue" not in whole.totals


def test_combine_of_nothing_is_unknown() -> None:
    whole = combine([], at=START)
    assert whole.lift["clicks"].estimate is None
    assert whole.totals["experiments"] == 0


def test_to_json_is_plain_and_flat() -> None:
    test = experiment()
    part = analyze(test, outcomes(test, 2_000, [0.1, 0.2, 0.1]), {"a1": 0.7}, writing_usd=1)
    plain = json.loads(json.dumps(to_json(combine([part], at=START))))
    first = plain["experiments"][0]
    assert {"id", "name", "policy", "status", "verdict", "winner", "sentence", "lift", "gain"} <= (
        first.keys()
    )
    assert first["arms"][1]["text"] == "Line 1 [b]"
    assert first["arms"][1]["share"] == 0.7
    assert first["arms"][0]["control"]
    assert set(first["lift"]["clicks"]) == {"estimate", "low", "high", "n", "reason"}
    assert set(plain["lift"]) == set(METRICS)


def test_to_text_shows_every_line_as_written() -> None:
    test = experiment()
    part = analyze(test, outcomes(test, 4_000, [0.1, 0.1, 0.2]), {"a1": 0.7}, writing_usd=1)
    text = to_text(combine([part], at=START, totals={"events_sent": 12_345}))
    assert "control: Line 0 [b]" in text
    assert "Ship: “Line 2 [b]” is proven better" in text
    assert "12,345" in text
    assert "70%" in text
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "\x1b" not in text


def test_analyze_twice_gives_the_same_bytes() -> None:
    test = experiment()
    made = outcomes(test, 1_000, [0.1, 0.2, 0.1])
    assert dumps(report(test, made)) == dumps(report(test, made))


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
