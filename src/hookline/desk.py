"""The desk: catalog, brand kit, audiences and copy, up to the approval that lets a copy be tested.

Every method does the whole of what it is asked or raises a `HooklineError` and has done nothing;
what changes something takes `at`, the UTC time of the request, and leaves an audit row in the log.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hookline.attributes import AttributePolicy
from hookline.brief import make_brief
from hookline.catalog import Feed
from hookline.channels import channel as channel_named
from hookline.errors import BadInput, Refused
from hookline.generate import Slate, generate, human_copy, title_control
from hookline.guards import GUARDS, guards_named
from hookline.store import DocumentKind, Store, audit_row, every, one
from hookline.types import (
    Action,
    Attributes,
    Audience,
    Brand,
    Copy,
    CopyStatus,
    Product,
    content_hash,
    dumps,
)
from hookline.wire import CopyOrder
from hookline.writers import Writer

MAX_VARIANTS = 50
EVERYBODY = Audience(id="", name="Everybody")


class Desk:
    """Where copy comes from.

    Args:
        store: Where everything is kept.
        writers: Gives the writer of a name; raises UnregisteredName.
        default_writer: Name of the writer used where a request names none.
        learned: Gives what is known by now of creative attributes on the channel of an id; a
            policy that has learned nothing spreads copy over them.
    """

    def __init__(
        self,
        store: Store,
        *,
        writers: Callable[[str], Writer],
        default_writer: str,
        learned: Callable[[str], AttributePolicy],
    ) -> None:
        self._store = store
        self._writers = writers
        self._default_writer = default_writer
        self._learned = learned
        self._guards = guards_named(GUARDS)
        self._changing = threading.Lock()

    def import_catalog(self, feed: Feed, *, at: datetime, by: str = "api") -> None:
        """Takes in a feed, all of it or nothing; products keep their ids and are replaced."""
        if not feed.products:
            raise BadInput(
                f"none of the {feed.rows} rows is a product; "
                f"the first was rejected because: {feed.rejected[0].reason}"
                if feed.rejected
                else "the feed holds no rows"
            )
        products = {product.id: product for product in feed.products}
        note = f"{len(feed.products)} products, {len(feed.rejected)} rows rejected"
        self._write(
            at, Action(verb="import", subject="catalog", by=by, note=note), "product", products
        )

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

        A writer that fails loses nothing: the slate's `shortfall` says what is missing and why.

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
        briefs = [
            make_brief(
                product=product,
                audience=audience,
                channel=channel,
                brand=brand,
                attributes=attributes,
            )
            for channel in channels
            for audience, cells in self._cells(order, channel.id, audiences, approved)
            for attributes in cells
        ]
        slate = generate(
            briefs,
            writer,
            self._guards,
            per_brief=1,
            seed=order.seed,
            at=at,
            others=[copy.text for copy in approved],
        )
        note = f"{len(slate.kept)} copies, {len(slate.rejected)} rejected by guards"
        action = Action(verb="write", subject=product.id, by=by, note=note)
        with self._changing:  # what was reviewed while the writer wrote keeps its review
            known = {copy.id for copy in self.copies(product_id=product.id)}
            new = [copy for copy in (*slate.rejected, *slate.kept) if copy.id not in known]
            self._write(at, action, "copy", {copy.id: copy for copy in new})
        return slate

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
        """Approves, rejects or retires copies, all or none.

        Raises:
            Unknown: Where a copy is not known.
            Refused: Where a guard has rejected a copy that is to be approved.
        """
        with self._changing:
            found = [one(self._store, "copy", key, Copy) for key in copy_ids]
            for copy in found:
                faults = [verdict.reason for verdict in copy.verdicts if not verdict.ok]
                if status == "approved" and copy.writer != "human" and faults:
                    raise Refused(
                        f"copy {copy.id} can't be approved: {faults[0]} Write it anew instead."
                    )
            done = [
                replace(copy, status=status, reviewed_by=by, note=note or copy.note)
                for copy in found
            ]
            action = Action(verb=status, subject=",".join(copy_ids), by=by, note=note)
            self._write(at, action, "copy", {copy.id: copy for copy in done})
        return done

    def _write(
        self, at: datetime, action: Action, kind: DocumentKind, records: Mapping[str, object]
    ) -> None:
        bodies = {key: dumps(record) for key, record in records.items()}
        self._store.write(documents={kind: bodies}, log=[audit_row(action, at)])
