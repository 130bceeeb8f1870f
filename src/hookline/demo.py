"""The demo: the whole loop through the HTTP API, with simulated shoppers for visitors.

It starts the service in a process of its own and then does what a shop would do, in order: import,
kit, copy, approval, experiments, traffic. Time is simulated (two weeks pass in about a minute), so
every request says when it was sent. The same seed gives the same decisions.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import groupby, islice
from pathlib import Path

import httpx2
import numpy as np

from hookline import sample
from hookline.catalog import PriceUnit, read_feed
from hookline.channels import CHANNELS
from hookline.client import Client, Shown
from hookline.errors import BadFeed, BadInput, HooklineError
from hookline.policies import make_policy
from hookline.service.address import check_free
from hookline.simulate import Happening, Shop, Visit, to_segment
from hookline.types import Attributes, Copy, Guardrail, Product, Report, Rule
from hookline.wire import Ask, CopyOrder, Imported, NewExperiment
from hookline.writers import writer_named

START = datetime(2026, 1, 5, tzinfo=UTC)
PLACES = ("onsite_banner", "email")
CLICK_HOURS: Mapping[str, float] = {"onsite_banner": 6.0, "email": 24.0}
RULES: Mapping[str, Rule] = {
    "onsite_banner": Rule(worthwhile=1.0, value=0.4),
    "email": Rule(
        worthwhile=1.0,
        value=0.4,
        guardrails=(Guardrail(metric="unsubscribes", tolerated=2.0),),
    ),
}
"""What a marketer might set: a click counts 40 cents, a change is worth it from 1.00 per 1,000."""
TICK = timedelta(hours=1)
"""Simulated time between two deliveries of events."""
LEARN = timedelta(hours=6)
"""Simulated time between two learning rounds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the demo is to do.

    Attributes:
        catalog: A feed of one's own; None for the sample shop.
        price_unit: `units` or `cents`: what the feed's prices count.
        products: Products to advertise, at least 1.
        variants: Copies for each product × audience × channel.
        visits: Simulated visits in all.
        holdout: Share of visitors who always get the control. Twice the usual: what a short test
            can prove depends most on how well it knows the control.
    """

    catalog: Path | None = None
    currency: str = "USD"
    price_unit: PriceUnit = "units"
    writer: str = "phrasebook"
    policy: str = "actor_critic"
    seed: int = 1
    products: int = 6
    variants: int = 2
    visits: int = 60_000
    days: float = 14.0
    holdout: float = 0.2


@dataclass(slots=True)
class Progress:
    """What the demo tells while it runs.

    Attributes:
        step: Called with a title and a total at the start of each step; gives back what to call
            with the number done.
    """

    step: Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What came of the demo.

    Attributes:
        totals: Counters by name.
        true_lift: Relative lift in expected clicks over the control, by the simulation's own truth,
            for the visitors who were not held out.
        notes: What the marketer should know about the writing: who stood in, what is missing.
        decisions: Visit, decision and arm of every visit, in order.
    """

    imported: Imported
    report: Report
    totals: Mapping[str, int | float]
    true_lift: float
    notes: Sequence[str]
    decisions: Sequence[tuple[str, str, str]] = field(repr=False)


@contextmanager
def service(*, port: int, database: Path, writer: str) -> Generator[str]:
    """A service of its own process on the port, with simulated time; gives its address.

    Raises:
        BadInput: Where the port is taken or the service does not come up.
    """
    check_free("127.0.0.1", port)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    address = f"http://127.0.0.1:{port}"
    settings = {
        "HOOKLINE_DATABASE": f"sqlite:///{database}",
        "HOOKLINE_HOST": "127.0.0.1",
        "HOOKLINE_PORT": str(port),
        "HOOKLINE_WRITER": writer,
        "HOOKLINE_TRUST_SENT_AT": "true",
        "HOOKLINE_LEARN_EVERY_S": "0",
    }
    usual = {"HOOKLINE_PRIOR": "none"}  # these shoppers' taste owes nothing to words
    command = [sys.executable, "-m", "hookline", "serve", "--quiet"]
    process = subprocess.Popen(command, env=usual | os.environ | settings)  # noqa: S603 - ourselves
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BadInput("the service stopped at once; see its message above")
        try:
            httpx2.get(f"{address}/v1/health", timeout=1).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise BadInput(f"the service at {address} did not answer within 60 seconds")


def run(plan: Plan, address: str, progress: Progress) -> Result:
    """Takes the plan through the service at `address`, from the feed to the report."""
    began = time.monotonic()
    with Client(address, timeout_s=120) as client:
        client.at = START
        imported, products = _import(plan, client)
        notes: set[str] = set()
        experiments = _experiments(plan, client, products, progress, notes)
        traffic = _Traffic(plan, client, Shop(plan.seed, products))
        traffic.run(experiments, progress)
        report = client.report()
    totals = {
        **report.totals,
        "visits": traffic.visits,
        "events_sent": traffic.events_sent,
        "seconds": round(time.monotonic() - began, 1),
    }
    return Result(
        imported=imported,
        report=report,
        totals=totals,
        true_lift=traffic.true_served / traffic.true_control - 1,
        notes=tuple(sorted(notes)),
        decisions=traffic.decisions,
    )


