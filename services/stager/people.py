"""Customers in memory: what a batch works on, and the byte-bounded cache of them between batches.

A cached customer may be stale. That is found when it is written: its row's revision moved, the write fails as a whole
with Conflict, and the cache is emptied.
"""

from collections.abc import Iterable, Set
from typing import NamedTuple

import msgspec
from xxhash import xxh3_64_digest

from shared.events import Record, decode
from shared.identity import ALWAYS
from shared.journeys.ledger import Entry, Fact, Track
from shared.store.rows import CURRENT, CustomerRow, Identity

#: Ids of a customer's touchpoints are kept in its row up to this many; a longer history is asked for them.
RECENT = 64
HASH = 8

Key = tuple[int, int, str]
"""An identifier: project, kind, value."""

_unpack = msgspec.msgpack.Decoder(dict[int, Track]).decode
_pack = msgspec.msgpack.Encoder().encode


def hash_of(message_id: str) -> bytes:
    """The hash under which an id is remembered. 64 bits: two ids of one customer never collide in practice.

    Who makes two collide on purpose hides an event of that one customer, as by sending one id twice.
    """
    return xxh3_64_digest(message_id.encode())


def hashes(packed: bytes) -> Iterable[bytes]:
    """The single hashes in a concatenation of them."""
    return (packed[i : i + HASH] for i in range(0, len(packed), HASH))


class Stored(NamedTuple):
    """A touchpoint of a customer's history: the record, when it was recorded, and the stream it lies in."""

    record: Record
    recorded: int
    stream: int


Kept = tuple[int, bytes, int, bytes, int]
"""A touchpoint that the batch at hand has staged: recorded time, log value, its time, its id's hash, its stream."""


class Base(NamedTuple):
    """Where a customer can be rewound to without reading: its `n`-th touchpoint (`at`, `id`), its packed tracks then.

    `held` are the stored ledger entries after it (fact, sign) by version; None: those in the tracks' `written`.
    """

    at: int
    id: str
    n: int
    packed: bytes
    held: dict[int, list[tuple[Fact, int]]] | None


class Person:
    """A customer: its row unpacked, and what the batch at hand has added to it.

    `ids` are the hashes of all its touchpoints' ids, or None while they are not loaded (only if there are more than
    RECENT). `fresh` are its touchpoints of this batch, `past` the stored ones after `base` that a rewind has read;
    `entries` this batch's ledger entries with their cause; `packed` the tracks as they are stored.
    """

    __slots__ = (
        "_base",
        "_stored",
        "at",
        "count",
        "counted",
        "customer",
        "dirty",
        "due",
        "entries",
        "fresh",
        "generation",
        "id",
        "ids",
        "into",
        "new",
        "packed",
        "past",
        "project",
        "queue",
        "recent",
        "recorded",
        "revision",
        "snapshots",
        "stale_from",
        "status",
        "tracks",
    )  # fmt: skip

    def __init__(self, row: CustomerRow, new: bool = False) -> None:
        self.project, self.customer, self.revision = row.project, row.customer, row.revision
        self.count, self.at, self.id, self.recorded = row.count, row.at, row.id, row.recorded
        self.recent, self.packed, self.due, self.status, self.into = (
            row.recent,
            row.states,
            row.due,
            row.status,
            row.into,
        )
        self.tracks: dict[int, Track] = _unpack(row.states) if row.states else {}
        self.ids: set[bytes] | None = None
        self.new = new
        self.generation, self.counted = -1, 0  # when it was last accounted for in the cache, and as how many bytes
        self.begin()

    @classmethod
    def born(cls, project: int, customer: int) -> "Person":
        """A customer without touchpoints."""
        return cls(CustomerRow(project, customer, 0, 0, ALWAYS, "", 0, b"", b"", None, CURRENT, 0), new=True)

    def begin(self) -> None:
        """Forgets what the last batch added: it is stored now."""
        self._stored = (self.at, self.id, self.count, self.packed)
        self._base: Base | None = None
        self.fresh: list[Kept] = []
        self.past: list[Stored] = []
        self.entries: list[tuple[int, Entry, int]] = []
        self.snapshots: list[tuple[int, int, str, bytes]] = []
        self.stale_from: int | None = None
        self.queue: int | None = None
        self.dirty = False

    def keep(self, versions: Set[int]) -> None:
        """Forgets its tracks in versions that are no longer folded."""
        for version in self.tracks.keys() - versions:
            del self.tracks[version]

    @property
    def base(self) -> Base:
        """Where it can be rewound to: how it is stored, until somebody goes back further."""
        if self._base is None:
            self._base = Base(*self._stored, None)
        return self._base

    @base.setter
    def base(self, base: Base) -> None:
        self._base = base

    def touchpoints(self) -> list[Stored]:
        """Its touchpoints since `base`, in no order."""
        return [*self.past, *(Stored(decode(value), recorded, stream) for recorded, value, _, _, stream in self.fresh)]

    def knows(self, hashed: bytes) -> bool:
        """Whether a touchpoint with this id is staged already. Precondition: `complete()`."""
        if self.ids is not None:
            return hashed in self.ids
        if hashed not in self.recent:
            return False
        return hashed in hashes(self.recent)  # and not only across two of them

    def complete(self) -> bool:
        """Whether all ids are at hand."""
        return self.ids is not None or self.count <= RECENT

    def remember(self, hashed: bytes) -> None:
        """Adds an id, and counts the touchpoint."""
        self.count += 1
        if self.ids is not None:
            self.ids.add(hashed)
        elif self.count <= RECENT:
            self.recent += hashed
        else:
            self.ids = {*hashes(self.recent), hashed}
            self.recent = b""

    def all_ids(self) -> set[bytes]:
        """The hashes of all ids. Precondition: `complete()`."""
        return self.ids if self.ids is not None else set(hashes(self.recent))

    def replace_ids(self, ids: set[bytes]) -> None:
        """Sets the ids, and with them the count, after a merge or a split."""
        self.count = len(ids)
        small = self.count <= RECENT
        self.recent = b"".join(sorted(ids)) if small else b""
        self.ids = None if small else ids

    def pack(self) -> bytes:
        """The tracks as stored."""
        return _pack(self.tracks)

    def row(self) -> CustomerRow:
        """The row as it is to be written."""
        return CustomerRow(
            self.project, self.customer, self.revision, self.count, self.at, self.id, self.recorded, self.recent,
            self.packed, self.due, self.status, self.into,
        )  # fmt: skip

    def size(self) -> int:
        """Bytes of memory, roughly: objects, unpacked tracks, ids."""
        return 1500 + 6 * len(self.packed) + len(self.recent) + (90 * len(self.ids) if self.ids is not None else 0)


