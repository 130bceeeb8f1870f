"""What a new test takes over from older ones before its first visitor.

    copy → text prior → forecast of every line, trusted as far as it was right before
    copy → encoder → embedding of every line
    outcomes of earlier tests on the channel → level, and the test's own horizon

All are written into the experiment itself, so that they are in the log with it: whoever replays
the log needs neither the prior's files, nor the encoder's, nor the older tests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hookline.events import Ledger
from hookline.past import PastTests
from hookline.perceive.encoders import Encoder, embeddings, narrowed
from hookline.policies import parameters_of
from hookline.prior import Belief, TextPrior, calibrate
from hookline.types import Arm, Experiment, Metric, Outcome

MOST_TESTS = 100
"""Earlier tests looked at, the latest ones: scoring their lines takes about a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tally:
    """Settled visitors of one arm, and how many of them clicked."""

    arm: Arm
    shown: int
    clicks: int


def with_head_start(
    experiment: Experiment,
    earlier: Sequence[Experiment],
    ledger: Ledger,
    prior: TextPrior | None,
) -> Experiment:
    """The experiment with forecasts for its arms, and parameters that its policy takes.

    A parameter that was given is left alone.

    Args:
        experiment: With its arms.
        earlier: All experiments before it, oldest first.
        ledger: Their outcomes.
        prior: None leaves the arms without forecasts.
    """
    told = dict(_parameters(experiment, earlier, ledger)) | dict(experiment.policy_params)
    if prior is None or experiment.objective != "clicks":
        return replace(experiment, policy_params=told)  # a click foretells no order
    belief = _learned(prior, earlier[-MOST_TESTS:], ledger)
    forecasts = prior.forecast([arm.text for arm in experiment.arms], belief)
    arms = tuple(
        replace(arm, forecast=forecast)
        for arm, forecast in zip(experiment.arms, forecasts, strict=True)
    )
    return replace(experiment, arms=arms, policy_params=told)


def with_embeddings(experiment: Experiment, encoder: Encoder) -> Experiment:
    """The experiment with the embedding of each arm's text, and the identity of the encoder.

    All arms are encoded at once and anew, so that no test ever compares vectors of two encoders.

    Args:
        experiment: With its arms, before its first decision.
        encoder: If it gives more than 64 numbers, a projection of it is used.
    """
    reader = narrowed(encoder)
    found = embeddings(reader, [arm.text for arm in experiment.arms])
    arms = tuple(
        replace(arm, embedding=embedding)
        for arm, embedding in zip(experiment.arms, found, strict=True)
    )
    return replace(experiment, arms=arms, encoder=reader.identity)


def promised(prior: TextPrior, texts: Sequence[str]) -> NDArray[np.float64]:
    """What new copy may be expected to earn at least, for choosing which to test.

    Args:
        prior: Its forecasts of the texts, as lines of one test, are taken one standard deviation
            down: the best of many forecasts is otherwise the one that errs most.
        texts: Copies that compete.

    Returns:
        Log of each one's rate over a typical line's, shape (texts,).
    """
    return np.array([forecast.mean - forecast.sd for forecast in prior.forecast(texts)])


def _parameters(
    experiment: Experiment, earlier: Sequence[Experiment], ledger: Ledger
) -> Mapping[str, float]:
    """`horizon` and `level`, where the policy takes them and they are known."""
    takes = parameters_of(experiment.policy)
    found: dict[str, float] = {}
    if "horizon" in takes:
        found["horizon"] = float(experiment.horizon)
    if "level" in takes and experiment.objective != "revenue":  # money has no unit beforehand
        alike = [
            each
            for each in earlier[-MOST_TESTS:]
            if (each.channel_id, each.objective) == (experiment.channel_id, experiment.objective)
        ]
        if level := _level(alike, ledger, experiment.objective):
            found["level"] = level
    return found


def _level(experiments: Iterable[Experiment], ledger: Ledger, objective: Metric) -> float:
    """Mean over the experiments of the reward per settled visitor; 0 where there is none."""
    means = [
        float(np.mean([outcome.value(objective) for outcome in outcomes]))
        for each in experiments
        if (outcomes := _settled(ledger, each, objective))
    ]
    return float(np.mean(means)) if means else 0.0


def _settled(ledger: Ledger, experiment: Experiment, objective: Metric) -> list[Outcome]:
    return [
        outcome
        for outcome in ledger.of_experiment(experiment.id)
        if outcome.exposed
        and (outcome.click_settled if objective == "clicks" else outcome.order_settled)
    ]


def _learned(prior: TextPrior, earlier: Sequence[Experiment], ledger: Ledger) -> Belief:
    """What the earlier tests' clicks say of the prior's scores."""
    seen = [tally for each in earlier if (tally := _tallies(each, ledger))]
    if not seen:
        return prior.belief
    tests = _as_past_tests(seen)
    return calibrate(tests, prior.score(tests.texts)[:, None], prior.belief)


def _tallies(experiment: Experiment, ledger: Ledger) -> list[_Tally]:
    """Arms that were shown, if there are two of them and a click to compare by."""
    shown = dict.fromkeys((arm.id for arm in experiment.arms), 0)
    clicks = dict(shown)
    for outcome in _settled(ledger, experiment, "clicks"):
        shown[outcome.decision.arm_id] += 1
        clicks[outcome.decision.arm_id] += outcome.clicks > 0
    tallies = [
        _Tally(arm=arm, shown=shown[arm.id], clicks=clicks[arm.id])
        for arm in experiment.arms
        if shown[arm.id]
    ]
    return tallies if len(tallies) > 1 and any(each.clicks for each in tallies) else []


def _as_past_tests(tests: Sequence[Sequence[_Tally]]) -> PastTests:
    lines = [tally for test in tests for tally in test]
    return PastTests(
        test_ids=tuple(str(number) for number in range(len(tests))),
        groups=np.arange(len(tests)),
        starts=np.cumsum([0, *(len(test) for test in tests)]),
        texts=tuple(tally.arm.text for tally in lines),
        impressions=np.array([tally.shown for tally in lines]),
        clicks=np.array([tally.clicks for tally in lines]),
        predicted=None,
    )
