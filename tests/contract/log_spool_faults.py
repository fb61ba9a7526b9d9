"""What needs a process of its own: python -m tests.contract.log_spool_faults killed FOLDER | disk MOUNT.

`killed` dies by SIGKILL before and after every call by which the spool touches its disk, one after the other. `disk`
fills a small disk and then makes it read-only, in a mount namespace of its own.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shared.log.port import Log, LogUnavailable
from tests.contract.log_backends import SpooledBackend, SqliteBackend, flat, numbered
from tests.support.processes import eventually

TOUCHES = ("open", "write", "fsync", "ftruncate", "close", "rename", "unlink", "mkdir")


def killed(folder: Path) -> None:
    """Raises AssertionError if a value that was acknowledged is nowhere after some death."""
    deaths = 0
    while True:
        root = folder / str(deaths)
        backend = SpooledBackend(SqliteBackend(root / "log" / "log.db"), root / "spool")
        root.mkdir()
        out, into = os.pipe()
        if not (child := os.fork()):
            say = partial(os.write, into)
            die_at(deaths)
            asyncio.run(spool_and_drain(backend, say))
            os._exit(0)
        os.close(into)
        with os.fdopen(out, "rb") as heard:
            acknowledged = heard.read().split()
        _, status = os.waitpid(child, 0)
        if not (child := os.fork()):
            asyncio.run(nothing_is_lost(backend, acknowledged))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, f"death {deaths}"
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        shutil.rmtree(root)
        deaths += 1
    assert deaths > 30, deaths
    assert len(acknowledged) == 3
    print(f"nothing lost in {deaths} deaths")  # noqa: T201  (its output is what the test reads)


def die_at(step: int) -> None:
    """Lets this process die before (an even step) or after its so-manyth call."""
    left = step

    def touching(call: Callable[..., Any]) -> Callable[..., Any]:
        def touch(*given: Any, **more: Any) -> Any:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*given, **more)
            if left == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 2
            return result

        return touch

    for name in TOUCHES:
        setattr(os, name, touching(getattr(os, name)))


async def spool_and_drain(backend: SpooledBackend, say: Callable[[bytes], object]) -> None:
    """Appends three times while the log's folder is not there, tells each acknowledgement, and lets it drain."""
    async with backend.open(start=0.01) as log:
        for tag in ("a", "b", "c"):
            await log.append(numbered(5, tag=tag))
            say(tag.encode() + b" ")
        backend.come()
        await eventually(lambda: log.waiting == 0)


async def nothing_is_lost(backend: SpooledBackend, acknowledged: list[bytes]) -> None:
    """A new process drains what the dead one left; every acknowledged value is then on the log."""
    backend.come()
    async with backend.open() as log:
        await eventually(lambda: log.waiting == 0)
    found = set(flat(await backend.contents()))
    for tag in acknowledged:
        assert {value for _, value in numbered(5, tag=tag.decode())} <= found, tag


async def disk(mount: Path) -> None:
    """Raises AssertionError where the spool breaks a promise."""
    backend = SpooledBackend(SqliteBackend(mount.parent / "log" / "log.db"), mount / "spool")
    async with backend.open(start=0.01) as log:
        acknowledged = await fill(log)
        for _ in range(3):
            assert await fill(log) == 0
        with pytest.raises(LogUnavailable, match="No space left"):
            await log.healthy()
        assert acknowledged > 20
        backend.come()
        await eventually(lambda: log.waiting == 0)
        await log.healthy()
        await log.append([entry("roomy", 0)])
    values = [value.split(b" x")[0].decode() for value in flat(await backend.contents())]
    assert set(values) >= {f"first {n}" for n in range(acknowledged)} | {"roomy 0"}
    assert len(values) == len(set(values))

    make_read_only(mount)
    with pytest.raises(LogUnavailable, match="cannot be used: Read-only file system"):
        async with backend.open():
            pass
    print("all as promised")  # noqa: T201  (its output is what the test reads)


async def fill(log: Log) -> int:
    """Appends until refused for want of room; how many were acknowledged."""
    for number in range(1000):
        try:
            await log.append([entry("first", number)])
        except LogUnavailable as refused:
            if "No space left" not in str(refused):
                raise
            return number
    raise AssertionError("never refused")


def make_read_only(mount: Path) -> None:
    """Nothing on it may be open for writing."""
    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)


def entry(tag: str, number: int) -> Any:
    """An entry that takes room."""
    (made,) = numbered(1, tag=f"{tag} {number} " + "x" * 20_000)
    return made


if __name__ == "__main__":
    if sys.argv[1] == "killed":
        killed(Path(sys.argv[2]))
    else:
        asyncio.run(disk(Path(sys.argv[2])))
