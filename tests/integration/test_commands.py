"""The commands over Kafka and PostgreSQL: the same as over SQLite."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from services.demo.shop import shop
from tests.support.processes import Processes, free_port
from tests.support.up import milepost, staged


@pytest.fixture
def settings(kafka: str, database: str, topic_prefix: str) -> dict[str, str]:
    """Settings that name real servers, with a topic and a database of the test's own."""
    return {
        "MILEPOST_KAFKA": kafka,
        "MILEPOST_DATABASE": database,
        "MILEPOST_TOPIC": f"{topic_prefix}touchpoints",
        "MILEPOST_PARTITIONS": "3",
    }


def test_everything_in_one_process(settings: dict[str, str], tmp_path: Path, processes: Processes) -> None:
    """`up`, demo, import, tail and check work over Kafka and PostgreSQL, and count what SQLite does."""
    now = time.time_ns() // 1000
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in shop(11, now, 30, 4))
    url = f"http://127.0.0.1:{(port := free_port())}"
    server = processes.milepost("up", "--port", str(port), env=settings)
    key = server.wait_for(r"write key +(wk_\w+)", 60)[1]
    server.wait_for("^Look:")
    watching = processes.milepost("tail", env=settings)
    watching.wait_for("Watching", 60)
    told = staged(milepost("import", "-", data=tmp_path, env=settings, given=lines))
    assert told == staged(milepost("import", "-", data=tmp_path / "alone", given=lines))
    httpx.post(f"{url}/v1/track", json={"userId": "ann", "event": "Order Completed"}, auth=(key, "")).raise_for_status()
    watching.wait_for(r"touchpoint +ann +track Order Completed")
    watching.wait_for(r"move +ann +lifecycle: absent → onboarding")
    report = json.loads(milepost("check", "--deep", "--json", data=tmp_path, env=settings))
    assert report["holds"] is True
    assert report["walked"] == lines.count(b"\n") + 1
    assert server.stop() == 0


def test_services_refuse_what_they_do_not_fit(settings: dict[str, str], tmp_path: Path) -> None:
    """Each service names the remedy and ends with 1 where nothing is set up, or something else is."""
    for service in ("ingest", "stager", "metrics"):
        told = milepost(service, "--port", "0", data=tmp_path, env=settings, code=1)
        assert re.search(r"^Error: .*milepost setup", told, re.MULTILINE)
    milepost("setup", data=tmp_path, env=settings)
    milepost("setup", data=tmp_path, env=settings)
    for service in ("ingest", "stager", "metrics"):
        other = settings | {"MILEPOST_PARTITIONS": "4"}
        told = milepost(service, "--port", "0", data=tmp_path, env=other, code=1)
        assert "set MILEPOST_PARTITIONS=3" in told
