"""From the store's rows to columns: touchpoints are decoded, told of, given their owners, and sorted; the ledger is
netted of what was taken back."""

from array import array
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

import msgspec
import numpy as np

from services.metrics.analytics.columns import MISSING, Codes, Columns, Ints, Mask
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.standing import path
from shared.events import PLACEMENT, SECOND, unpack
from shared.exclusion import Exclusions
from shared.identity import owner_at, slices
from shared.journeys.facts import FACTS
from shared.journeys.state import ABSENT
from shared.journeys.touchpoint import Touchpoint
from shared.store.scan import Owners
from shared.touch.parts import address, inner, text
from shared.touch.told import Teller

#: The columns of codes that answers are broken down by: what was sent, and what is told of it.
DIMENSIONS = ("type", "name", *FACTS)
#: All columns of codes; `path` is that of the page.
CODES = (*DIMENSIONS, "path")
#: One more: what an identify touchpoint tells of its customer, the whole JSON object as it was sent.
TRAITS = "traits"
#: Where SDKs say how long somebody was engaged, in seconds, and how much of a second they count in.
ENGAGED = {"engagement_time_msec": 0.001, "$prev_pageview_duration": 1.0, "engaged_seconds": 1.0}

#: What a touchpoint may tell of engagement, in its own unit: beyond it, it is no such time.
LONGEST = 10**9
#: Spreads small numbers over 64 bits (Knuth's multiplicative hashing, by the golden ratio).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Words:
    """The values of one dimension, numbered as they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def code(self, word: str | None) -> int:
        """The number of a value, MISSING for none."""
        if word is None:
            return MISSING
        return self.numbers.setdefault(word, len(self.numbers))


class Gathered:
    """A project's touchpoints, in the order in which they were read. What is excluded is kept until ids are unique."""

    def __init__(self, teller: Teller, exclusions: Exclusions) -> None:
        self._teller, self._exclusions = teller, exclusions
        self._stream, self._at, self._recorded = array("q"), array("q"), array("q")
        self._ids: list[bytes] = []
        self._engaged = array("q")
        self._codes = {dimension: array("i") for dimension in (*CODES, TRAITS)}
        self._words = {dimension: Words() for dimension in (*CODES, TRAITS)}
        self._facts = [(fact, self._words[name].numbers, self._codes[name]) for name, fact in FACTS.items()]
        self._excluded = bytearray()

    @property
    def excluded(self) -> int:
        """How many of them are excluded."""
        return sum(self._excluded)

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Rows of touchpoints, (stream, body)."""
        for stream, body in rows:
            for recorded, record in unpack(body):
                if record.type == PLACEMENT:
                    continue  # a move, which the ledger has; nobody's act
                self._excluded.append(record.excluded or self._exclusions.hidden(record))
                self._stream.append(stream)
                self._at.append(record.at)
                self._recorded.append(recorded)
                self._ids.append(record.id.encode())
                self._tell(Touchpoint.of(record))
                told = bytes(record.traits).decode() if record.type == "identify" else "{}"
                self._codes[TRAITS].append(self._words[TRAITS].code(None if told == "{}" else told))

    def _tell(self, touchpoint: Touchpoint) -> None:
        words, codes = self._words, self._codes
        codes["type"].append(words["type"].code(touchpoint.type))
        codes["name"].append(words["name"].code(touchpoint.name))
        for fact, numbers, column in self._facts:
            try:
                word = fact(touchpoint, self._teller)
            except msgspec.DecodeError:  # ingest takes no such part, but others may write to the log
                word = None
            column.append(MISSING if word is None else numbers.setdefault(word, len(numbers)))
        codes["path"].append(words["path"].code(self._path(touchpoint)))
        self._engaged.append(_engaged(touchpoint))

    def _path(self, touchpoint: Touchpoint) -> str | None:
        if touchpoint.type not in ("page", "screen"):
            return None
        try:
            page = inner(touchpoint.context, "page")
            given = text(page.get("path")) or text(page.get("url")) or text(touchpoint.properties.get("url"))
        except msgspec.DecodeError:
            return None
        return address(given).path or None

    def columns(self, owners: Owners, others: Ints) -> Columns:
        """Those that count, under the customers that they belong to now, each id once (rule 4), in rule 3's order.

        The `others` are customers, too: those who have moves, of whom some may have no touchpoint that counts.
        """
        customer = self._customers(owners)
        at, recorded = np.array(self._at, dtype=np.int64), np.array(self._recorded, dtype=np.int64)
        order = np.lexsort((at, customer))
        order = _untied(order, customer, at, self._ids)
        order = order[self._first_of_each_id(order, customer, recorded, at)]
        counts = ~np.frombuffer(bytes(self._excluded), dtype=np.bool_)
        order = order[counts[order] & (customer[order] != 0)]
        customers = np.union1d(customer[order], others)
        owner = np.searchsorted(customers, customer[order])
        codes: dict[str, Codes] = {
            dimension: np.array(column, dtype=np.int32)[order] for dimension, column in self._codes.items()
        }
        words = {dimension: tuple(words.numbers) for dimension, words in self._words.items()}
        engaged = np.array(self._engaged, dtype=np.int64)[order]
        return Columns(customers, owner, at[order], codes, words, {"engaged": engaged})

    def _customers(self, owners: Owners) -> Ints:
        """The customer of each row; 0 for a stream that is nobody's any more."""
        streams, place = np.unique(np.array(self._stream, dtype=np.int64), return_inverse=True)
        customer = np.array([owners.sole.get(int(stream), 0) for stream in streams], dtype=np.int64)[place]
        for stream, links in owners.links.items():
            number = int(np.searchsorted(streams, stream))
            if number < len(streams) and streams[number] == stream:
                parts = slices(links)
                for row in np.flatnonzero(place == number):
                    customer[row] = owner_at(parts, self._at[row])
        return customer

    def _first_of_each_id(self, order: Ints, customer: Ints, recorded: Ints, at: Ints) -> Mask:
        """Rule 4 in a history joined from several identifiers: of one id the row with the least (recorded, at)."""
        keep = np.ones(len(order), dtype=np.bool_)
        digest = np.fromiter((hash(one) for one in self._ids), dtype=np.int64, count=len(self._ids))
        mixed = digest[order].view(np.uint64) ^ customer[order].astype(np.uint64) * _SPREAD
        _, inverse, count = np.unique(mixed, return_inverse=True, return_counts=True)
        places = np.flatnonzero(count[inverse] > 1)
        found: dict[tuple[int, bytes], int] = {}
        for place in places.tolist():
            row = int(order[place])
            key = int(customer[row]), self._ids[row]
            before = found.get(key)
            if before is None:
                found[key] = place
                continue
            other = int(order[before])
            if (recorded[row], at[row]) < (recorded[other], at[other]):
                keep[before], found[key] = False, place
            else:
                keep[place] = False
        return keep


