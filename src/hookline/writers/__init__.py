"""Writers: briefs in, drafts out. A new writer is one file and one row in `WRITERS`.

Importing this package imports no client library and no model.
"""

from hookline.errors import UnregisteredName
from hookline.writers.base import Writer
from hookline.writers.house import House
from hookline.writers.openai import OpenAIWriter
from hookline.writers.phrasebook import Phrasebook
from hookline.writers.transformers import TransformersWriter

__all__ = [
    "WRITERS",
    "House",
    "OpenAIWriter",
    "Phrasebook",
    "TransformersWriter",
    "Writer",
    "writer_named",
]

WRITERS: dict[str, type[Writer]] = {
    writer.name: writer for writer in (Phrasebook, House, OpenAIWriter, TransformersWriter)
}


def writer_named(name: str) -> type[Writer]:
    """The class of the writer registered under this name.

    Raises:
        UnregisteredName: Where there is none.

    Examples:
        >>> writer_named("phrasebook").name
        'phrasebook'
    """
    try:
        return WRITERS[name]
    except KeyError:
        raise UnregisteredName("writer", name, WRITERS) from None
