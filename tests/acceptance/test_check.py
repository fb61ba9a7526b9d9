"""`milepost check` and `milepost tail`: what they see, and that they see what is wrong."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from shared.log.port import Entry
from shared.log.spool_file import frame
from shared.log.spool_folder import BROKEN, SUFFIX
from tests.support.processes import Processes
from tests.support.up import milepost

LINES = b"".join(
    json.dumps({"type": "track", "event": event, "userId": user, "timestamp": f"2026-0{month}-01T00:00:00Z"}).encode()
    + b"\n"
    for user in ("ann", "ben", "cat")
    for month, event in enumerate(("Signed Up", "Order Completed", "Order Completed"), 1)
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with nine touchpoints of three customers."""
    folder = tmp_path / "data"
    milepost("import", "-", data=folder, given=LINES + LINES[: LINES.index(b"\n") + 1])
    return folder


def test_a_version_is_called_by_its_number(data: Path, tmp_path: Path) -> None:
    """Journeys that share a store each count their versions from 1."""
    file = tmp_path / "shop.yaml"
    file.write_text("journey: shop\nstages: [{stage: seen, enter: {touchpoint: {}}}]\n")
    milepost("journeys", "publish", str(file), data=data)
    milepost("import", "-", data=data, given=b'{"type": "page", "userId": "dan"}\n')
    report = json.loads(milepost("check", "--json", data=data))
    assert {(one["journey"], one["version"]) for one in report["stages"]} == {("lifecycle", 1), ("shop", 1)}


def change(data: Path, *statements: str) -> None:
    """Changes the store behind its back."""
    with sqlite3.connect(data / "store.sqlite") as store:
        for statement in statements:
            assert store.execute(statement).rowcount > 0


def test_a_store_as_it_should_be(data: Path) -> None:
    """Every record is staged or a duplicate, every way of counting agrees, and the deep walk finds each record."""
    report = json.loads(milepost("check", "--deep", "--json", data=data))
    assert report["holds"] is True
    assert report["faults"] == []
    assert sum(one["end"] for one in report["partitions"]) == 10
    assert sum(one["staged"] for one in report["partitions"]) == report["touchpoints"] == 9
    assert sum(one["duplicates"] for one in report["partitions"]) == 1
    assert report["walked"] == 10
    assert {one["stage"]: one["states"] for one in report["stages"] if one["ledger"]} == {"churned": 3}
    assert milepost("check", data=data).endswith("It holds.\n")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM touchpoints WHERE rowid = 1", "touchpoints are stored"),
        ("UPDATE positions SET staged = staged - 1 WHERE staged > 0", "records are not in the store"),
        ("UPDATE positions SET duplicates = duplicates + 1", "never on this log"),
        ("DELETE FROM ledger WHERE rowid = 1", "is counted differently"),
        ("UPDATE populations SET customers = customers + 1 WHERE level = 2", "is counted differently"),
        ("UPDATE flows SET n = n + 1", "the counts of moves differ"),
        ('UPDATE customers SET status = 2, "into" = 1', "or is gone"),
    ],
)
def test_what_is_wrong_is_told(statement: str, told: str, data: Path) -> None:
    """Whatever row is changed behind its back, check says so and ends with 1."""
    change(data, statement)
    report = milepost("check", data=data, code=1)
    assert told in report
    assert "It does not hold." in report


def test_the_deep_walk_finds_a_lost_touchpoint(data: Path) -> None:
    """A touchpoint that was lost together with its count is missed by the deep walk."""
    with sqlite3.connect(data / "store.sqlite") as store:
        (n,) = store.execute("SELECT n FROM touchpoints WHERE rowid = 1").fetchone()
    change(
        data,
        "DELETE FROM touchpoints WHERE rowid = 1",
        f"UPDATE positions SET staged = staged - {n}, duplicates = duplicates + {n} WHERE staged >= {n}",
    )
    assert "ids on the log are not among the touchpoints" in milepost("check", "--deep", data=data, code=1)


def test_what_waits_in_the_spool_is_counted(data: Path, tmp_path: Path) -> None:
    """Spooled records are told, whichever process they are of; damage that was set aside is a fault until somebody has
    looked at it."""
    folder = tmp_path / "spool" / "1"
    folder.mkdir(parents=True)
    segment = b"".join(frame(Entry(b"key", b"%d" % number)) for number in range(5))
    (folder / f"1{SUFFIX}").write_bytes(segment)
    spool = {"MILEPOST_SPOOL": str(tmp_path / "spool")}
    told = milepost("check", data=data, env=spool)
    assert "5 records wait in the spool" in told
    assert told.endswith("It holds.\n")
    (folder / f"2{BROKEN}").write_bytes(segment)
    assert f"2{BROKEN} holds damaged spooled records" in milepost("check", data=data, env=spool, code=1)
    (folder / f"2{BROKEN}").unlink()
    assert json.loads(milepost("check", "--json", data=data, env=spool))["spooled"] == 5


def test_tail_shows_what_happens(data: Path, processes: Processes) -> None:
    """A touchpoint and the move that it makes are shown when they happen, and what is another customer's is not; of an
    import that concerns everybody only how many."""
    everybody = processes.milepost("tail", "--data", data)
    ann = processes.milepost("tail", "--data", data, "--customer", "ann")
    for process in (everybody, ann):
        process.wait_for("Watching")
    new = b'{"type":"track","event":"Product Reviewed","userId":"%s"}\n'
    milepost("import", "-", data=data, given=new % b"ann" + new % b"ben")
    ann.wait_for(r"touchpoint +ann +track Product Reviewed")
    everybody.wait_for(r"import .* touchpoints of the past")
    for process in (everybody, ann):
        process.wait_for(r"move +ann +lifecycle: churned → loyalty")
    everybody.wait_for(r"move +ben")
    assert "ben" not in ann.output()
    assert everybody.stop(signal.SIGINT) == ann.stop(signal.SIGINT) == 0
