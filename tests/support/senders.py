"""Segment's server SDKs as programs that send calls: `… HOST KEY CALLS`, each installed or built once."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.cache import cached
from tests.support.need import need
from tests.support.node import SDK, Node
from tests.support.processes import run

GO = SDK / "go/segment"


class Sender(NamedTuple):
    """A program, and what its environment needs beside the usual."""

    command: Sequence[str | Path]
    env: dict[str, str]

    def send(self, host: str, key: str, calls: list[dict[str, Any]]) -> None:
        """Sends the calls and waits until the SDK is rid of them. Raises AssertionError if it gives up on one."""
        run(*self.command, host, key, json.dumps(calls), env=self.env)


def python(package: str, *, lock: str = "", packed: bool = False) -> Sender:
    """The Python SDK of this environment, or that of a lock in tests/acceptance/sdk/python."""
    script = SDK / "python/segment_send.py"
    env = {"PYTHONPATH": str(older_python(lock))} if lock else {}
    return Sender([sys.executable, script, package, "gzip" if packed else "plain"], env)


def older_python(lock: str) -> Path:
    """A folder for PYTHONPATH with the packages of a lock: two versions of an SDK cannot share an environment."""
    file = SDK / "python" / f"{lock}.lock"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
    locked: list[str | Path] = ["--require-hashes", "--only-binary", ":all:", "-r", file]

    def install(folder: Path) -> None:
        run(*pip, *locked, "--target", folder, within=300)

    return cached(f"Python-{lock}", [file], install)


def node_js(package: str) -> Sender:
    """A Node SDK by the name of its package in tests/acceptance/sdk/package.json."""
    node = Node()
    return Sender(node.command(SDK / "segment_send.js", package), node.environment)


def go() -> Sender:
    """The Go SDK."""

    def build(folder: Path) -> None:
        run(go_compiler(), "build", "-o", folder / "send", ".", cwd=GO, within=300)

    return Sender([cached("Go-segment", sorted(GO.iterdir()), build) / "send"], {})


def go_compiler() -> str:
    """The `go` command, where its own installer leaves it, too."""
    found = shutil.which("go", path=f"{os.environ['PATH']}{os.pathsep}/usr/local/go/bin")
    return need("Go", found, "install Go 1.19 or newer (Debian's package golang-go)")


def java() -> Sender:
    """The Java SDK."""
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
