"""The tables every SQL store has. A change here needs a migration beside it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_Serial = BigInteger().with_variant(Integer, "sqlite")

documents = Table(
    "documents",
    metadata,
    Column("position", _Serial, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("kind", "id", name="documents_key"),
)

log = Table(
    "log",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("visitor_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("kind", "id", name="log_key"),
    Index("log_visitor", "visitor_id"),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("position", _Serial, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("version", Text, primary_key=True),
    Column("log_seq", _Serial, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
