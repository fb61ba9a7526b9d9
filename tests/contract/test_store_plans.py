"""No question that the stager asks of a SQLite store walks through a project: each finds its rows by an index.

PostgreSQL has statistics to choose by; SQLite has none here, and once chose the key of a table clustered by it.
"""

import re
import sqlite3
from pathlib import Path

import pytest

from shared.store import sqlite_reads
from shared.store.schema import setup

#: What each question finds its rows by, beside the project.
QUESTIONS = {
    "streams": (sqlite_reads.streams, ([(1, 2)],)),
    "owners": (sqlite_reads.owners, (1, [2])),
    "links by device": (sqlite_reads.links, ("stream", 1, [2])),
    "links by user": (sqlite_reads.links, ("owner", 1, [2])),
    "history": (sqlite_reads.history, (1, [(2, 0, 9)])),
    "ids": (sqlite_reads.ids, ([(1, 2)],)),
    "snapshot": (sqlite_reads.snapshot, (1, 2, 3)),
    "ledger": (sqlite_reads.ledger, ([(1, 2)],)),
    "customers": (sqlite_reads.customers, ([(1, 2)],)),
    "identities": (sqlite_reads.identities, ([(1, 0, "u")],)),
    "due": (sqlite_reads.due, (1, 2, 3)),
    "queue": (sqlite_reads.queue, (1, 2)),
    "to fill": (sqlite_reads.to_fill, (1, 2, 9, 5)),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_every_question_uses_an_index_beyond_the_project(name: str, tmp_path: Path) -> None:
    """Every table that is searched is searched by more than its project, and none is scanned but what was just made."""
    path = tmp_path / "store.sqlite"
    await setup(path, 1, "UTC")
    asked = list[str]()
    db = sqlite3.connect(path)
    db.set_trace_callback(asked.append)
    ask, arguments = QUESTIONS[name]
    ask(db, *arguments)  # type: ignore[operator] # functions of different shapes, called alike
    db.set_trace_callback(None)
    selects = [sql for sql in asked if re.match(r"\s*(SELECT|WITH)", sql)]
    assert selects
    for sql in selects:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert not [step for step in plan if re.fullmatch(r"SEARCH .*\(project=\?\)", step)], plan
        assert not [step for step in plan if re.match(r"SCAN (?!own|shared|x\b)", step)], plan
    db.close()
