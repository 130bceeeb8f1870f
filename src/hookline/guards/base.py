"""What a guard is: a check that gives verdicts and never raises."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hookline.types import Brief, Verdict


class Guard(ABC):
    """One kind of check on a copy, deterministic and free of side effects."""

    name: ClassVar[str]
    """Name in `GUARDS`."""

    @abstractmethod
    def check(
        self, parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
    ) -> tuple[Verdict, ...]:
        """The verdicts on one copy: one per fault found, or a single passing one.

        Args:
            parts: Channel field name → text, as written; may lack fields or hold unknown ones.
            brief: What was asked for, with the product's facts, the channel and the brand.
            others: Texts (parts joined by " | ") the copy stands beside: live copy and siblings.
        """

    def passed(self) -> tuple[Verdict, ...]:
        """The verdict on a copy with nothing wrong."""
        return (Verdict(guard=self.name, ok=True),)

    def fault(self, code: str, reason: str, part: str = "") -> Verdict:
        """A failing verdict with the code `<guard>.<code>`."""
        return Verdict(
            guard=self.name, ok=False, code=f"{self.name}.{code}", reason=reason, part=part
        )
