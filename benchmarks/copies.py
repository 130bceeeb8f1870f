"""Does live copy keep its channel's limits and quote only numbers that its product carries?

    python -m benchmarks.copies --catalog FILE --json OUT            5,000 copies
    python -m benchmarks.copies --catalog FILE --json OUT --quick    300 copies

Products are drawn from a real feed; for each, copy is written for every audience of the sample shop
on every channel, guarded, and what survives is checked here once more. This checker shares no code
with the guards: it counts characters, SMS septets and columns by itself, and demands that every
group of digits and every number word of a copy stands in the product's raw text, is one of its
prices, or follows from a price and a sale price.
"""

import argparse
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import ClassVar

import regex
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.common import Bar, arguments, finish, terminal
from hookline import sample
from hookline.attributes import design
from hookline.brief import make_brief
from hookline.catalog import read_feed
from hookline.channels import CHANNELS
from hookline.errors import HooklineError
from hookline.generate import generate
from hookline.guards import GUARDS, Guard, check_all, guards_named
from hookline.types import Brief, Channel, Copy, Draft, Product, Verdict, content_hash
from hookline.writers.base import Writer
from hookline.writers.phrasebook import Phrasebook

AT = datetime(2025, 1, 1, tzinfo=UTC)
COPIES, QUICK_COPIES = 5000, 300
EXAMPLES = 40
"""Copies that the result quotes, one a product."""


# --- the independent checker -------------------------------------------------------------------

_GSM_BEYOND_ASCII = set("£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà€")
_DIGITS = regex.compile(r"\d+(?:[.,]\d+)*")
_NUMBER_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000,
}  # fmt: skip


def limit_faults(parts: Mapping[str, str], channel: Channel) -> list[str]:
    """How the parts break the channel's limits, one sentence each."""
    faults: list[str] = []
    fields = {spot.name: spot for spot in channel.fields}
    if set(parts) != set(fields):
        faults.append(f"fields {sorted(parts)} instead of {sorted(fields)}")
    for name, text in parts.items():
        spot = fields.get(name)
        if spot is None:
            continue
        length = len(regex.findall(r"\X", text))
        if not spot.min_graphemes <= length <= spot.max_graphemes or not text.strip():
            faults.append(f"{name}: {length} characters")
        if spot.max_units is not None and units_of(text, channel.units) > spot.max_units:
            faults.append(f"{name}: too many {channel.units} units")
    return faults


def units_of(text: str, units: str) -> int:
    """The text's length in septets (of 160, UCS-2 scaled from 70), columns or code units."""
    if units == "columns":
        return sum(1 + (unicodedata.east_asian_width(char) in {"W", "F"}) for char in text)
    code_units = sum(1 + (ord(char) > 0xFFFF) for char in text)
    if units == "utf16":
        return code_units
    if all(char in _GSM_BEYOND_ASCII or (char.isascii() and char != "`") for char in text):
        return len(text) + sum(char in "^{}\\[~]|€" for char in text)
    return 160 if code_units == 70 else code_units * 160 // 70 + 1


def numbers_of(text: str) -> list[tuple[str, set[Decimal]]]:
    """Every number of the text with the values it may stand for."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found = [(group, _values(group)) for group in _DIGITS.findall(plain)]
    words = (word for word in regex.findall(r"\p{L}+", plain) if word in _NUMBER_WORDS)
    return found + [(word, {Decimal(_NUMBER_WORDS[word])}) for word in words]


def _values(group: str) -> set[Decimal]:
    """A group of digits read with its marks as thousands, and with its last mark as decimal."""
    digits = "".join(str(unicodedata.decimal(char)) if char.isdigit() else char for char in group)
    values = {Decimal(digits.replace(",", "").replace(".", ""))}
    mark = max(digits.rfind("."), digits.rfind(","))
    if mark > 0:
        head = digits[:mark].replace(",", "").replace(".", "")
        values = {Decimal(f"{head}.{digits[mark + 1 :]}")} | (
            values if len(digits) - mark == 4 else set[Decimal]()
        )
    return values


def carried_by(product: Product) -> set[Decimal]:
    """Every value that the product's raw text and prices hold or imply."""
    facts = [text for pair in product.facts.items() for text in pair]
    texts = [product.title, product.description, product.brand, product.category]
    raw = "\n".join([*texts, *facts, *product.highlights])
    values = {value for _, readings in numbers_of(raw) for value in readings}
    price, sale = product.price, product.sale_price
    values |= {money.amount for money in (price, sale) if money}
    if price and sale and 0 < sale.amount < price.amount:
        percent = 100 * (price.amount - sale.amount) / price.amount
        values |= {price.amount - sale.amount, percent.quantize(Decimal(1), ROUND_HALF_UP)}
    return values


