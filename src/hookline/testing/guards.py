"""What every guard promises."""

from collections.abc import Callable, Mapping

from hookline.channels import CHANNELS
from hookline.guards import Guard
from hookline.testing.promise import promised
from hookline.types import Attributes, Audience, Brand, Brief, Product, Verdict, content_hash

_STRANGE = (
    "",
    " ",
    "\x00\x07",
    "a" * 10_000,
    "👩‍👩‍👧" * 50,
    "\u202eevil\u202c",
    "{{ 7 * 7 }} %s %d {0}",
    "١٢٣ ½ Ⅷ ²",
    "<script>alert(1)</script>",
    "100% FREE!!! #1 BEST",
    "line\nbreak\ttab",
    "日本語の広告",
)


def check_guard(make: Callable[[], Guard]) -> None:
    """Nothing, if the guards that `make` builds keep the contract of `Guard`.

    A guard never raises, says the same each time, changes none of its arguments, gives every
    fault a code of its own name and a reason in words, and passes with a single verdict.

    Args:
        make: Builds the guard.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    guard = make()
    for channel in CHANNELS:
        brief = _brief(channel)
        fields = [field.name for field in brief.channel.fields]
        copies: list[Mapping[str, str]] = [{}, {"no_such_field": "text"}]
        copies += [dict.fromkeys(fields, text) for text in _STRANGE]
        for parts in copies:
            before = (dict(parts), brief)
            verdicts = _verdicts(guard, parts, brief)
            promised((dict(parts), brief) == before, guard, "changes none of its arguments")
            promised(verdicts == _verdicts(make(), parts, brief), guard, "says the same each time")
            _well_formed(guard, verdicts)


def _verdicts(guard: Guard, parts: Mapping[str, str], brief: Brief) -> tuple[Verdict, ...]:
    try:
        return guard.check(parts, brief, ("Another line | Shop now", ""))
    except Exception as error:
        raise AssertionError(f"a guard never raises; {guard.name} did at {parts!r}") from error


def _well_formed(guard: Guard, verdicts: tuple[Verdict, ...]) -> None:
    promised(verdicts, guard, "gives at least one verdict")
    if any(verdict.ok for verdict in verdicts):
        promised(verdicts == guard.passed(), guard, "passes with its single passing verdict")
        return
    for verdict in verdicts:
        promised(verdict.guard == guard.name, guard, "signs its verdicts")
        promised(
            verdict.code.startswith(f"{guard.name}."), guard, "begins a fault's code with its name"
        )
        promised(
            verdict.reason.endswith("."),
            guard,
            f"gives its reason as a sentence, not {verdict.reason!r}",
        )


def _brief(channel: str) -> Brief:
    return Brief(
        id=content_hash(channel),
        product=Product(id="p", title="Canvas Day Bag", description="A bag of cotton canvas."),
        audience=Audience(id="all", name="All"),
        channel=CHANNELS[channel],
        brand=Brand(id="b", name="Fern", banned_terms=("cheap",), glossary={"e-mail": "email"}),
        attributes=Attributes(),
    )
