"""How good is the copy of each writer, on real catalogs and on the product's real path?

    python -m benchmarks.generate --json OUT            1,050 briefs a writer
    python -m benchmarks.generate --json OUT --quick    60 briefs a writer

Briefs are drawn over products of three real catalogs, all channels, all attributes and five
languages, each with a target for its feeling. Every writer that needs no server answers them
through `generate` with all guards, one copy a brief; the live copy is then judged by a checker that
shares no code with the guards, by the recogniser of attributes, and by a language identifier where
one is installed (py3langid). A brief that got no copy counts against every bar. Beside that: the
planted violations and sound lines of the guards' tests, slates held against people's headlines
(`benchmarks.slates`, its drawing included), and a run against a server that fails.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.table import Table

from benchmarks import slates
from benchmarks.common import Bar, arguments, finish, terminal
from benchmarks.generate.draws import LOCALES, draw, shelves
from benchmarks.generate.moody import Endured, endure
from benchmarks.generate.planted import Planted, planted
from benchmarks.generate.written import Found, measure
from hookline.errors import HooklineError
from hookline.types import ATTRIBUTE_LEVELS
from hookline.writers import WRITERS, Writer

BRIEFS, QUICK_BRIEFS = 1050, 60
FLAKY, QUICK_FLAKY = 120, 24
SERVED = frozenset({"openai", "transformers"})
"""Writers that want a server or a model folder that no benchmark can take for granted."""
_SLATES = ("off_diagonal", "vendi", "self_bleu", "compression_ratio", "least step", "largest step")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 where every bar holds, 1 where one fails, 2 for no such writer."""
    parser = arguments("benchmarks.generate", (__doc__ or "").splitlines()[0])
    parser.add_argument("--writer", action="append", help="writer to measure (all that can)")
    parser.add_argument("--briefs", type=int, help=f"briefs a writer ({BRIEFS})")
    options = parser.parse_args(argv)
    console = terminal()
    catalogs = shelves()
    if not catalogs:
        console.print("no catalog in ../shared/data: nothing measured")
        return 0
    writers = available(options.writer)
    if not writers:
        print(f"none of {options.writer or sorted(WRITERS)} is available here", file=sys.stderr)
        return 2
    count = options.briefs or (QUICK_BRIEFS if options.quick else BRIEFS)
    briefs = draw(catalogs, count, options.seed)
    founds = [measure(writer, briefs, options.seed, console) for writer in writers]
    lines = planted()
    lasted = endure(briefs[: QUICK_FLAKY if options.quick else FLAKY], options.seed)
    bars = [bar for found in founds for bar in writer_bars(found)]
    bars += [*_planted_bars(lines), *_flaky_bars(lasted)]
    result: dict[str, object] = {
        "writers": [found.shown() for found in founds],
        "planted": asdict(lines),
        "flaky": asdict(lasted),
    }
    if not slates.absent():
        sides = slates.QUICK_PRODUCTS if options.quick else slates.PRODUCTS
        compared = slates.compared(sides, options.seed, console)
        bars += [bar for bar in compared.bars if bar.name.startswith(_SLATES)]
        result["slates"] = compared.result
        if options.json:
            options.json.with_suffix(".svg").write_text(compared.drawing, encoding="utf-8")
    for found in founds:
        console.print(_table(found))
        for fault in found.faults[:10]:
            console.print(fault, markup=False)
    return finish(console, bars, out=options.json, seed=options.seed, result=result)


def available(names: Sequence[str] | None = None) -> list[Writer]:
    """The writers of these names, or all, that can be made here without a server."""
    made: list[Writer] = []
    for name, kind in WRITERS.items():
        if name in SERVED or (names and name not in names):
            continue
        try:
            made.append(kind())
        except (HooklineError, OSError):
            continue  # its model is not there
    return made


def writer_bars(found: Found) -> list[Bar]:
    """What is asked of a writer's live copy."""
    name = found.writer
    bars = [
        _zero(f"{name}: live copies over their channel's limits", found.over_limits),
        _zero(f"{name}: live copies with an ungrounded claim", found.ungrounded),
        _least(f"{name}: sentiment within .15 of its target", found.share(found.in_band), 0.90),
        _least(f"{name}: call to action as asked", found.share(found.as_asked["cta"]), 0.95),
    ]
    each = {key: found.share(found.as_asked[key]) for key in ATTRIBUTE_LEVELS}
    mean = sum(each.values()) / len(each)
    bars.append(_least(f"{name}: attribute asked is recognised, mean of six", mean, 0.85))
    bars += [
        _least(f"{name}: {key} asked is recognised", share, 0.85)
        for key, share in each.items()
        if key != "cta"
    ]
    bars += [
        _least(f"{name}: language right, {way}", count / found.judged, 0.99)
        for way, count in found.spoken.items()
    ]
    first = 1 - sum(found.rejections.values()) / found.drafts if found.drafts else 0.0
    return [
        *bars,
        _told(f"{name}: briefs with copy", found.share(found.live)),
        _told(f"{name}: drafts without a fault", first),
        _told(f"{name}: drafts a second, guards included", found.drafts / found.seconds),
    ]


def _planted_bars(lines: Planted) -> list[Bar]:
    alarms = lines.alarms / lines.sound
    return [
        _least(
            f"planted violations caught, of {lines.hostile}", lines.caught / lines.hostile, 0.98
        ),
        Bar(
            name=f"false alarms on sound lines, of {lines.sound}",
            value=alarms,
            target="<= 0.03",
            holds=alarms <= 0.03,
        ),
    ]


def _flaky_bars(lasted: Endured) -> list[Bar]:
    unfilled = lasted.briefs - lasted.filled
    return [
        _zero(f"failing server: briefs unfilled, of {lasted.briefs}", unfilled),
        _least("failing server: copies that say who wrote them", float(lasted.told), 1.0),
        _told("failing server: copies of the model", lasted.by_writer.get("openai", 0)),
    ]


def _least(name: str, value: float, least: float) -> Bar:
    return Bar(name=name, value=value, target=f">= {least:g}", holds=value >= least)


def _zero(name: str, value: int) -> Bar:
    return Bar(name=name, value=value, target="= 0", holds=not value)


def _told(name: str, value: float) -> Bar:
    return Bar(name=name, value=value, target="for information")


def _table(found: Found) -> Table:
    """A writer's shares by language."""
    identifiers = list(found.spoken)
    columns = ("live", "in_band", *ATTRIBUTE_LEVELS)
    table = Table("locale", "briefs", *columns, *identifiers, title=found.writer)
    for locale in LOCALES:
        counts: Mapping[str, int] = found.by_locale[locale]
        briefs = counts.get("briefs", 0) or 1
        shares = [f"{counts.get(column, 0) / briefs:.3f}" for column in columns]
        heard = counts.get("judged", 0) or 1
        shares += [f"{counts.get(name, 0) / heard:.3f}" for name in identifiers]
        table.add_row(locale, str(counts.get("briefs", 0)), *shares)
    return table


if __name__ == "__main__":
    sys.exit(main())