def _import(plan: Plan, client: Client) -> tuple[Imported, list[Product]]:
    path = plan.catalog or sample.shop_path()
    feed = read_feed(path, currency=plan.currency, price_unit=plan.price_unit, at=START)
    imported = client.import_catalog(
        path.name, path.read_bytes(), currency=plan.currency, price_unit=plan.price_unit
    )
    client.put_brand(sample.brand())
    for audience in sample.audiences():
        client.put_audience(audience)
    return imported, _chosen(plan, feed.products)


def _chosen(plan: Plan, products: Sequence[Product]) -> list[Product]:
    """Products to advertise: with a price, of as many categories as there are, by the seed."""
    priced = [product for product in products if product.price is not None]
    if len(priced) < plan.products:
        raise BadInput(
            f"the demo advertises {plan.products} products with a price; "
            f"the catalog has {len(priced)}; ask for fewer with --products"
        )
    order: list[int] = np.random.default_rng(plan.seed).permutation(len(priced)).tolist()
    by_category: dict[str, list[Product]] = {}
    for place in order:
        by_category.setdefault(priced[place].category, []).append(priced[place])
    shelves = sorted(by_category.values(), key=len, reverse=True)
    turns = (
        shelf[depth] for depth in range(len(priced)) for shelf in shelves if depth < len(shelf)
    )
    return list(islice(turns, plan.products))


def _experiments(
    plan: Plan, client: Client, products: Sequence[Product], progress: Progress, notes: set[str]
) -> dict[tuple[str, str], tuple[str, Copy]]:
    """(product, channel) → (experiment, its control), all running; notes why who wrote what."""
    audiences = [audience.id for audience in sample.audiences()]
    lines = {} if plan.catalog else sample.control_lines()
    brand = sample.brand().id
    running: dict[tuple[str, str], tuple[str, Copy]] = {}
    done = progress.step("Writing and guarding copy", len(products) * len(PLACES))
    for product in products:
        for channel in PLACES:
            order = CopyOrder(
                product_id=product.id,
                channels=[channel],
                audiences=audiences,
                brand=brand,
                variants=plan.variants,
                seed=plan.seed,
                writer=plan.writer,
            )
            written = client.write_copy(order)
            notes |= {copy.note for copy in written.kept if copy.note} | set(written.shortfall)
            kept = [copy.id for copy in written.kept]
            control = client.add_line(
                product.id, channel, brand, lines.get(product.id, {}).get(channel)
            )
            client.review([*kept, control.id], "approved", by="demo")
            made = client.create_experiment(
                NewExperiment(
                    id=f"{len(running) + 1:02d}-{channel}",
                    name=f"{product.title} · {CHANNELS[channel].name}",
                    product_id=product.id,
                    channel=channel,
                    control=control.id,
                    copies=kept,
                    audiences=audiences,
                    policy=plan.policy,
                    holdout=plan.holdout,
                    seed=plan.seed,
                    click_hours=CLICK_HOURS[channel],
                    horizon=plan.visits // (len(products) * len(PLACES)),
                    currency=product.price.currency if product.price else plan.currency,
                    rule=RULES[channel],
                )
            )
            client.move(made.id, "review", by="demo")
            client.move(made.id, "running", by="demo")
            running[product.id, channel] = (made.id, control)
            done(len(running))
    return running


