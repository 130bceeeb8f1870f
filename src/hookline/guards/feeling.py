"""The `sentiment` guard: does the copy feel as it was asked to?"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hookline.guards.base import Guard
from hookline.sentiment import BAND, score
from hookline.types import Brief, Verdict


class Sentiment(Guard):
    """The copy's sentiment lies within a band round the brief's target; any will do without one.

    Args:
        band: How far it may lie from the target, on the scale from -1 to 1.
    """

    name: ClassVar[str] = "sentiment"

    def __init__(self, *, band: float = BAND) -> None:
        if not 0 < band <= 2:
            raise ValueError(f"band must lie above 0 and up to 2, not {band}")
        self.band = band

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - a feeling does not depend on other copy
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        target = brief.sentiment
        if target is None:
            return self.passed()
        felt = score(" | ".join(parts.values()), brief.locale)
        if abs(felt - target) <= self.band + 1e-9:
            return self.passed()
        code, word = ("low", "gladder") if felt < target else ("high", "more even")
        reason = (
            f"The copy's sentiment is {felt:+.2f}; {target:+.2f} was asked for. Make it {word}."
        )
        return (self.fault(code, reason),)
