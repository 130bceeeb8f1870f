"""What a writer is: briefs in, drafts out. Guards come after, never inside."""

from abc import ABC, abstractmethod
from typing import ClassVar

from hookline.types import Brief, Draft


class Writer(ABC):
    """Something that turns a brief into drafts."""

    name: ClassVar[str]
    """Name in `WRITERS`."""
    reads_lessons: ClassVar[bool] = False
    """Whether it makes anything of `Brief.lessons`; only then are they gathered for it."""
    oversample: ClassVar[int] = 4
    """Drafts worth asking for per copy wanted: a choice; a larger one where they cost nothing."""

    @abstractmethod
    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """Up to `n` different drafts for the brief, each with a text for every channel field.

        Args:
            brief: What to write.
            n: How many drafts are wanted, at least 1.
            seed: The same brief, n and seed give the same drafts where the writer is able to.

        Raises:
            WriterFailed: Where nothing usable came out.
        """
