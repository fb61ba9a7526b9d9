"""`milepost import`: old events from a file, with and without a server, whole and interrupted."""

import gzip
import json
import time
from pathlib import Path

import pytest

from services.demo.shop import shop
from tests.support.processes import Processes, wait_until
from tests.support.up import Up, milepost, staged

BAD = b'{"type":"track"}\nnonsense\n{"type":"track","event":"x","userId":"u","timestamp":"yesterday"}\n'


@pytest.fixture(scope="module")
def lines() -> bytes:
    """The shop's messages, a line each; about three thousand of them."""
    now = time.time_ns() // 1000
    return b"".join(json.dumps(message, ensure_ascii=False).encode() + b"\n" for message in shop(5, now, 50, 6))


@pytest.fixture
def file(lines: bytes, tmp_path: Path) -> Path:
    """A file of good lines, and three bad ones at its end."""
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(lines + BAD))
    return path


def test_twice_is_once(file: Path, tmp_path: Path) -> None:
    """Imported again, plain or packed, a file changes nothing: every line of it is a duplicate."""
    data = tmp_path / "data"
    once = staged(milepost("import", file, data=data))
    assert sum(once.values()) >= 50
    plain = gzip.decompress(file.read_bytes())
    assert staged(milepost("import", "-", data=data, given=plain)) == once
    report = json.loads(milepost("check", "--deep", "--json", data=data))
    ids = {json.loads(line)["messageId"] for line in plain.splitlines()[:-3]}
    assert report["holds"]
    assert report["touchpoints"] == len(ids)
    assert sum(one["end"] for one in report["partitions"]) == 2 * (plain.count(b"\n") - 3)


def test_refused_lines_are_listed(file: Path, lines: bytes, tmp_path: Path) -> None:
    """Each refused line is told with its number and reason; only --strict makes them an error."""
    last = lines.count(b"\n")
    told = milepost("import", file, data=tmp_path / "data")
    assert f"line {last + 1}: missing_id (userId):" in told
    assert f"line {last + 2}: invalid_json:" in told
    assert f"line {last + 3}: invalid_timestamp (timestamp):" in told
    assert "3 lines refused" in told
    assert "3 lines refused" in milepost("import", "--strict", file, data=tmp_path / "data", code=2)


def test_the_largest_event_is_the_settings(tmp_path: Path) -> None:
    """A line larger than 32 KB is refused, unless the setting allows it, as it does over HTTP."""
    line = json.dumps({"type": "track", "userId": "u", "event": "x", "properties": {"text": "x" * 40_000}}).encode()
    assert "line 1: event_too_large:" in milepost("import", "-", data=tmp_path / "data", given=line)
    allowed = {"MILEPOST_EVENT_BYTES": "65536"}
    assert "1 events taken, 0 lines" in milepost("import", "-", data=tmp_path / "data", given=line, env=allowed)


def test_beside_a_server(file: Path, tmp_path: Path, processes: Processes) -> None:
    """Beside a running server the server stages it, and the outcome is that of an import without one."""
    up = Up(processes, tmp_path / "data")
    beside = milepost("import", file, data=up.data)
    assert staged(beside) == staged(milepost("import", file, data=tmp_path / "alone"))
    assert up.process.running


def test_killed_it_goes_on(file: Path, lines: bytes, tmp_path: Path, processes: Processes) -> None:
    """An import that was killed goes on after the last line that is durable, and nothing is lost or counted twice."""
    data = tmp_path / "data"
    killed = processes.milepost("import", file, "--data", data)
    wait_until(lambda: [path for path in data.glob("import-*") if path.suffix != ".new"], 30)
    killed.kill()
    told = milepost("import", file, data=data)
    assert "from line" in told
    report = json.loads(milepost("check", "--deep", "--json", data=data))
    assert report["holds"]
    assert report["touchpoints"] == len({json.loads(line)["messageId"] for line in lines.splitlines()})
    assert not list(data.glob("import-*"))


def test_a_damaged_file(file: Path, tmp_path: Path) -> None:
    """A packed file that was cut off is told in a sentence; a file that is not there too."""
    file.write_bytes(file.read_bytes()[:-20])
    assert "cannot be read to its end" in milepost("import", file, data=tmp_path / "data", code=1)
    assert "does not exist" in milepost("import", tmp_path / "none", data=tmp_path / "data", code=2)
