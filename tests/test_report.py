"""The report: lifts, audiences, counts, what is pooled."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from hookline.report import analyze, combine, to_json, to_text
from hookline.report.evidence import duel, score
from hookline.report.table import tabulate
from hookline.report.words import percent, signed
from hookline.types import (
    METRICS,
    Rule,
    dumps,
)
from made_report import PRICE, START, experiment, outcomes, report


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
