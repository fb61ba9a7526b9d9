"""Server SDKs as programs that send calls: `… HOST KEY CALLS`, each installed or built once."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shared.events import Record
from tests.contract.log_backends import SqliteBackend
from tests.support.cache import cached
from tests.support.front import KEY
from tests.support.need import need
from tests.support.node import SDK, Node
from tests.support.processes import run
from tests.support.sdks import CALLS, arrived
from tests.support.server import Served

GO = SDK / "go/segment"


class Sender(NamedTuple):
    """A program, and what its environment needs beside the usual."""

    command: Sequence[str | Path]
    env: dict[str, str]


class ServerSdk(NamedTuple):
    """A server SDK: how to get its program, the name that it sends of itself, and the calls that it can make."""

    sender: Callable[[], Sender]
    library: str
    calls: list[dict[str, Any]] = CALLS


async def sent(sdk: ServerSdk, server: Served, backend: SqliteBackend) -> list[Record]:
    """The records of its calls, made once and followed until the SDK is rid of them.

    Raises AssertionError if it gives up on one.
    """
    command, env = sdk.sender()
    run(*command, server.url, KEY, json.dumps(sdk.calls), env=env)
    return await arrived(backend, len(sdk.calls))


def python(protocol: str, *arguments: str, lock: str = "") -> Sender:
    """A protocol's Python SDK: that of this environment, or that of a lock in tests/acceptance/sdk/python."""
    return Sender([sys.executable, SDK / f"python/{protocol}_send.py", *arguments], python_packages(lock))


def python_packages(lock: str) -> dict[str, str]:
    """The environment with the packages of a lock, if one is named: two versions of an SDK cannot share one."""
    if not lock:
        return {}
    file = SDK / "python" / f"{lock}.lock"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
    locked: list[str | Path] = ["--require-hashes", "--only-binary", ":all:", "-r", file]

    def install(folder: Path) -> None:
        run(*pip, *locked, "--target", folder, within=300)

    return {"PYTHONPATH": str(cached(f"Python-{lock}", [file], install))}


def node_js(protocol: str, package: str) -> Sender:
    """A protocol's Node SDK by the name of its package in tests/acceptance/sdk/package.json."""
    node = Node()
    return Sender(node.command(SDK / f"{protocol}_send.js", package), node.environment)


def go() -> Sender:
    """Segment's Go SDK."""

    def build(folder: Path) -> None:
        run(go_compiler(), "build", "-o", folder / "send", ".", cwd=GO, within=300)

    return Sender([cached("Go-segment", sorted(GO.iterdir()), build) / "send"], {})


def go_compiler() -> str:
    """The `go` command, where its own installer leaves it, too."""
    found = shutil.which("go", path=f"{os.environ['PATH']}{os.pathsep}/usr/local/go/bin")
    return need("Go", found, "install Go 1.19 or newer (Debian's package golang-go)")


def java() -> Sender:
    """Segment's Java SDK."""
    return Sender([*java_machine("segment"), "Send"], {})


def java_machine(sdk: str) -> list[str | Path]:
    """`java` with an SDK of tests/acceptance/sdk/java and its `Send` on the class path."""
    remedy = "install a Java 17 development kit and Maven (Debian's packages default-jdk-headless and maven)"
    machine, compiler = (need("Java", shutil.which(name), remedy) for name in ("java", "javac"))
    maven = need("Maven", shutil.which("mvn"), remedy)
    sources = SDK / "java" / sdk

    def build(folder: Path) -> None:
        run(maven, "-q", "-B", "-f", sources / "pom.xml", f"-Dlibs={folder}", "package", within=600)
        run(compiler, "-Xlint:all", "-Werror", "-cp", f"{folder}/*", "-d", folder, sources / "Send.java")

    folder = cached(f"Java-{sdk}", sorted(sources.iterdir()), build)
    return [machine, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder}:{folder}/*"]
