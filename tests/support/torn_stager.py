"""A stager that stops or dies inside a transaction: `python -m tests.support.torn_stager POINT SIGNAL stager …`.

It sends itself the signal once, when its first large transaction comes to the point; continued, it goes on from there.
"""

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

import asyncpg

from services.cli import main
from shared.store import postgres_writes

#: Rows are copied even if they are few, so that every batch is a transaction of several statements.
BULK = 10

#: In the middle of a COPY; between it and the statement; before COMMIT; after it, unanswered for; with customers' rows
#: locked, after two conflicts.
POINTS = ("copying", "copied", "stated", "committed", "locked")

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # takes no parameters when it runs


class Tear:
    """Where and how this process is to be hurt."""

    def __init__(self, point: str, number: signal.Signals) -> None:
        assert point in POINTS
        self.point, self._number = point, number
        self.conflicts = 2 if point == "locked" else 0
        self._done = False

    def at(self, point: str) -> None:
        """The transaction has come to this point."""
        if point == self.point and not self._done:
            self._done = True
            os.kill(os.getpid(), self._number)


class Torn(Connection):
    """A connection that tells the tear how far its transaction is."""

    tear: Tear

    async def copy_records_to_table(self, table_name: str, *, records: Any, **kwargs: Any) -> str:
        return await super().copy_records_to_table(table_name, records=self._some(records), **kwargs)

    def _some(self, records: Any) -> Iterator[Any]:
        for number, record in enumerate(records):
            if number == len(records) // 2:
                self.tear.at("copying")
            yield record

    async def fetchval(self, query: str, *args: Any, **kwargs: Any) -> Any:
        if query.startswith("WITH fence"):
            if self.tear.conflicts:
                self.tear.conflicts -= 1
                raise asyncpg.SerializationError("could not serialize access")
            if self.is_in_transaction():
                self.tear.at("copied")
        return await super().fetchval(query, *args, **kwargs)

    async def execute(self, query: str, *args: Any, **kwargs: Any) -> str:
        if query == "COMMIT":
            self.tear.at("stated")
        done = await super().execute(query, *args, **kwargs)
        if query == "COMMIT":
            self.tear.at("committed")
        return done

    async def fetch(self, query: str, *args: Any, **kwargs: Any) -> Any:
        found = await super().fetch(query, *args, **kwargs)
        if "FOR UPDATE OF customers" in query:
            self.tear.at("locked")
        return found


if __name__ == "__main__":
    _, point, number, *arguments = sys.argv
    Torn.tear = Tear(point, signal.Signals[number])
    connect = partial(asyncpg.connect, connection_class=Torn)
    with mock.patch.object(asyncpg, "connect", connect), mock.patch.object(postgres_writes, "BULK", BULK):
        main(arguments, prog_name="milepost")
