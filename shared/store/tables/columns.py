"""What the tables are made of."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, SmallInteger, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# Bytes order text, everywhere: the order of ids is part of the semantics, and "C" is the cheapest collation.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def storable(text: str) -> str:
    """What a text column of any database can hold of this: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _column(name: str, type_: TypeEngine[Any], nullable: bool = False) -> Column[Any]:
    return Column(name, type_, nullable=nullable, autoincrement=False)


def small(name: str) -> Column[Any]:
    """A number of two bytes."""
    return _column(name, SmallInteger())


def integer(name: str) -> Column[Any]:
    """A number of four bytes."""
    return _column(name, Integer())


def big(name: str, nullable: bool = False) -> Column[Any]:
    """A number of eight bytes, as a time is."""
    return _column(name, BigInteger(), nullable)


def text(name: str, nullable: bool = False) -> Column[Any]:
    """Text in the order of its bytes."""
    return _column(name, TEXT, nullable)


def blob(name: str, nullable: bool = False) -> Column[Any]:
    """Bytes."""
    return _column(name, LargeBinary(), nullable)


def key(table: str, *columns: str) -> PrimaryKeyConstraint:
    """The primary key of a table."""
    return PrimaryKeyConstraint(*columns, name=f"{table}_pkey")
