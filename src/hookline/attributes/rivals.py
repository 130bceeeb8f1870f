"""Two versions of a prompt in the same tests: whose lines did better."""

from collections.abc import Callable, Iterable, Sequence
from math import log, sqrt
from typing import Final, NamedTuple

from hookline.attributes.effects import LUCK
from hookline.attributes.lines import Standing, standings
from hookline.types import Estimate, Experiment, Outcome

LIKELY: Final = 0.1
"""Difference of two prompts that the interval is tightest for."""


def rivals(
    tests: Iterable[tuple[Experiment, Sequence[Outcome]]],
    prompt_of: Callable[[str], str],
    usual: str,
    on_trial: str,
    *,
    alpha: float = 0.05,
) -> Estimate:
    """How much more the trial version's lines bring than the usual one's (.1 is +10 %).

    Within a test the lines of each version are averaged, each weighing 1 over the variance of its
    value and its own luck; over tests the differences are averaged by the same rule. A line's luck
    has a standard deviation of `LUCK`, so that many lines are needed, whatever the traffic: 122 of
    each version to find a true 10 % four times in five, 31 for 20 %. `n` counts those of both.

    The interval holds at all looks together, as more lines come in: the mixture of Robbins (1970)
    for a normal mean, with N(0, `LIKELY`²) mixed in, on the information that the lines give,
        radius² = 2 (I τ² + 1) / (I² τ²) · ln(√(I τ² + 1) / α),  I = 1 / variance.
    It assumes that versions are given to briefs by lot, that lines are independent, and their luck
    known; it holds as lines grow many.

    Args:
        tests: Experiments with their outcomes.
        prompt_of: Copy id → version of the prompt that it was written with.
        usual: One version.
        on_trial: The other one.
        alpha: Chance of ever missing.
    """
    found = [difference(*test, prompt_of, usual, on_trial) for test in tests]
    return pooled([each for each in found if each is not None], alpha=alpha)


class Difference(NamedTuple):
    """What one test says: the difference of means, its variance, and the lines it rests on."""

    value: float
    variance: float
    lines: int


def difference(
    experiment: Experiment,
    outcomes: Sequence[Outcome],
    prompt_of: Callable[[str], str],
    usual: str,
    on_trial: str,
) -> Difference | None:
    """How much more the trial version's lines bring in one test; None where it lacks a side."""
    sides: tuple[list[Standing], list[Standing]] = ([], [])
    for standing in standings(experiment, outcomes):
        version = prompt_of(standing.arm.id)
        if version in {usual, on_trial} and not standing.arm.control:
            sides[version == on_trial].append(standing)
    if not all(sides):
        return None
    (old, old_variance), (new, new_variance) = map(_average, sides)
    return Difference(new - old, old_variance + new_variance, sum(map(len, sides)))


def pooled(differences: Sequence[Difference], *, alpha: float = 0.05) -> Estimate:
    """What tests say together, each weighing 1 over its variance; see `rivals`."""
    if not differences:
        reason = "no test has shown lines of both versions often enough"
        return Estimate(estimate=None, low=None, high=None, n=0, reason=reason)
    told = sum(1 / each.variance for each in differences)
    mean = sum(each.value / each.variance for each in differences) / told
    mixed = told * LIKELY**2 + 1
    radius = sqrt(2 * mixed / (told**2 * LIKELY**2) * log(sqrt(mixed) / alpha))
    lines = sum(each.lines for each in differences)
    return Estimate(estimate=mean, low=mean - radius, high=mean + radius, n=lines)


def _average(side: Sequence[Standing]) -> tuple[float, float]:
    """Mean of the lines' values, and its variance, luck allowed for."""
    weights = [1 / (LUCK**2 + standing.variance) for standing in side]
    total = sum(weights)
    values = zip(weights, side, strict=True)
    return sum(own * standing.value for own, standing in values) / total, 1 / total
