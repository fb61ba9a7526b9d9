"""An independent reader of a store: plain SQL, no code of the store's."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from shared.events import TYPES, unpack

Move = tuple[int, str | None, str | None]


class Books(NamedTuple):
    """What a store holds, by the names a marketer would use."""

    now: int
    moves: dict[frozenset[tuple[str, str]], list[Move]]  # of every customer with touchpoints, by its identifiers
    populations: Counter[str | None]
    staged: int
    duplicates: int
    quarantined: int
    queued: int
    unfollowed: frozenset[str]  # ids of statements that would have made a customer too large
    largest: int  # identifiers of one customer


Ask = Callable[[str], Iterable[Sequence[Any]]]
"""Puts a question in SQL to the store that is being read."""


def sqlite_books(path: Path, now: int, version: int | None = None) -> Books:
    """The books of an embedded store."""
    with sqlite3.connect(path) as db:
        return read_books(lambda sql: db.execute(sql).fetchall(), now, version)


def read_books(ask: Ask, now: int, version: int | None = None) -> Books:
    """Reads everything of the one journey in project 1, or of this version."""
    of = "" if version is None else f" AND version = {version}"
    ((text,),) = ask(f"SELECT definition FROM journeys WHERE project = 1{of}")
    names = stage_names(text)

    def name(number: int) -> str | None:
        return {-2: None, -1: "none"}.get(number) if number < 0 else names[number]

    streams = {
        stream: ("anonymous" if kind else "user", value, customer)
        for kind, value, stream, customer in ask("SELECT kind, value, stream, customer FROM identifiers")
    }
    identifiers: dict[int, set[tuple[str, str]]] = {}
    for kind, value, customer in streams.values():
        if customer:
            identifiers.setdefault(customer, set()).add((kind, value))
    for device, user in ask("SELECT stream, owner FROM links"):
        kind, value, _ = streams[device]
        identifiers.setdefault(streams[user][2], set()).add((kind, value))
    facts: dict[int, Counter[tuple[int, int, int]]] = {}
    for customer, at, source, target, sign in ask(
        f"SELECT customer, at, source, target, sign FROM ledger WHERE project = 1{of}"
    ):
        facts.setdefault(customer, Counter())[at, source, target] += sign
    moves: dict[frozenset[tuple[str, str]], list[Move]] = {}
    for customer, count, status in ask("SELECT customer, count, status FROM customers"):
        entries = facts.get(customer, Counter())
        assert min(entries.values(), default=0) >= 0, "more was reversed than ever stood"
        standing = chain(list(entries.elements()))
        if status == 2 or not count:
            assert not standing, "a customer that is no more stands in a stage"
        else:
            moves[frozenset(identifiers[customer])] = [(at, name(a), name(b)) for at, a, b in standing]
    populations: Counter[str | None] = Counter()
    for stage, customers in ask(
        f"SELECT stage, sum(customers) FROM populations WHERE level = 0{of} GROUP BY stage HAVING sum(customers) <> 0"
    ):
        populations[name(stage)] = int(customers)
    ((staged,),) = ask("SELECT coalesce(sum(n), 0) FROM touchpoints")
    ((duplicates,),) = ask("SELECT sum(duplicates) FROM positions")
    ((quarantined,),) = ask("SELECT count(*) FROM quarantine")
    ((queued,),) = ask("SELECT count(*) FROM queue")
    messages = [message for (message,) in ask("SELECT message FROM rejections WHERE code = 'merge_refused'")]
    unfollowed = frozenset(message.rpartition("(message ")[2].removesuffix(").") for message in messages)
    ((largest,),) = ask(
        "SELECT coalesce(max(n), 0) FROM"
        " (SELECT count(*) AS n FROM identifiers WHERE customer <> 0 GROUP BY customer) AS counted"
    )
    _check_names(ask)
    counts = int(staged), int(duplicates), quarantined, queued
    return Books(now, moves, populations, *counts, unfollowed, largest)


def _check_names(ask: Ask) -> None:
    """Names are counted as often as they are stored. What is stored does not show what an exclusion hid."""
    if list(ask("SELECT 1 FROM amendments")):
        return
    stored: Counter[tuple[str, str]] = Counter()
    for (body,) in ask("SELECT body FROM touchpoints"):
        stored.update((one.type, one.name or "") for _, one in unpack(body) if not one.excluded and one.type in TYPES)
    counted = {
        (type, name): int(n) for type, name, n in ask("SELECT type, name, sum(n) FROM names GROUP BY type, name")
    }
    assert counted == stored, "names are not counted as often as they are stored"


def stage_names(definition: str) -> list[str]:
    """The names of a journey's stages in the order of their numbers: the ordered ones, then those aside."""
    parsed = yaml.safe_load(definition)
    return [stage["stage"] for stage in parsed["stages"]] + [side["stage"] for side in parsed.get("side", ())]


def chain(facts: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Moves in the order in which they were made: by time, and at one instant from stage to stage."""
    ordered, stage, left = list[tuple[int, int, int]](), -2, sorted(facts)
    while left:
        first = next(i for i, fact in enumerate(left) if fact[0] == left[0][0] and fact[1] == stage)
        ordered.append(left.pop(first))
        stage = ordered[-1][2]
    return ordered


def stage_as_known(path: Path, at: int, known_at: int) -> str | None:
    """The stage of the only customer at `at` as known at `known_at`; None for absent."""
    with sqlite3.connect(path) as db:
        (text,) = db.execute("select definition from journeys").fetchone()
        names = stage_names(text)
        total: Counter[int] = Counter()
        for source, target, sign in db.execute(
            "select source, target, sign from ledger where at <= ? and recorded <= ?", (at, known_at)
        ):
            total[source] -= sign
            total[target] += sign
        del total[-2]
        standing = [stage for stage, customers in total.items() if customers]
        assert len(standing) <= 1
        return (
            {None: None, -1: "none"}.get(standing[0] if standing else None)
            if not standing or standing[0] < 0
            else names[standing[0]]
        )


def recorded_times(path: Path) -> dict[str, int]:
    """When each stored touchpoint was recorded, by its id."""
    with sqlite3.connect(path) as db:
        bodies = db.execute("SELECT body FROM touchpoints").fetchall()
    return {record.id: recorded for (body,) in bodies for recorded, record in unpack(body)}
