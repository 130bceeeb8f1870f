"""What worked for an audience before, as sentences for a writer's prompt.

A lesson quotes a line that did better or worse than its test, when that is no luck of the draw: its
value is drawn to 0 as the best of many lines must be, by how much lines of a test differ. Lessons
speak of whole lines. What single attributes do is learned too (`policy`), but decides what is asked
for, so that it never contradicts the rest of the prompt.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

from hookline.attributes.effects import LUCK, OWN_LUCK
from hookline.attributes.lines import Standing, standings
from hookline.types import Experiment, Metric, Outcome

MOST: Final = 3
"""Lines quoted that did better, and as many that did worse, at most."""
SURE: Final = 1.645
"""Standard deviations that a lesson must be off 0: 95 % one-sided."""
_LONGEST: Final = 240


def lessons_from(
    tests: Sequence[tuple[Experiment, Sequence[Outcome]]], audience_id: str, *, most: int = MOST
) -> tuple[str, ...]:
    """What the tests teach of lines for an audience, the surest gains first, then what to avoid.

    Where the audience's own visitors teach fewer than `most` lessons of a kind, what is true of all
    visitors together fills up, and says so.

    Args:
        tests: Experiments on one channel with their outcomes.
        audience_id: Whom is to be written for.
        most: Most lines quoted that did better, and most that did worse.
    """
    own = _told(tests, audience_id, "with these readers")
    anyone = _told(tests, None, "with all readers together")
    lessons: list[str] = []
    for sign in (1, -1):
        told: dict[str, str] = {}
        for pool in (own, anyone):
            ranked = sorted(
                (row for row in pool if row[0] * sign > 0), key=lambda row: -abs(row[0])
            )
            for _, text, sentence in ranked:
                if len(told) < most:
                    told.setdefault(text, sentence)
        lessons += told.values()
    return tuple(lessons)


def _told(
    tests: Sequence[tuple[Experiment, Sequence[Outcome]]], audience_id: str | None, whom: str
) -> list[tuple[float, str, str]]:
    """What is believed of each line that stands out, its text, and the sentence."""
    rows: list[tuple[float, str, str]] = []
    for experiment, outcomes in tests:
        metric: Metric = experiment.objective
        for standing in standings(experiment, outcomes, audience_id):
            mean, sd = believed(standing)
            if abs(mean) > SURE * sd:
                text = " ".join(standing.arm.text.split())[:_LONGEST]
                more = "more" if mean > 0 else "less" if metric == "revenue" else "fewer"
                much = f"about {abs(mean):.0%} {more} {metric} than its test's average"
                rows.append((mean, text, f"“{text}” brought {much}, {whom}."))
    return rows


def believed(standing: Standing) -> tuple[float, float]:
    """Mean and standard deviation of what is believed of a line's value, luck allowed for."""
    spread = LUCK**2 + OWN_LUCK**2
    kept = spread / (spread + standing.variance)
    return kept * standing.value, sqrt(kept * standing.variance)
