"""The compose file's services as real processes: its commands, environment and healthchecks, on Kafka and PostgreSQL
started as it says. Only addresses are changed: what has a host of its own there has a port of its own here."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.compose import compose, image_environment
from tests.support.kafka import Distribution, Node, distribution
from tests.support.postgres import Postgres
from tests.support.processes import Process, Processes, free_ports, run, wait_until
from tests.support.prometheus import DEPLOYED, Deployed, Prometheus, promtool

SERVICES = compose()["services"]


class ComposeBroker(Node):
    """Kafka, set by the environment of the compose file's service as its image does it: KAFKA_A_B is a.b."""

    def __init__(self, kafka: Distribution, folder: Path) -> None:
        super().__init__(kafka, folder, 1, *free_ports(2))
        self._home = folder
        self.jvm = tuple(SERVICES["kafka"]["environment"]["KAFKA_HEAP_OPTS"].split())

    def configure(self, cluster: list[Node]) -> None:
        """Write server.properties from the environment."""
        self._home.mkdir(exist_ok=True)
        moved = {"kafka:9092": self.address, "//:9092": f"//{self.address}", "kafka:9093": self.controller}
        moved |= {"//:9093": f"//{self.controller}", "/var/lib/kafka/data": str(self.data)}
        lines = [
            f"{name.removeprefix('KAFKA_').replace('_', '.').lower()}={rewritten(str(value), moved)}\n"
            for name, value in SERVICES["kafka"]["environment"].items()
            if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
        ]
        self.config.write_text("".join(lines))


@dataclass
class Stack:
    """The running services: their processes and ports, by name, one for each replica."""

    processes: Processes
    data: Path
    moved: dict[str, str]
    running: dict[str, list[tuple[Process, int]]] = field(default_factory=dict)

    def environment(self, name: str, port: int) -> dict[str, str]:
        """What the service's container would see, with the addresses here."""
        named = image_environment() | SERVICES[name]["environment"]
        seen = {name: rewritten(value, self.moved) for name, value in named.items() if name.startswith("MILEPOST_")}
        return seen | {"MILEPOST_DATA": str(self.data / name), "MILEPOST_PORT": str(port)}

    def once(self, *command: str) -> str:
        """`docker compose run --rm setup …`: what it printed."""
        environment = self.environment("setup", 0)
        return run(sys.executable, "-m", "services.cli", *command, env=environment, within=60)

    def start(self, name: str) -> None:
        """Start a service, in as many replicas as the file says, and wait until its healthchecks pass."""
        replicas = SERVICES[name].get("deploy", {}).get("replicas", 1)
        for port in free_ports(replicas):
            process = self.processes.milepost(*SERVICES[name]["command"], env=self.environment(name, port))
            self.running.setdefault(name, []).append((process, port))
        for process, port in self.running[name]:
            wait_until(partial(healthy, name, process, port), within=60, ignore=(Unhealthy,))

    def address(self, name: str, replica: int = 0) -> str:
        """The host:port of a service."""
        return f"127.0.0.1:{self.running[name][replica][1]}"


class Unhealthy(Exception):
    """A healthcheck failed, as it may while a service starts."""


def healthy(name: str, process: Process, port: int) -> bool:
    """Runs the service's healthcheck. Raises Unhealthy; AssertionError if the process has ended."""
    assert process.running, process.tail()
    how, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    assert (how, program) == ("CMD", "python")
    try:
        run(sys.executable, *(rewritten(one, {":8000/": f":{port}/"}) for one in arguments))
    except AssertionError as failure:
        raise Unhealthy(f"{failure}\n{process.tail()}") from failure
    return True


def rewritten(text: str, moved: dict[str, str]) -> str:
    """The text with every address replaced by the one it has here."""
    for there, here in moved.items():
        text = text.replace(there, here)
    return text


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """The compose file's Kafka; its address."""
    with ComposeBroker(distribution(), tmp_path / "kafka") as node:
        node.configure([node])
        node.format()
        node.start()
        yield node.address


@pytest.fixture
def stack(processes: Processes, broker: str, postgres: Postgres, tmp_path: Path) -> Iterator[Stack]:
    """What the services need, and nothing started yet."""
    settings: dict[str, Any] = SERVICES["postgres"]["environment"]
    user, database = settings["POSTGRES_USER"], settings["POSTGRES_DB"]
    postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{settings['POSTGRES_PASSWORD']}'")
    postgres.execute(f"CREATE DATABASE {database} OWNER {user}")
    moved = {"kafka:9092": broker, "@postgres:5432": f"@127.0.0.1:{postgres.port}"}
    with processes:  # they end before their database goes
        yield Stack(processes, tmp_path, moved)
    postgres.drop_database(postgres.dsn(database))
    postgres.execute(f"DROP ROLE {user}")


def scrapes(prometheus: Prometheus, job: str, processes: int) -> bool:
    """Whether so many processes of a job answer."""
    return prometheus.value(f'sum(up{{job="{job}"}})') == processes


def test_prometheus_takes_its_configuration() -> None:
    """promtool finds nothing wrong with what is deployed."""
    run(promtool(), "check", "config", DEPLOYED / "prometheus.yml")


@pytest.mark.timeout(300)
def test_the_stack_counts_a_customer(stack: Stack) -> None:
    """Set up twice and started as the compose file says, the services become healthy; an event sent to ingest puts its
    customer into a stage that metrics tells over HTTP and Prometheus scrapes; asked to stop, each process ends well."""
    for _ in range(2):
        stack.once(*SERVICES["setup"]["command"])
    key = stack.once("keys", "create", "shop").split()[-1]
    token = stack.once("tokens", "create", "marketing").split()[-1]
    for name in ("ingest", "stager", "metrics"):
        stack.start(name)

    event = {"type": "page", "messageId": "first", "userId": "anna", "name": "Home"}
    sent = httpx.post(f"http://{stack.address('ingest')}/v1/batch", json={"writeKey": key, "batch": [event]})
    assert sent.json() == {"success": True, "accepted": 1, "rejected": []}

    def counted() -> int:
        url = f"http://{stack.address('metrics')}/v1/journeys/lifecycle/stages"
        answer: Any = httpx.get(url, headers={"Authorization": f"Bearer {token}"}).raise_for_status().json()
        stages: int = sum(stage["customers"] for stage in answer["stages"])
        return stages

    assert wait_until(counted, within=30) == 1

    addresses = {
        name: [stack.address(name, replica) for replica in range(len(running))]
        for name, running in stack.running.items()
    }
    with Deployed(addresses) as prometheus:
        for name, running in stack.running.items():
            wait_until(partial(scrapes, prometheus, name, len(running)), within=10)
        population = 'sum(max without (instance) (milepost_stage_customers{journey="lifecycle"}))'
        wait_until(lambda: prometheus.value(population) == 1, within=10)

    for running in stack.running.values():
        for process, _ in running:
            assert process.stop(within=20) == 0, process.tail()
