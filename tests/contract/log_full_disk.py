"""Fills a small disk with a log, frees it, and makes it read-only: python -m tests.contract.log_full_disk MOUNT.

Runs in a mount namespace of its own, where the mount can be filled and turned read-only.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from shared.log.port import Entry, Log, LogUnavailable
from tests.contract.log_backends import SqliteBackend, flat


async def refusal(log: Log, tag: str) -> tuple[int, str]:
    """Appends until refused; how many were acknowledged, and the reason."""
    for number in range(10_000):
        try:
            await log.append([Entry(b"key", f"{tag} {number} ".encode() + b"x" * 10_000)])
        except LogUnavailable as error:
            return number, str(error)
    raise AssertionError("never refused")


def remount(mount: Path, how: str) -> None:
    """Turns the disk read-only (ro) or writable (rw)."""
    subprocess.run(["mount", "-o", f"remount,{how}", mount], check=True)


async def main(mount: Path) -> None:
    """Raises AssertionError where the log breaks a promise."""
    backend = SqliteBackend(mount / "log.db")
    ballast = mount / "ballast"
    ballast.write_bytes(b"0" * 700_000)
    async with backend.open(deadline=5) as log:
        kept, reason = await refusal(log, "first")
        assert "full" in reason, reason
        for _ in range(3):
            assert (await refusal(log, "never"))[0] == 0
        ballast.unlink()
        await log.healthy()
        await log.append([Entry(b"key", b"roomy")])

    remount(mount, "ro")
    with pytest.raises(LogUnavailable, match=str(mount)):
        await backend.contents()
    remount(mount, "rw")
    async with backend.open() as log:
        await log.append([Entry(b"key", b"writable")])
    values = [value.split(b" x")[0].decode() for value in flat(await backend.contents())]
    assert values == [f"first {n}" for n in range(kept)] + ["roomy", "writable"], values
    print("all as promised")  # noqa: T201  (its output is what the test reads)


asyncio.run(main(Path(sys.argv[1])))
