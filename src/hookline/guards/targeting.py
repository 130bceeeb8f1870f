"""The `targeting` guard: copy tells nobody what they are."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hookline.guards.base import Guard
from hookline.types import Brief, Verdict
from hookline.words import fold, language_of, pattern


class Targeting(Guard):
    """No word to the reader about a protected attribute of theirs.

    Religion, origin, health, pregnancy, disability, sexuality, age, debts, politics: what is said
    of the product is free ("maternity jeans"), what is said of the reader is not ("because you are
    pregnant"). This is Meta's rule on personal attributes, and close to what Google has.
    """

    name: ClassVar[str] = "targeting"

    def check(
        self,
        parts: Mapping[str, str],
        brief: Brief,
        others: Sequence[str] = (),  # noqa: ARG002 - what is said of a reader stands by itself
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one."""
        personal = pattern("safety", "targeting.patterns", language_of(brief.locale))
        faults: list[Verdict] = []
        for part, text in parts.items():
            if found := personal.search(fold(text)):
                reason = f'"{found[0]}" tells the reader what they are; leave it unsaid.'
                faults.append(self.fault("attribute", reason, part))
        return tuple(faults) or self.passed()
