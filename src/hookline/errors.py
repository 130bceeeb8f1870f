"""Every error Hookline raises on purpose.

    HooklineError
    ├── BadFeed             a catalog file cannot be read as one
    ├── BadInput            a value a caller gave is unusable
    ├── Unknown             a name or id that nothing answers to
    │   └── UnregisteredName   a policy, writer, store or channel that is not in its table
    ├── Refused             the request is sound but the state forbids it
    ├── WriterFailed        a writer could not produce copy
    │   └── BudgetSpent     the writer's cost cap is reached
    └── StoreFailed         the log could not be written or read

The message says what is wrong and what to do about it, in one line. The command line prints it
and exits with 2; the service answers it as RFC 9457 problem details with `status`.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class HooklineError(Exception):
    """Something went wrong inside Hookline."""

    status = 500
    """HTTP status the service answers with."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])

    @property
    def title(self) -> str:
        """The kind of error in words, the same for every instance."""
        return (type(self).__doc__ or "").strip().splitlines()[0]


class BadFeed(HooklineError):
    """The file cannot be read as a product feed."""

    status = 422


class BadInput(HooklineError):
    """A value is unusable."""

    status = 422


class Unknown(HooklineError):
    """Nothing goes by that name."""

    status = 404


class UnregisteredName(Unknown):
    """The name is not in its table."""

    status = 422

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        super().__init__(f"no {kind} is named {name!r}{hint} Known: {', '.join(names)}.")


class Refused(HooklineError):
    """The state of things does not allow it."""

    status = 409


class WriterFailed(HooklineError):
    """The writer produced no usable copy."""

    status = 502


class BudgetSpent(WriterFailed):
    """The writer's cost cap is reached; raise `openai_budget_usd` to go on."""

    status = 402


class StoreFailed(HooklineError):
    """The log could not be written or read; nothing was acknowledged."""

    status = 503
