"""A slate to choose from: the line a person wrote, and lines the phrasebook writes for cells."""

from hookline import sample
from hookline.attributes import design
from hookline.brief import make_brief
from hookline.channels import channel
from hookline.types import Arm, Attributes, Audience, Product, content_hash
from hookline.writers import Phrasebook

_EVERYBODY = Audience(id="all", name="Everybody")


def made_slate(product: Product, channel_id: str, arms: int = 8, seed: int = 0) -> tuple[Arm, ...]:
    """The control and `arms - 1` machine lines, whose attributes are spread by `design`.

    The control is the line of the sample shop where the product is of that shop, and else its
    title. All slates of one seed have the same attributes in the same order.

    Args:
        product: What the lines sell.
        channel_id: Where they are shown.
        arms: How many arms, at least 2.
        seed: Another seed gives other attributes and other words.

    Raises:
        BadInput: Where there are too few arms, or the product has no title.
        UnregisteredName: Where there is no such channel.
        WriterFailed: Where the phrasebook finds no words for the product.
    """
    cells = design(_EVERYBODY, arms - 1, seed)
    return (
        _control(product, channel_id),
        *(_line(product, channel_id, cell, seed) for cell in cells),
    )


def _control(product: Product, channel_id: str) -> Arm:
    title = {channel(channel_id).fields[0].name: product.title}
    parts = sample.control_lines().get(product.id, {}).get(channel_id, title)
    return Arm(
        id=f"control-{product.id}", text=" | ".join(parts.values()), parts=parts, control=True
    )


def _line(product: Product, channel_id: str, cell: Attributes, seed: int) -> Arm:
    brief = make_brief(
        product=product,
        audience=_EVERYBODY,
        channel=channel(channel_id),
        brand=sample.brand(),
        attributes=cell,
    )
    [draft] = Phrasebook().write(brief, 1, seed)
    return Arm(
        id=content_hash(product.id, draft.parts, cell),
        text=" | ".join(draft.parts.values()),
        parts=draft.parts,
        attributes=cell,
    )
