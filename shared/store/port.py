"""The store: what the stager writes and everybody reads. This docstring is the specification.

Everything the stager learns from a batch is written in one transaction (`Session.write`), fenced by the partition's row
in `positions`: it is written only if the writer still holds the partition's epoch and the position it started
from. Customers' rows are guarded one by one by `revision`: a row changed by somebody else since it was read makes the
whole transaction fail with Conflict, and the writer reads again and repeats. After a second failure it takes the
rows' locks first (`lock`), in order of customer id, so that two writers cannot starve each other.

Times are microseconds. A *writer* is a partition number: rows that several writers add to (roll-ups) are one row per
writer, so that writers never wait for each other. A customer's id holds its home partition in the bits above
ID_BITS; the home partition's owner fires its timers and derives it anew when it is queued.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from shared.events import SECOND
from shared.store.rows import (
    Amendment,
    Catalog,
    Changes,
    Claim,
    CustomerRow,
    Fill,
    Identity,
    JourneyRow,
    LedgerRow,
    LinkRow,
    SnapshotRow,
)

#: A partition read to its end is this far behind the database's time: a record has its received time before it is
#: appended, so records up to now may be on their way to a log that looks empty.
CLOCK_GRACE = 2 * SECOND


class Fenced(Exception):
    """The partition was claimed by somebody else, or its position moved: forget everything about it and claim again."""


class Conflict(Exception):
    """A row changed since it was read, or the database could not serialise: read again and repeat."""


class StoreUnavailable(Exception):
    """The database cannot be reached, or a commit's outcome is unknown: read the position again and go on from it."""


class StoreMismatch(Exception):
    """The schema is missing or not this version's. Names the remedy."""


class Session(Protocol):
    """A stager's connection. Reads see what is committed; `lock` opens a transaction, `write` or `abandon` ends it.

    Every method may raise StoreUnavailable.
    """

    async def claim(self, partition: int, owner: str) -> Claim:
        """Takes the partition: raises its epoch, whoever held it. Waits at most for the lease."""
        ...

    async def clock(self, held: Sequence[Claim], at_end: bool) -> int:
        """The store's clock: the least over all partitions' clocks.

        With `at_end`, first raises the clocks of those held (if the position still matches) to the database's time.
        Raises Fenced if one of them was claimed by somebody else: by writing, nobody would find out of an idle one.
        """
        ...

    async def catalog(self) -> Catalog:
        """The versions of journeys that are folded."""
        ...

    async def identities(self, keys: Sequence[tuple[int, int, str]]) -> dict[tuple[int, int, str], Identity]:
        """Those of (project, kind, value) that exist."""
        ...

    async def customers(self, ids: Sequence[tuple[int, int]]) -> dict[int, CustomerRow]:
        """The rows of (project, customer)."""
        ...

    async def lock(self, ids: Sequence[tuple[int, int]]) -> None:
        """Opens a transaction and locks these customers' rows in order of id; later reads of this session are in it."""
        ...

    async def abandon(self) -> None:
        """Ends an open transaction without writing; harmless if there is none."""
        ...

    async def streams(self, ids: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, str, int]]]:
        """For each (project, customer): (kind, value, stream) of the identifiers that are its alone, by stream."""
        ...

    async def links_of(self, project: int, streams: Sequence[int]) -> list[LinkRow]:
        """All links of these devices."""
        ...

    async def links_to(self, project: int, owners: Sequence[int]) -> list[LinkRow]:
        """All links to these users' streams."""
        ...

    async def history(self, project: int, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, bytes]]:
        """(stream, body) of rows with touchpoints in any span (stream, from, to; inclusive). Rows may hold others."""
        ...

    async def owners(self, project: int, streams: Sequence[int]) -> dict[int, int]:
        """The customer that each stream's identifier belongs to (0: a shared device)."""
        ...

    async def ids(self, ids: Sequence[tuple[int, int]]) -> dict[int, bytes]:
        """For each (project, customer): the hashes of all ids stored under its streams, concatenated.

        Its streams are those of its identifiers and those of shared devices ever linked to one of its users.
        """
        ...

    async def snapshot(self, project: int, customer: int, before: int) -> SnapshotRow | None:
        """The newest snapshot with `at` < before."""
        ...

    async def ledger(self, ids: Sequence[tuple[int, int]]) -> dict[int, list[LedgerRow]]:
        """For each (project, customer): all its entries, in order of (writer, seq)."""
        ...

    async def due(self, partition: int, until: int, limit: int) -> list[tuple[int, int]]:
        """(project, customer) of timers of this home partition due at or before `until`, earliest first."""
        ...

    async def queue(self, partition: int, limit: int) -> list[tuple[int, int, int]]:
        """(project, customer, cause) of the deriver's queue of this home partition, oldest first."""
        ...

    async def fills(self, partitions: Sequence[int]) -> list[Fill]:
        """What is left to do of these home partitions' back-fills, the oldest version first; not of paused ones."""
        ...

    async def to_fill(self, project: int, start: int, until: int, limit: int) -> list[int]:
        """The first customers from `start` on and below `until` that are CURRENT, in order of their numbers."""
        ...

    async def amendments(self) -> list[Amendment]:
        """Those that are not carried out, in order of project and number."""
        ...

    async def announce(self) -> None:
        """Tells of what is UNTOLD: raises the catalog's generation, so that every stager reads it before it writes."""
        ...

    async def streams_after(self, project: int, after: int, limit: int) -> list[tuple[int, int]]:
        """The next (stream, customer) of a project's identifiers in order of stream."""
        ...

    async def names(self, project: int) -> set[tuple[str, str]]:
        """The (type, name) that are counted one by one."""
        ...

    async def write(self, changes: Changes) -> None:
        """Writes everything or nothing. Raises Fenced, Conflict, StoreUnavailable; an open transaction is ended anyway.

        The fence is checked first: epoch and position as in `changes.claim`, and the catalog's generation held in share
        mode until the commit.
        """
        ...


class Store(Protocol):
    """An opened store; made by an adapter's `open`, an async context manager."""

    def session(self) -> AbstractAsyncContextManager[Session]:
        """A connection for a stager."""
        ...

    async def check(self) -> None:
        """Raises StoreMismatch if the schema is not this version's, StoreUnavailable if there is no database."""
        ...

    async def add_journey(self, project: int, name: str, definition: str, hold: bool = False) -> JourneyRow:
        """Publishes a version, as `versions.publish` says, in a transaction of its own."""
        ...