def unpack_tracks(packed: bytes) -> dict[int, Track]:
    """Tracks as packed in a row or a snapshot."""
    return _unpack(packed) if packed else {}


def pack_tracks(tracks: dict[int, Track]) -> bytes:
    """Tracks by version, as a row or a snapshot holds them."""
    return _pack(tracks)


class Cache:
    """Customers and identities between batches, bounded by bytes.

    Two generations instead of a list in order of use: what is used moves to the young one; when that is full it
    becomes the old one, and the old one goes.
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._generation = 0
        #: By project, the names that are counted one by one, and how many of them are new since the store was asked.
        self.names: dict[int, tuple[set[tuple[str, str]], int]] = {}
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self.people: dict[int, Person] = {}
        self.identities: dict[Key, Identity] = {}
        self._old_people: dict[int, Person] = {}
        self._old_identities: dict[Key, Identity] = {}
        self._bytes = 0
        self._generation += 1

    def identity(self, key: Key) -> Identity | None:
        """What is remembered of an identifier."""
        found = self.identities.get(key)
        if found is None:
            found = self._old_identities.pop(key, None)
            if found is not None:
                self.identities[key] = found
        return found

    def person(self, customer: int) -> Person | None:
        """What is remembered of a customer."""
        found = self.people.get(customer)
        if found is None:
            found = self._old_people.pop(customer, None)
            if found is not None:
                self.people[customer] = found
        return found

    def drop(self, customers: Iterable[int]) -> None:
        """Forgets these customers."""
        for customer in customers:
            person = self.people.pop(customer, None)
            if person is not None and person.generation == self._generation:
                self._bytes -= person.counted

    def turn(self, used: Iterable[Person]) -> None:
        """After a batch: accounts for the customers it used and drops a generation when the young one is full."""
        generation = self._generation
        for person in used:
            size = person.size()
            self._bytes += size - person.counted if person.generation == generation else size
            person.generation, person.counted = generation, size
        if self._bytes > self._half:
            self._old_people, self._old_identities = self.people, self.identities
            self.people, self.identities, self._bytes = {}, {}, 0
            self._generation += 1
