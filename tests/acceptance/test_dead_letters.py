"""`milepost dead-letters`: what somebody else wrote to the log is found, repaired and replayed beside a server."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from services.commands.dead_letters import replay
from shared.log.port import Entry
from shared.runtime import open_database, open_log
from shared.settings import Settings
from shared.store import dead_letters
from shared.store.engine import reading
from tests.support.processes import Processes, wait_until
from tests.support.up import Up
from tests.support.up import milepost_here as milepost

NOW = time.time_ns() // 1000


def bought(user: str, **fields: object) -> bytes:
    """A record that is none yet: its time is no number."""
    record = {"project": 1, "messageId": f"order of {user}", "type": "track", "name": "Order Completed"}
    return json.dumps(record | {"at": "now", "receivedAt": 1, "userId": user, **fields}).encode()


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder."""
    return Up(processes, tmp_path / "data")


def write(data: Path, *values: bytes) -> None:
    """Puts values on the log, as no ingest would."""

    async def append() -> None:
        async with open_log(Settings(data=data)) as log:
            await log.append([Entry(b"k", value) for value in values])

    asyncio.run(append())


def letters(data: Path, *options: str) -> list[str]:
    """The places of the dead letters listed."""
    return re.findall(r"^(\d+:\d+) ", milepost("dead-letters", "list", *options, data=data), re.MULTILINE)


def written(up: Up, *values: bytes) -> list[str]:
    """Puts them on the log and waits until they are dead letters; their places, the first first."""
    write(up.data, *values)
    wait_until(lambda: len(letters(up.data)) == len(values))
    return letters(up.data)[::-1]


def buyers(up: Up) -> int:
    """Customers of the stage that an order leads to."""
    answer = httpx.get(f"{up.url}/v1/journeys/lifecycle/stages", headers={"Authorization": f"Bearer {up.token}"})
    counts: Sequence[dict[str, int]] = answer.raise_for_status().json()["stages"]
    return sum(stage["customers"] for stage in counts)


def test_a_dead_letter_is_repaired_and_replayed(up: Up, tmp_path: Path) -> None:
    """It is listed with its reason, shown readable, repaired by field or by file, replayed once, and counted once."""
    by_field, by_file = written(up, bought("آنا", properties={"price": 1.10}), b"\xff\x1b[2J")
    listed = milepost("dead-letters", "list", data=up.data)
    assert "Expected `int`, got `str`" in listed
    shown = milepost("dead-letters", "show", by_field, data=up.data)
    assert '"userId": "آنا"' in shown
    assert '"price": 1.1' in shown
    assert "\\xff\\x1b[2J" in milepost("dead-letters", "show", by_file, data=up.data)

    assert "at" in milepost("dead-letters", "repair", by_field, "--set", "userId=x", data=up.data, code=1)
    assert letters(up.data, "--waiting") == [by_file, by_field]
    milepost("dead-letters", "repair", by_field, "--set", f"at={NOW}", data=up.data)
    file = tmp_path / "record.json"
    file.write_bytes(bought("بهار", at=NOW))
    milepost("dead-letters", "repair", by_file, "--file", file, data=up.data)
    assert milepost("dead-letters", "list", data=up.data).count("repaired") == 2
    assert buyers(up) == 0

    assert "2 dead letters replayed" in milepost("dead-letters", "replay", by_field, by_file, data=up.data)
    wait_until(lambda: buyers(up) == 2, 20)
    assert letters(up.data, "--replayed") == [by_file, by_field]
    assert "it was replayed" in milepost("dead-letters", "replay", by_field, data=up.data, code=1)
    assert "was replayed" in milepost("dead-letters", "repair", by_field, "--set", "name=x", data=up.data, code=1)
    report = json.loads(milepost("check", "--deep", "--json", data=up.data))
    assert report["faults"] == []
    assert sum(one["dead_letters"] for one in report["partitions"]) == 2
    told = httpx.get(f"{up.url}/v1/customers/آنا", headers={"Authorization": f"Bearer {up.token}"}).json()
    assert told["touchpoints"] == 1
    history = httpx.get(
        f"{up.url}/v1/customers/آنا/journeys/lifecycle/history", headers={"Authorization": f"Bearer {up.token}"}
    ).json()
    (touchpoint,) = history["touchpoints"]
    # Received anew: what was known before the replay stays as it was.
    assert touchpoint["recorded_at"] > touchpoint["at"]


def test_a_replay_that_was_interrupted_counts_once(up: Up) -> None:
    """Killed between the log and its note of it, a replay is done again; the second is a duplicate, and all holds."""
    (place,) = written(up, bought("ann"))
    milepost("dead-letters", "repair", place, "--set", f"at={NOW}", data=up.data)

    async def interrupted() -> None:
        class Killed(Exception):
            """What a kill is to this process."""

        settings = Settings(data=up.data)
        async with open_log(settings) as log, open_database(settings) as database:
            async with reading(database) as db:
                (letter,) = await dead_letters.find(db)

            class Dying:
                """The log, after whose answer nothing comes."""

                async def append(self, entries: Sequence[Entry]) -> None:
                    await log.append(entries)
                    raise Killed

            with pytest.raises(Killed):
                await replay(Dying(), database, [letter])  # type: ignore[arg-type] # all that replay asks of a log

    asyncio.run(interrupted())
    assert letters(up.data, "--waiting") == [place]
    assert "1 dead letters replayed" in milepost("dead-letters", "replay", "--all", data=up.data)

    def report() -> dict[str, int]:
        told = json.loads(milepost("check", "--deep", "--json", data=up.data))
        assert told["faults"] == []
        names = ("staged", "duplicates", "dead_letters", "pending")
        return {name: sum(one[name] for one in told["partitions"]) for name in names}

    wait_until(lambda: report() == {"staged": 1, "duplicates": 1, "dead_letters": 1, "pending": 0}, 30)
    assert letters(up.data, "--waiting") == []


def test_all_that_can_be_read_is_replayed(up: Up) -> None:
    """`--all` leaves what is no record, says so, and ends with 1; a place that is none is told what one looks like."""
    first, second = written(up, b"[]", bought("ann"))
    milepost("dead-letters", "repair", second, "--set", f"at={NOW}", data=up.data)
    told = milepost("dead-letters", "replay", "--all", data=up.data, code=1)
    assert "1 dead letters replayed, 1 left" in told
    assert f"{first}: " in told
    wait_until(lambda: buyers(up) == 1, 20)
    assert "such as 3:1042" in milepost("dead-letters", "show", "1042", data=up.data, code=2)
    assert "no dead letter 5:999" in milepost("dead-letters", "show", "5:999", data=up.data, code=1)
    assert "or --all" in milepost("dead-letters", "replay", data=up.data, code=2)
