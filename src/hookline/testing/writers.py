"""What every writer promises."""

from collections.abc import Callable
from decimal import Decimal

from hookline.channels import CHANNELS
from hookline.errors import WriterFailed
from hookline.testing.promise import promised
from hookline.types import Attributes, Audience, Brand, Brief, Draft, Money, Product, content_hash
from hookline.writers import Writer


def check_writer(make: Callable[[], Writer]) -> None:
    """Nothing, if the writers that `make` builds keep the contract of `Writer`.

    A writer fills every field of the channel, gives at most as many drafts as asked, all
    different, says who wrote them with which prompt and seed, does the same for the same seed,
    and fails with WriterFailed where there is nothing to write about.

    Args:
        make: Builds the writer.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    writer = make()
    for channel in CHANNELS:
        brief = _brief(channel, "Canvas Day Bag")
        drafts = writer.write(brief, 3, 7)
        promised(1 <= len(drafts) <= 3, writer, "gives one draft at least, and no more than asked")
        texts = {tuple(draft.parts.items()) for draft in drafts}
        promised(len(texts) == len(drafts), writer, "gives different drafts in one call")
        for draft in drafts:
            _well_formed(writer, draft, brief)
        promised(
            make().write(brief, 3, 7) == drafts,
            writer,
            "gives the same drafts for the same brief and seed",
        )
    _fails_plainly(writer)


def _well_formed(writer: Writer, draft: Draft, brief: Brief) -> None:
    wanted = [field.name for field in brief.channel.fields]
    promised(list(draft.parts) == wanted, writer, "fills the channel's fields, in their order")
    promised(all(text.strip() for text in draft.parts.values()), writer, "leaves no field empty")
    promised(draft.writer, writer, "says who wrote a draft")
    promised(draft.prompt, writer, "says with which prompt")
    promised(draft.seed >= 0, writer, "says with which seed")
    promised(draft.cost_usd >= 0, writer, "asks no negative price")


def _fails_plainly(writer: Writer) -> None:
    try:
        writer.write(_brief("email", ""), 1, 1)
    except WriterFailed as error:
        promised(str(error), writer, "says why it fails")
    else:
        raise AssertionError("a product with no title can't be written about")


def _brief(channel: str, title: str) -> Brief:
    price = Money(amount=Decimal("39.00"), currency="USD")
    return Brief(
        id=content_hash(channel, title),
        product=Product(id="p", title=title, category="Bags", price=price, brand="Fern"),
        audience=Audience(id="all", name="All", motives=("quality",)),
        channel=CHANNELS[channel],
        brand=Brand(id="b", name="Fern"),
        attributes=Attributes(),
    )