def ungrounded(copy: Copy, carried: set[Decimal]) -> list[str]:
    """The numbers of the copy that the product does not carry, as written."""
    return [
        written
        for text in copy.parts.values()
        for written, values in numbers_of(text)
        if not values & carried
    ]


# --- the run -----------------------------------------------------------------------------------


class Timed(Guard):
    """All guards as one, with a stop-watch for processor time."""

    name: ClassVar[str] = "timed"

    def __init__(self) -> None:
        self.guards = guards_named(GUARDS)
        self.seconds = 0.0
        self.checked = 0

    def check(
        self, parts: Mapping[str, str], brief: Brief, others: Sequence[str] = ()
    ) -> tuple[Verdict, ...]:
        """Every guard's verdicts."""
        start = time.process_time()
        verdicts = check_all(self.guards, parts, brief, others)
        self.seconds += time.process_time() - start
        self.checked += 1
        return verdicts


class Timekeeper(Writer):
    """The phrasebook with a stop-watch for processor time."""

    name: ClassVar[str] = "phrasebook"

    def __init__(self) -> None:
        self.writer = Phrasebook()
        self.seconds = 0.0

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """The phrasebook's drafts."""
        start = time.process_time()
        try:
            return self.writer.write(brief, n, seed)
        finally:
            self.seconds += time.process_time() - start


@dataclass(kw_only=True)
class Row:
    """One channel's line of the table."""

    channel: str
    live: int = 0
    with_numbers: int = 0
    rejected: int = 0
    over_limits: int = 0
    ungrounded: int = 0