class _Traffic:
    """Shoppers, the copy they get, and what they do, in the order in which the shop sees it."""

    def __init__(self, plan: Plan, client: Client, shop: Shop) -> None:
        self._plan = plan
        self._client = client
        self._shop = shop
        self._coming: list[tuple[datetime, int, dict[str, object]]] = []
        self._held_out: set[str] = set()
        self.visits = 0
        self.events_sent = 0
        self.true_served = 0.0
        self.true_control = 0.0
        self.decisions: list[tuple[str, str, str]] = []

    def run(
        self, experiments: Mapping[tuple[str, str], tuple[str, Copy]], progress: Progress
    ) -> None:
        """Sends every visit, delivers every event, and learns on the way."""
        done = progress.step("Shoppers visit, the policy learns", self._plan.visits)
        visits = self._shop.visits(
            self._plan.visits, placements=list(experiments), start=START, days=self._plan.days
        )
        learned = START
        for tick in _ticks(visits):
            self._deliver(tick[0].at)
            for visit, shown, control in self._shown(tick, experiments):
                self._respond(visit, shown, control)
            self.visits += len(tick)
            if tick[-1].at - learned >= LEARN:
                learned = tick[-1].at
                self._client.learn()
            done(self.visits)
        while self._coming:
            self._deliver(self._coming[0][0] + timedelta(days=1))
        self._client.learn()

    def _shown(
        self, tick: Sequence[Visit], experiments: Mapping[tuple[str, str], tuple[str, Copy]]
    ) -> Iterator[tuple[Visit, Shown, Copy]]:
        """The copy of each visit: mailings are decided in one batch, pages one by one."""
        placed = [(visit, *experiments[visit.product_id, visit.channel_id]) for visit in tick]
        mailed = [each for each in placed if each[0].channel_id == "email"]
        if mailed:
            self._client.at = tick[0].at
            asks = [_ask(visit, name) for visit, name, _ in mailed]
            batch = self._client.decide_batch(asks)
            yield from (
                (visit, shown, control)
                for (visit, _, control), shown in zip(mailed, batch, strict=True)
            )
        for visit, name, control in placed:
            if visit.channel_id != "email":
                self._client.at = visit.at
                shown = self._client.decide(
                    name,
                    visit.visitor_id,
                    control=control.parts,
                    traits=visit.traits,
                    device=visit.device,
                )
                if not shown.decision_id:
                    raise HooklineError(f"the service gave no decision: {shown.reason}")
                yield visit, shown, control

    def _respond(self, visit: Visit, shown: Shown, control: Copy) -> None:
        attributes = Attributes(**shown.attributes) if shown.attributes else None  # pyright: ignore[reportArgumentType]
        self.decisions.append((visit.visit_id, shown.decision_id, shown.arm_id))
        if shown.reason == "holdout":
            self._held_out.add(shown.decision_id)
        if shown.decision_id not in self._held_out:
            self.true_served += self._shop.expected_click(visit, shown.parts, attributes)
            self.true_control += self._shop.expected_click(visit, control.parts, None)
        for happening in self._shop.respond(visit, shown.parts, attributes):
            raw = _raw(happening, shown)
            heappush(self._coming, (happening.arrives_at, self.events_sent, raw))
            self.events_sent += 1

    def _deliver(self, now: datetime) -> None:
        """Sends what has arrived by now."""
        self._client.at = now
        while self._coming and self._coming[0][0] <= now:
            self._client.send_later(heappop(self._coming)[2])
        self._client.flush()


def _ask(visit: Visit, experiment: str) -> Ask:
    return Ask(
        experiment=experiment,
        visitor_id=visit.visitor_id,
        traits=dict(visit.traits),
        device=visit.device,
    )


def _raw(happening: Happening, shown: Shown) -> dict[str, object]:
    """The event in the Segment shape; an impression also carries the decision's token."""
    raw = to_segment(happening, shown.decision_id)
    properties = raw.get("properties")
    if happening.kind == "impression" and isinstance(properties, dict):
        raw["properties"] = {**properties, "decision_token": shown.token}
    return raw


def _ticks(visits: Iterable[Visit]) -> Iterator[list[Visit]]:
    """The visits of each tick, in time order."""
    for _, tick in groupby(visits, key=lambda visit: (visit.at - START) // TICK):
        yield list(tick)


def check(plan: Plan) -> None:
    """Finds a plan's mistakes before anything is started.

    Raises:
        HooklineError: Saying which name or file is wrong.
    """
    writer_named(plan.writer)
    make_policy(plan.policy, {})
    if plan.catalog is not None and not plan.catalog.is_file():
        raise BadFeed(f"there is no file {plan.catalog}; give --catalog the path of a product feed")


def summary(result: Result) -> str:
    """What the demo did and what came of it, in a few lines."""
    totals = result.totals
    notes = "".join(f"Note: {note}\n" for note in result.notes[:5])
    return (
        f"\n{notes}{totals['visits']:,.0f} visits, {totals['events_sent']:,.0f} events sent: "
        f"{totals['events_stored']:,.0f} stored, {totals['duplicates_dropped']:,.0f} duplicates "
        f"dropped, {totals['late_rescored']:,.0f} late ones re-scored.\n"
        f"{totals['copies_written']:,.0f} copies written, {totals['copies_rejected']:,.0f} "
        f"rejected by guards. {totals['seconds']:.0f} seconds.\n"
        f"These shoppers are simulated, so the truth is known: Hookline's choices were worth "
        f"{result.true_lift:+.1%} expected clicks over the control lines."
    )


def as_json(result: Result) -> dict[str, object]:
    """What a result holds beside its report, for the JSON file."""
    return {
        "totals": dict(result.totals),
        "true_lift_clicks": result.true_lift,
        "notes": list(result.notes),
        "import": {
            "format": result.imported.format,
            "rows": result.imported.rows,
            "products": result.imported.products,
            "rejected": len(result.imported.rejected),
        },
    }