def _engaged(touchpoint: Touchpoint) -> int:
    """Microseconds of engagement that a touchpoint tells of."""
    try:
        properties = touchpoint.properties
    except msgspec.DecodeError:
        return 0
    for name, unit in ENGAGED.items():
        value = properties.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LONGEST:
            return round(value * unit * SECOND)
    return 0


def _untied(order: Ints, customer: Ints, at: Ints, ids: list[bytes]) -> Ints:
    """The same order, with rows of one customer and instant by their ids."""
    owner, time = customer[order], at[order]
    tied = np.flatnonzero((owner[1:] == owner[:-1]) & (time[1:] == time[:-1]))
    sorted_order = order.copy()
    for _, group in groupby(enumerate(tied.tolist()), key=lambda one: one[1] - one[0]):
        places = [place for _, place in group]
        first, last = places[0], places[-1] + 2
        sorted_order[first:last] = sorted(order[first:last].tolist(), key=lambda row: ids[row])
    return sorted_order


class Entries:
    """A project's ledger, netted: of each move of each version how often it stands."""

    def __init__(self) -> None:
        self._net: dict[int, dict[tuple[int, int, int, int], int]] = {}

    def add(self, rows: Iterable[tuple[int, int, int, int, int, int]]) -> None:
        """Rows of `shared.store.scan.ledger`."""
        for version, customer, at, source, target, sign in rows:
            net = self._net.setdefault(version, {})
            key = customer, at, source, target
            net[key] = net.get(key, 0) + sign

    def customers(self) -> Ints:
        """Those who have moves that stand, in order."""
        found = {move[0] for net in self._net.values() for move, count in net.items() if count > 0}
        return np.array(sorted(found), dtype=np.int64)

    def moves(self, customers: Ints, now: int) -> Mapping[int, Moves]:
        """The moves of each version up to `now`; owners are places in `customers`, of whom all who have moves are."""
        return {version: _moves(net, customers, now) for version, net in self._net.items()}


class Move(NamedTuple):
    """One move of one customer."""

    customer: int
    at: int
    source: int
    target: int


def _moves(net: Mapping[tuple[int, int, int, int], int], customers: Ints, now: int) -> Moves:
    """In the order in which they were made. One that was made twice at one instant is there twice."""
    standing = sorted(Move(*move) for move, count in net.items() if move[1] <= now for _ in range(count))
    made: list[Move] = []
    for _, mine in groupby(standing, key=lambda move: move.customer):
        stage = ABSENT
        for _, group in groupby(mine, key=lambda move: move.at):
            made += path(list(group), stage)
            stage = made[-1].target
    table = np.array(made, dtype=np.int64).reshape(len(made), 4)
    return Moves(np.searchsorted(customers, table[:, 0]), table[:, 1], table[:, 2], table[:, 3])
