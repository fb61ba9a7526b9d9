"""The commands over Kafka and PostgreSQL: the same as over SQLite."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from services.demo.shop import shop
from tests.support.kafka import Kafka
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


def test_what_is_not_there_yet_is_waited_for(
    start_kafka: Callable[..., Kafka], database: str, topic_prefix: str, tmp_path: Path, processes: Processes
) -> None:
    """A stager or metrics started while Kafka or PostgreSQL is down says so, answers that it lives and is not ready,
    and runs once it is there."""
    broker = start_kafka()
    settings = {
        "MILEPOST_KAFKA": broker.bootstrap,
        "MILEPOST_DATABASE": database,
        "MILEPOST_TOPIC": f"{topic_prefix}touchpoints",
    }
    milepost("setup", data=tmp_path, env=settings)
    nowhere = settings | {"MILEPOST_DATABASE": f"postgresql://nobody@127.0.0.1:{free_port()}/none"}
    without = processes.milepost("metrics", "--port", "0", env=nowhere)
    without.wait_for("WARNING .*waiting to start: .*[Cc]onnect")
    without.stop()
    broker.kill()
    ports = {name: free_port() for name in ("stager", "metrics")}
    waiting = {name: processes.milepost(name, "--port", str(port), env=settings) for name, port in ports.items()}
    for name, service in waiting.items():
        service.wait_for(f"WARNING .*waiting to start: Kafka at {broker.bootstrap}")
        assert httpx.get(f"http://127.0.0.1:{ports[name]}/livez").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{ports[name]}/readyz").status_code == 503
        early = httpx.post(f"http://127.0.0.1:{ports[name]}/v1/batch", json={})
        assert (early.status_code, early.headers["retry-after"]) == (503, "2")
    broker.start()
    for name, service in waiting.items():
        service.wait_for(f"Milepost {name} runs at", 60)
        assert service.stop() == 0


@pytest.mark.parametrize("embedded", [True, False], ids=["SQLite", "PostgreSQL"])
def test_setups_at_once_publish_one_version(
    embedded: bool, request: pytest.FixtureRequest, tmp_path: Path, processes: Processes
) -> None:
    """The very first setups, all at once as several deployments may run them, publish the first journey once."""
    settings = {} if embedded else request.getfixturevalue("settings")
    settings |= {"MILEPOST_DATA": str(tmp_path / "data")}
    for one in [processes.milepost("setup", env=settings) for _ in range(5)]:
        assert one.wait(60) == 0, one.output()
    told = milepost("journeys", "list", data=tmp_path / "data", env=settings)
    assert re.search(r"^lifecycle +1 ", told, re.MULTILINE)
