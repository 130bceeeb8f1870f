"""Stores by name. A new one is a file here and a row in `STORES`."""

from hookline.errors import UnregisteredName
from hookline.store.base import Aside, DocumentKind, Store
from hookline.store.documents import audit_row, every, one
from hookline.store.sqlite import SqliteStore

__all__ = [
    "STORES",
    "Aside",
    "DocumentKind",
    "SqliteStore",
    "Store",
    "audit_row",
    "every",
    "one",
    "open_store",
]

STORES: dict[str, type[SqliteStore]] = {"sqlite": SqliteStore}


def open_store(url: str) -> Store:
    """The store at a database URL such as `sqlite:///var/hookline.db`, migrated and ready.

    Raises:
        UnregisteredName: Where no store answers to the URL's scheme.
        StoreFailed: Where the database can't be opened.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    try:
        kind = STORES[scheme]
    except KeyError:
        raise UnregisteredName("store", scheme, STORES) from None
    return kind(url)
