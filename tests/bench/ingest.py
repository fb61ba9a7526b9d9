"""Ingest against its floor: `python -m tests.bench.ingest [sqlite] [kafka]` prints events a second and the ratios.

Both apps run alternately in rounds, each as one process under uvicorn, loaded by wrk with 100 events a request and
with one. What counts is the ratio within one run: 0.5 of the floor or more is the aim.
"""

import asyncio
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import uuid
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil

from shared.log.kafka import setup_kafka
from tests.bench.floors.ingest_floor import PARTITIONS
from tests.contract.log_backends import KafkaBackend
from tests.support.kafka import Kafka
from tests.support.processes import ROOT, Processes, free_port, wait_until

SECONDS, ROUNDS = 4, 3
#: Events a request: connections.
LOADS = {100: 16, 1: 64}
APPS = {"floor": "tests.bench.floors.ingest_floor", "milepost": "tests.support.server"}


def main(kinds: list[str]) -> None:
    """Prints a line for each log and load."""
    assert shutil.which("wrk"), "install wrk"
    with ExitStack() as stack, tempfile.TemporaryDirectory(dir=ROOT / ".cache") as name:
        folder = Path(name)
        processes = stack.enter_context(Processes(folder))
        for events in LOADS:
            (folder / f"{events}.lua").write_text(script(events))
        kafka = stack.enter_context(Kafka()) if "kafka" in kinds else None
        for kind in kinds:
            for events, connections in LOADS.items():
                runs: dict[str, list[Run]] = {app: [] for app in APPS}
                for number in range(ROUNDS):
                    for app, module in APPS.items():
                        address = f"sqlite:{folder / f'{app}-{events}-{number}.db'}"
                        if kind == "kafka":
                            assert kafka is not None
                            backend = KafkaBackend(kafka.bootstrap, f"{app}-{events}-{number}")
                            asyncio.run(setup_kafka(backend.settings(partitions=PARTITIONS)))
                            address = backend.address
                        lua = folder / f"{events}.lua"
                        runs[app].append(measure(processes, module, address, lua, connections, events))
                report(f"{kind:6} {events:4} events a request, {connections:3} connections", runs)


class Run(NamedTuple):
    """Events a second, and the server's own processor time for one, in microseconds."""

    rate: float
    cost: float


def report(title: str, runs: dict[str, list[Run]]) -> None:
    """Medians, and the medians of the rounds' ratios; a busy machine blurs the rate more than the cost."""
    for app, found in runs.items():
        rate, cost = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{title}: {app:8} {rate:9,.0f} events/s {cost:7.2f} us CPU/event")
    pairs = list(zip(runs["milepost"], runs["floor"], strict=True))
    rates = statistics.median(mine.rate / floor.rate for mine, floor in pairs)
    costs = statistics.median(floor.cost / mine.cost for mine, floor in pairs)
    print(f"{title}: of the floor {rates:.2f} by rate, {costs:.2f} by CPU", flush=True)


def measure(processes: Processes, module: str, address: str, lua: Path, connections: int, events: int) -> Run:
    """One server under one load."""
    port = free_port()
    server = processes.start(sys.executable, "-m", module, address, str(port))
    wait_until(lambda: _load(lua, port, 1, 1), within=30, ignore=(AssertionError,))
    times = psutil.Process(server.pid).cpu_times
    before = sum(times()[:2])
    requests = _load(lua, port, connections, SECONDS)
    spent = sum(times()[:2]) - before
    server.stop()
    return Run(requests * events, spent / (requests * events * SECONDS) * 1e6)


def _load(lua: Path, port: int, connections: int, seconds: int) -> float:
    """Requests a second; raises AssertionError if any failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(lua), f"http://127.0.0.1:{port}"]
    out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert rate, out
    assert "Non-2xx" not in out, out
    assert "Socket errors" not in out, out
    assert float(rate[1]) > 0, out
    return float(rate[1])


def script(events: int) -> str:
    """A wrk script that posts ready-made bodies in turn; about 400 bytes an event."""
    chance = random.Random(7)
    made = []
    for _ in range(64 if events > 1 else 2000):
        batch = [_event(chance) for _ in range(events)]
        made.append(json.dumps({"batch": batch} if events > 1 else batch[0], separators=(",", ":")))
    bodies = ",\n".join(f"[==[{body}]==]" for body in made)
    authorization = b64encode(b"wk_test:").decode()
    path = "/v1/batch" if events > 1 else "/v1/track"
    return f"""
local bodies = {{ {bodies} }}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Basic {authorization}"
local i = 0
function request() i = i % #bodies + 1; return wrk.format(nil, "{path}", nil, bodies[i]) end
"""


def _event(chance: random.Random) -> dict[str, object]:
    return {
        "type": "track",
        "messageId": str(uuid.UUID(int=chance.getrandbits(128))),
        "userId": f"cust-{int(chance.paretovariate(1.1) * 10) % 100_000:06}",
        "event": chance.choice(["Product Viewed", "Product Added", "Order Completed", "Signed Up"]),
        "timestamp": f"2026-11-21T22:41:{chance.randrange(60):02}.123Z",
        "properties": {
            "sku": f"sku-{chance.randrange(99_999):05}",
            "price": round(chance.random() * 100, 2),
            "currency": "EUR",
            "category": "shoes",
            "quantity": chance.randrange(1, 5),
        },
        "context": {
            "library": {"name": "analytics.js", "version": "4.1.2"},
            "ip": "10.1.2.3",
            "page": {"path": f"/p/{chance.randrange(9999)}", "referrer": ""},
        },
    }


if __name__ == "__main__":
    main(sys.argv[1:] or ["sqlite", "kafka"])
