"""Guards: checks between a draft and a reader. A new guard is one file and one row in `GUARDS`."""

from collections.abc import Iterable, Mapping, Sequence

from hookline.errors import UnregisteredName
from hookline.guards.base import Guard
from hookline.guards.brand_rules import BrandRules
from hookline.guards.claims import Claims
from hookline.guards.cta import Cta
from hookline.guards.duplicates import Duplicates
from hookline.guards.feeling import Sentiment
from hookline.guards.language import Language
from hookline.guards.limits import Limits
from hookline.guards.markup import Markup
from hookline.guards.privacy import Privacy
from hookline.guards.profanity import Profanity
from hookline.guards.readability import Readability
from hookline.guards.residue import Residue
from hookline.guards.targeting import Targeting
from hookline.types import Brief, Verdict

__all__ = ["GUARDS", "Guard", "check_all", "guards_named"]

GUARDS: dict[str, type[Guard]] = {
    guard.name: guard
    for guard in (
        Limits,
        Claims,
        BrandRules,
        Cta,
        Sentiment,
        Readability,
        Language,
        Profanity,
        Targeting,
        Privacy,
        Residue,
        Markup,
        Duplicates,
    )
}


def guards_named(names: Iterable[str]) -> tuple[Guard, ...]:
    """One guard for each name, in that order.

    Raises:
        UnregisteredName: Where a name is not in `GUARDS`.

    Examples:
        >>> [guard.name for guard in guards_named(["limits", "claims"])]
        ['limits', 'claims']
    """
    guards: list[Guard] = []
    for name in names:
        if name not in GUARDS:
            raise UnregisteredName("guard", name, GUARDS)
        guards.append(GUARDS[name]())
    return tuple(guards)


def check_all(
    guards: Sequence[Guard], parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
) -> tuple[Verdict, ...]:
    """Every guard's verdicts on one copy, in order. Never raises.

    A guard that breaks down fails the copy with the code `<guard>.fault`: copy that could not be
    checked is not to go live.

    Args:
        guards: Guards to ask.
        parts: Channel field name → text.
        brief: What was asked for.
        others: Texts that the copy stands beside, see `Guard.check`.
    """
    return tuple(verdict for guard in guards for verdict in _verdicts(guard, parts, brief, others))


def _verdicts(
    guard: Guard, parts: Mapping[str, str], brief: Brief, others: Sequence[str]
) -> tuple[Verdict, ...]:
    try:
        verdicts = guard.check(parts, brief, others)
    except Exception as fault:  # noqa: BLE001 - fail closed, whatever it was
        reason = f"The {guard.name} guard could not check this copy: {type(fault).__name__}."
        return (guard.fault("fault", reason),)
    return verdicts or (guard.fault("fault", f"The {guard.name} guard gave no verdict."),)
