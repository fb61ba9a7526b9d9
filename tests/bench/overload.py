"""The front door under load: `python -m tests.bench.overload [sqlite|kafka] [SECONDS]`.

How long answers take at half of what it can do, and what becomes of memory and of answers at five times that: 100
events a request, five times the connections that fill it, each sending again as soon as it is answered. A probe of one
event, ten times a second, tells how long anybody waits for an answer, whatever it is.
"""

import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil

from shared.log.kafka import setup_kafka
from tests.bench.floors.ingest_floor import PARTITIONS
from tests.bench.ingest import script
from tests.contract.log_backends import KafkaBackend
from tests.support.front import KEY
from tests.support.kafka import Kafka
from tests.support.processes import ROOT, Process, Processes, free_port, wait_until

EVENTS = 100
#: Connections that fill it, and those at half load, which pause between their requests.
FULL, HALF = 64, 16
OVER = 5


def main(kind: str, seconds: int) -> None:
    """Prints a line for each load."""
    assert shutil.which("wrk"), "install wrk"
    with ExitStack() as stack, tempfile.TemporaryDirectory(dir=ROOT / ".cache") as name:
        folder = Path(name)
        processes = stack.enter_context(Processes(folder))
        address = f"sqlite:{folder / 'log.db'}"
        if kind == "kafka":
            backend = KafkaBackend(stack.enter_context(Kafka()).bootstrap, "overload")
            asyncio.run(setup_kafka(backend.settings(partitions=PARTITIONS)))
            address = backend.address
        port = free_port()
        server = processes.start(sys.executable, "-m", "tests.support.server", address, str(port))
        wait_until(lambda: probe(port)[0] == 200, within=30, ignore=(httpx.HTTPError,))
        full = load(folder, port, FULL, 5, 0)
        taken = full.rate * (1 - full.refused)
        print(f"{kind}: full: {taken * EVENTS:,.0f} events/s, {full.refused:.0%} of requests refused", flush=True)
        pause = HALF / (taken / 2)
        half = load(folder, port, HALF, 15, pause)
        share = half.rate / taken
        print(f"{kind}: at {share:.0%} of it: p50 {half.p50:.1f} ms, p99 {half.p99:.1f} ms, {half.refused:.1%} refused")
        overload(server, folder, port, seconds)


def overload(server: Process, folder: Path, port: int, seconds: int) -> None:
    """Five times too much for so long: memory as it goes, answers, and how long the probe waited."""
    waits, memory = defaultdict[int, list[float]](list), list[float]()
    done = threading.Event()

    def watch() -> None:
        process = psutil.Process(server.pid)
        with httpx.Client() as client:
            while not done.is_set():
                status, wait = probe(port, client)
                waits[status].append(wait * 1000)
                memory.append(process.memory_info().rss / 1e6)
                time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        over = load(folder, port, FULL * OVER, seconds, 0)
    finally:
        done.set()
        watcher.join()
    third = len(memory) // 3
    means = [statistics.mean(memory[at * third : (at + 1) * third]) for at in range(3)]
    told = ", ".join(f"{mean:.0f}" for mean in means)
    print(f"{OVER} times too many: {over.rate:,.0f} requests/s answered, {over.refused:.0%} of them refused")
    print(f"  memory by thirds of {seconds} s: {told} MB, at most {max(memory):.0f} MB")
    for status, found in sorted(waits.items()):
        p95 = statistics.quantiles([*found, *found], n=20)[18]
        told = f"p50 {statistics.median(found):.0f} ms, p95 {p95:.0f} ms, at most {max(found):.0f} ms"
        print(f"  {len(found)} answers {status} to the probe: {told}", flush=True)


class Found:
    """What wrk tells: requests a second, latencies in milliseconds, and the share that was refused."""

    def __init__(self, out: str) -> None:
        self.rate = float(_number(r"Requests/sec:\s+([\d.]+)", out))
        self.p50, self.p99 = (_milliseconds(_number(rf"(?m)^\s+{share}%\s+(\S+)", out)) for share in (50, 99))
        total = int(_number(r"(\d+) requests in", out))
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
        self.refused = int(refused[1]) / total if refused else 0.0


def load(folder: Path, port: int, connections: int, seconds: int, pause: float) -> Found:
    """Sends for so long; each connection pauses between requests, for so many seconds on average."""
    lua = folder / "load.lua"
    delay = f"\nfunction delay() return math.random() * {pause * 2000:.0f} end\n" if pause else ""
    lua.write_text(script(EVENTS) + delay)
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(lua),
        f"http://127.0.0.1:{port}",
    ]
    return Found(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def probe(port: int, client: httpx.Client | None = None) -> tuple[int, float]:
    """The status of an answer, and the seconds until it came."""
    began = time.perf_counter()
    post = httpx.post if client is None else client.post
    answer = post(f"http://127.0.0.1:{port}/v1/page", json={"anonymousId": "a"}, auth=(KEY, ""), timeout=30)
    return answer.status_code, time.perf_counter() - began


def _number(pattern: str, out: str) -> str:
    found = re.search(pattern, out)
    assert found, out
    return found[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr] # wrk writes no other
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite", int(sys.argv[2]) if len(sys.argv) > 2 else 60)