@dataclass(kw_only=True)
class Tally:
    """What was found."""

    rows: dict[str, Row]
    products: int = 0
    shortfall: int = 0
    faults: list[str] = field(default_factory=list[str])
    rejections: Counter[str] = field(default_factory=Counter[str])
    examples: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def total(self, name: str) -> int:
        """A column's sum."""
        return sum(getattr(row, name) for row in self.rows.values())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 where every bar holds, 1 where one fails, 2 for bad input."""
    options = _options(argv)
    console = terminal()
    wanted = min(options.copies, QUICK_COPIES) if options.quick else options.copies
    try:
        products = read_feed(options.catalog).products
    except HooklineError as fault:
        print(fault, file=sys.stderr)
        return 2
    guard, writer = Timed(), Timekeeper()
    tally = run(products, guard, writer, wanted=wanted, seed=options.seed, console=console)
    console.print(_table(tally))
    for fault in tally.faults[:10]:
        console.print(fault, markup=False)
    result = {
        "catalog": options.catalog.name,
        "products": tally.products,
        "table": [asdict(row) for row in tally.rows.values()],
        "faults": tally.faults,
        "rejections": dict(tally.rejections.most_common()),
        "briefs_without_copy": tally.shortfall,
        "cpu_seconds": {"guards": guard.seconds, "writer": writer.seconds},
        "examples": tally.examples,
    }
    bars = _bars(tally, guard, writer, wanted)
    return finish(console, bars, out=options.json, seed=options.seed, result=result)


def run(
    products: Sequence[Product],
    guard: Timed,
    writer: Writer,
    *,
    wanted: int,
    seed: int,
    console: Console,
) -> Tally:
    """Writes, guards and checks copy, product by product, until `wanted` copies are checked.

    Products come in a seeded order; where they run out, they come again with other attributes.
    """
    tally = Tally(rows={channel.id: Row(channel=channel.name) for channel in CHANNELS.values()})
    order = Random(seed).sample(products, len(products))
    shown = (TextColumn("checking copy"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console) as progress:
        task = progress.add_task("copies", total=wanted)
        for turn in range(wanted):
            before = tally.total("live")
            for product in order:
                _one_product(product, guard, writer, seed=seed, turn=turn, tally=tally)
                progress.update(task, completed=min(wanted, tally.total("live")))
                if tally.total("live") >= wanted:
                    return tally
            if tally.total("live") == before:
                return tally
    return tally


def _one_product(
    product: Product, guard: Timed, writer: Writer, *, seed: int, turn: int, tally: Tally
) -> None:
    brand = sample.brand()
    cells = int(content_hash(seed, product.id, size=4), 16)  # other attributes for every product
    briefs = [
        make_brief(
            product=product, audience=audience, channel=channel, brand=brand, attributes=attributes
        )
        for channel in CHANNELS.values()
        for audience in sample.audiences()
        for attributes in design(audience, turn + 1, cells)[turn:]
    ]
    slate = generate(briefs, writer, [guard], per_brief=1, seed=seed, at=AT)
    tally.products += 1
    tally.shortfall += len(slate.shortfall)
    for copy in slate.rejected:
        tally.rows[copy.channel_id].rejected += 1
        tally.rejections.update(verdict.code for verdict in copy.verdicts if not verdict.ok)
    carried = carried_by(product)
    for copy in slate.kept:
        _one_copy(copy, product, carried, tally)
    if slate.kept and len(tally.examples) < EXAMPLES:
        copy = slate.kept[tally.products * 5 % len(slate.kept)]
        tally.examples.append(
            {"product": product.title, "channel": copy.channel_id, "parts": dict(copy.parts)}
        )


def _one_copy(copy: Copy, product: Product, carried: set[Decimal], tally: Tally) -> None:
    row = tally.rows[copy.channel_id]
    row.live += 1
    over = limit_faults(copy.parts, CHANNELS[copy.channel_id])
    alien = ungrounded(copy, carried)
    row.over_limits += bool(over)
    row.ungrounded += bool(alien)
    row.with_numbers += any(numbers_of(text) for text in copy.parts.values())
    tally.faults += [f"{product.id} {copy.channel_id}: {fault}: {copy.text}" for fault in over]
    tally.faults += [f"{product.id} {copy.channel_id}: number {n}: {copy.text}" for n in alien]


def _bars(tally: Tally, guard: Timed, writer: Timekeeper, wanted: int) -> list[Bar]:
    live, rejected = tally.total("live"), tally.total("rejected")
    over, alien = tally.total("over_limits"), tally.total("ungrounded")
    first_pass = 1 - rejected / guard.checked if guard.checked else 0.0
    info = "for information"
    return [
        Bar(name="copies checked", value=live, target=f">= {wanted}", holds=live >= wanted),
        Bar(name="copies over their channel's limits", value=over, target="= 0", holds=not over),
        Bar(name="copies with an ungrounded number", value=alien, target="= 0", holds=not alien),
        Bar(name="drafts that pass the guards at once", value=first_pass, target=info),
        Bar(
            name="guards: copies per CPU second",
            value=guard.checked / guard.seconds if guard.seconds else 0.0,
            target=info,
        ),
        Bar(
            name="guards' time / writer's time",
            value=guard.seconds / writer.seconds if writer.seconds else 0.0,
            target=info,
        ),
    ]


def _table(tally: Tally) -> Table:
    columns = ("live", "with numbers", "rejected", "over limits", "ungrounded")
    table = Table("channel", *columns, title=f"{tally.products} products")
    for row in tally.rows.values():
        counts = (row.live, row.with_numbers, row.rejected, row.over_limits, row.ungrounded)
        table.add_row(row.channel, *map(str, counts))
    return table


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments("benchmarks.copies", __doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--catalog", type=Path, required=True, help="product feed")
    parser.add_argument("--copies", type=int, default=COPIES, help=f"copies to check ({COPIES})")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
