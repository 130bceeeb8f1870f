"""The desk: catalog, brand kit, audiences and copy, up to the approval that lets a copy be tested.

Every method does the whole of what it is asked or raises a `HooklineError` and has done nothing;
what changes something takes `at`, the UTC time of the request, and leaves an audit row in the log.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from hookline.attributes import AttributePolicy
from hookline.brief import make_brief
from hookline.catalog import Feed
from hookline.channels import channel as channel_named
from hookline.control import title_control
from hookline.errors import BadInput, Refused
from hookline.generate import Choice, Slate, Terms, generate
from hookline.guards import GUARDS, guards_named
from hookline.judgement import GUARD, human_copy, quarantined
from hookline.slate import Tried, creativity_of, propose
from hookline.store import DocumentKind, Store, audit_row, every, one
from hookline.types import (
    Action,
    Attributes,
    Audience,
    Brand,
    Brief,
    Copy,
    CopyStatus,
    Product,
    Writing,
    as_json,
    content_hash,
    dumps,
)
from hookline.wire import CopyOrder
from hookline.writers import Writer

MAX_VARIANTS = 50
EVERYBODY = Audience(id="", name="Everybody")
_OPEN: Final = frozenset({"draft", "approved", "quarantined"})
"""Statuses of copy that is shown, or that one press would show."""


class Desk:
    """Where copy comes from.

    Args:
        store: Where everything is kept.
        writers: Gives the writer of a name; raises UnregisteredName.
        default_writer: Name of the writer used where a request names none.
        learned: Gives what is known by now of creative attributes on the channel of an id; a
            policy that has learned nothing spreads copy over them.
        terms: Gives the terms on which the writer of a name writes.
        lessons: Gives what worked before on the channel of an id for the audience of an id, in
            words; asked for writers that read lessons.
        tried: Gives the slates so far with what came of them.
    """

    def __init__(
        self,
        store: Store,
        *,
        writers: Callable[[str], Writer],
        default_writer: str,
        learned: Callable[[str], AttributePolicy],
        terms: Callable[[str], Terms],
        lessons: Callable[[str, str], Sequence[str]],
        tried: Callable[[], Sequence[Tried]],
    ) -> None:
        self._store = store
        self._writers = writers
        self._default_writer = default_writer
        self._learned = learned
        self._terms = terms
        self._lessons = lessons
        self._tried = tried
        self._guards = guards_named(GUARDS)
        self._changing = threading.Lock()

    def import_catalog(
        self, feed: Feed, *, at: datetime, by: str = "api", whole: bool = False
    ) -> list[Copy]:
        """Takes in a feed, all of it or nothing; products keep their ids and are replaced.

        Copy that quotes what the feed no longer says of its product goes into quarantine, in the
        same transaction: approved copy and copy that waits for review alike.

        Args:
            feed: What to take in.
            at: UTC time of the request.
            by: Who does it.
            whole: Whether the feed is all that the shop sells, so that copy of products it lacks
                goes into quarantine too. A feed is a part of the catalog unless told otherwise.

        Returns:
            The copy that is in quarantine now because of this feed.
        """
        if not feed.products:
            raise BadInput(
                f"none of the {feed.rows} rows is a product; "
                f"the first was rejected because: {feed.rejected[0].reason}"
                if feed.rejected
                else "the feed holds no rows"
            )
        products = {product.id: product for product in feed.products}
        note = f"{len(feed.products)} products, {len(feed.rejected)} rows rejected"
        with self._changing:
            held = list(self._expired(products, whole=whole))
            actions = [Action(verb="import", subject="catalog", by=by, note=note)]
            actions += [
                Action(verb="quarantine", subject=copy.id, by=GUARD, note=copy.note)
                for copy in held
            ]
            self._write_all(at, actions, {"product": products, "copy": {c.id: c for c in held}})
        return held

    def _expired(self, products: Mapping[str, Product], *, whole: bool) -> Iterator[Copy]:
        """Copy, in quarantine, that quotes what the new products no longer carry."""
        before = {product.id: product for product in self.products()}
        brands = {brand.id: brand for brand in every(self._store, "brand", Brand)}
        for copy in self.copies():
            old, new = before.get(copy.product_id), products.get(copy.product_id)
            if copy.status not in _OPEN or old is None or (new is None and not whole):
                continue
            brand = brands.get(copy.brand_id) or Brand(id="", name="", locale=old.locale)
            if found := quarantined(copy, old, new, brand):
                yield found

    def put_brand(self, brand: Brand, *, at: datetime, by: str = "api") -> None:
        """Stores a brand kit under its id."""
        action = Action(verb="set brand", subject=brand.id, by=by)
        self._write(at, action, "brand", {brand.id: brand})

    def put_audience(self, audience: Audience, *, at: datetime, by: str = "api") -> None:
        """Stores an audience under its id."""
        action = Action(verb="set audience", subject=audience.id, by=by)
        self._write(at, action, "audience", {audience.id: audience})

    def products(self) -> list[Product]:
        """Every product, in order of first import."""
        return every(self._store, "product", Product)

    def audiences(self) -> list[Audience]:
        """Every audience, in order of precedence."""
        return every(self._store, "audience", Audience)

    def copies(self, *, status: CopyStatus | None = None, product_id: str = "") -> list[Copy]:
        """Copies in order of writing, of one status or product where these are given."""
        return [
            copy
            for copy in every(self._store, "copy", Copy)
            if status in {None, copy.status} and product_id in {"", copy.product_id}
        ]

    def write_copy(self, order: CopyOrder, *, at: datetime, by: str = "api") -> Slate:
        """Writes and guards `variants` copies for each channel × audience of one product.

        A writer that fails loses nothing: the slate's `notes` say where another one stood in, its
        `shortfall` what is missing and why.

        Raises:
            BadInput: Where the order asks for nothing, or for too many.
            Unknown: Where a product, channel, audience, brand or writer is not known.
        """
        briefs = self.briefs(order)
        product, writer = briefs[0].product, self._writers(order.writer or self._default_writer)
        approved = self.copies(product_id=product.id, status="approved")
        terms = self._terms(writer.name)
        dial = self._dial(order, product, terms.choice)
        if order.creativity is not None:
            choice = replace(terms.choice, creativity=dial, by_category={})
            terms = replace(terms, choice=choice)
        slate = generate(
            briefs,
            writer,
            self._guards,
            per_brief=1,
            seed=order.seed,
            at=at,
            others=[copy.text for copy in approved],
            terms=terms,
        )
        slate = replace(slate, kept=tuple(replace(copy, creativity=dial) for copy in slate.kept))
        with self._changing:
            return self._file(slate, order, briefs[0], dial, at=at, by=by)

    def _dial(self, order: CopyOrder, product: Product, choice: Choice) -> float:
        """The creativity to choose copies with."""
        usual = creativity_of(product.category, choice.creativity, choice.by_category)
        if order.creativity is None:
            return usual
        if order.creativity == "auto":
            return propose(self._tried(), start=usual, seed=order.seed)
        return order.creativity

    def _file(
        self, slate: Slate, order: CopyOrder, brief: Brief, dial: float, *, at: datetime, by: str
    ) -> Slate:
        """Stores what was written; the slate as it stands then. The caller holds the lock."""
        product = brief.product
        now = one(self._store, "product", product.id, Product)
        kept = slate.kept
        if now != product:  # a feed came in while the writer wrote
            kept = tuple(quarantined(copy, product, now, brief.brand) or copy for copy in kept)
        slate = replace(slate, kept=kept)
        known = {copy.id for copy in self.copies(product_id=product.id)}
        new = [copy for copy in (*slate.rejected, *kept) if copy.id not in known]  # reviews stay
        note = (
            f"{len(kept)} copies, {len(slate.rejected)} rejected by guards, "
            f"{slate.cost_usd:.4f} USD"
        )
        record = Writing(
            at=at,
            by=by,
            product_id=product.id,
            writer=order.writer or self._default_writer,
            creativity=dial,
            kept=tuple(copy.id for copy in kept),
            rejected=len(slate.rejected),
            shortfall=slate.shortfall,
            notes=slate.notes,
            left=len(slate.left),
            writers=slate.writers,
            front=slate.front,
        )
        key = content_hash(at.isoformat(), as_json(order))
        self._write_all(
            at,
            [Action(verb="write", subject=product.id, by=by, note=note)],
            {"copy": {copy.id: copy for copy in new}, "writing": {key: record}},
        )
        return slate

    def writings(self, limit: int = 20) -> list[Writing]:
        """What came of the latest orders for copy, newest first."""
        return every(self._store, "writing", Writing)[: -limit - 1 : -1]

    def briefs(self, order: CopyOrder) -> list[Brief]:
        """A brief for each copy ordered, with what the log teaches of attributes and lines.

        Raises:
            BadInput: Where the order asks for nothing, or for too many.
            Unknown: Where a product, channel, audience, brand or writer is not known.
        """
        if not 1 <= order.variants <= MAX_VARIANTS:
            raise BadInput(f"variants must be from 1 to {MAX_VARIANTS}, not {order.variants}")
        if not order.channels or not order.audiences:
            raise BadInput("name at least one channel and one audience to write for")
        product = one(self._store, "product", order.product_id, Product)
        brand = one(self._store, "brand", order.brand, Brand)
        audiences = [one(self._store, "audience", key, Audience) for key in order.audiences]
        channels = [channel_named(key) for key in order.channels]
        writer = self._writers(order.writer or self._default_writer)
        approved = self.copies(product_id=product.id, status="approved")
        return [
            make_brief(
                product=product,
                audience=audience,
                channel=channel,
                brand=brand,
                attributes=attributes,
                lessons=lessons,
            )
            for channel in channels
            for audience, cells in self._cells(order, channel.id, audiences, approved)
            for lessons in [self._lessons(channel.id, audience.id) if writer.reads_lessons else ()]
            for attributes in cells
        ]

    def _cells(
        self,
        order: CopyOrder,
        channel_id: str,
        audiences: Sequence[Audience],
        approved: Sequence[Copy],
    ) -> Iterator[tuple[Audience, tuple[Attributes, ...]]]:
        """Which creative attributes to ask for, audience by audience; none that are in use."""
        seed = int(content_hash(order.seed, order.product_id, size=4), 16)
        learned = self._learned(channel_id)
        for audience in audiences:
            taken = [
                copy.attributes
                for copy in approved
                if copy.attributes is not None
                and (copy.channel_id, copy.audience_id) == (channel_id, audience.id)
            ]
            yield audience, learned.propose(audience, order.variants, seed, taken)

    def add_control(
        self,
        *,
        product_id: str,
        channel_id: str,
        brand_id: str,
        at: datetime,
        parts: Mapping[str, str] | None = None,
        by: str = "api",
    ) -> Copy:
        """A human line, stored; without `parts`, the shop's words. A known one is left as is."""
        product = one(self._store, "product", product_id, Product)
        channel = channel_named(channel_id)
        copy = human_copy(
            product=product,
            channel=channel,
            brand=one(self._store, "brand", brand_id, Brand),
            audience=EVERYBODY,
            parts=title_control(product, channel) if parts is None else parts,
            guards=self._guards,
            at=at,
        )
        if copy.status == "rejected":
            faults = " ".join(verdict.reason for verdict in copy.verdicts if not verdict.ok)
            raise BadInput(f"the line does not fit the channel: {faults}")
        action = Action(verb="add line", subject=copy.id, by=by)
        with self._changing:
            known = [each for each in self.copies(product_id=product_id) if each.id == copy.id]
            if known:
                return known[0]
            self._write(at, action, "copy", {copy.id: copy})
        return copy

    def review(
        self,
        copy_ids: Sequence[str],
        status: CopyStatus,
        *,
        at: datetime,
        by: str,
        note: str = "",
    ) -> list[Copy]:
        """Approves, rejects or retires copies, all or none; approving releases from quarantine.

        Raises:
            BadInput: Where copies are to be quarantined: only a change of their feed does that.
            Unknown: Where a copy is not known.
            Refused: Where a guard has rejected a copy that is to be approved.
        """
        if status == "quarantined":
            raise BadInput("only a change of the feed quarantines copy; reject or retire it")
        with self._changing:
            found = [one(self._store, "copy", key, Copy) for key in copy_ids]
            for copy in found:
                faults = [verdict.reason for verdict in copy.verdicts if not verdict.ok]
                if status == "approved" and copy.writer != "human" and faults:
                    raise Refused(
                        f"copy {copy.id} can't be approved: {faults[0]} Write it anew instead."
                    )
            done = [
                replace(copy, status=status, reviewed_by=by, note=_noted(copy, note))
                for copy in found
            ]
            action = Action(verb=status, subject=",".join(copy_ids), by=by, note=note)
            self._write(at, action, "copy", {copy.id: copy for copy in done})
        return done

    def _write(
        self, at: datetime, action: Action, kind: DocumentKind, records: Mapping[str, object]
    ) -> None:
        self._write_all(at, [action], {kind: records})

    def _write_all(
        self,
        at: datetime,
        actions: Sequence[Action],
        records: Mapping[DocumentKind, Mapping[str, object]],
    ) -> None:
        bodies: dict[DocumentKind, dict[str, bytes]] = {
            kind: {key: dumps(record) for key, record in those.items()}
            for kind, those in records.items()
        }
        self._store.write(documents=bodies, log=[audit_row(action, at) for action in actions])


def _noted(copy: Copy, note: str) -> str:
    """The reviewer's remark, before why the copy was in quarantine if it was."""
    if copy.status == "quarantined":
        return f"{note} {copy.note}".strip()
    return note or copy.note
