"""An independent reader of a SQLite store: plain SQL, no code of the store's."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import yaml

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


def read_books(path: Path, now: int) -> Books:
    """Reads everything of the one journey in project 1."""
    with sqlite3.connect(path) as db:
        (text,) = db.execute("select definition from journeys").fetchone()
        definition = yaml.safe_load(text)
        names = [stage["stage"] for stage in definition["stages"]] + [side["stage"] for side in definition["side"]]

        def name(number: int) -> str | None:
            return {-2: None, -1: "none"}.get(number) if number < 0 else names[number]

        streams = {stream: ("anonymous" if kind else "user", value, customer) for kind, value, stream, customer in
                   db.execute("select kind, value, stream, customer from identifiers")}  # fmt: skip
        identifiers: dict[int, set[tuple[str, str]]] = {}
        for kind, value, customer in streams.values():
            if customer:
                identifiers.setdefault(customer, set()).add((kind, value))
        for device, user in db.execute("select stream, owner from links"):
            kind, value, _ = streams[device]
            identifiers.setdefault(streams[user][2], set()).add((kind, value))
        moves: dict[frozenset[tuple[str, str]], list[Move]] = {}
        for customer, count, status in db.execute("select customer, count, status from customers"):
            facts: Counter[tuple[int, int, int, int]] = Counter()
            for at, source, target, sign, seq in db.execute(
                "select at, source, target, sign, rowid from ledger where customer = ? order by rowid", (customer,)
            ):
                facts[at, source, target, 0] += sign
                assert seq
            assert min(facts.values(), default=0) >= 0, "more was reversed than ever stood"
            standing = chain([(at, source, target) for at, source, target, _ in facts.elements()])
            if status == 2 or not count:
                assert not standing, "a customer that is no more stands in a stage"
            else:
                moves[frozenset(identifiers[customer])] = [(at, name(a), name(b)) for at, a, b in standing]
        populations: Counter[str | None] = Counter()
        for stage, customers in db.execute(
            "select stage, sum(customers) from populations where level = 0 group by stage having sum(customers) <> 0"
        ):
            populations[name(stage)] = customers
        (staged,) = db.execute("select coalesce(sum(n), 0) from touchpoints").fetchone()
        (duplicates,) = db.execute("select sum(duplicates) from positions").fetchone()
        (quarantined,) = db.execute("select count(*) from quarantine").fetchone()
        (queued,) = db.execute("select count(*) from queue").fetchone()
        return Books(now, moves, populations, staged, duplicates, quarantined, queued)


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
        definition = yaml.safe_load(text)
        names = [stage["stage"] for stage in definition["stages"]] + [side["stage"] for side in definition["side"]]
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
