"""The parts of a process: one server per folder, tasks that live and die together, signals that ask to stop."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from shared.runtime import Died, FolderInUse, folder, run_until, signals, sole_server
from shared.settings import Settings


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    """The second server is refused with the first one's process id; when the first has gone, a third is not."""
    refused = pytest.raises(FolderInUse, match=rf"process {os.getpid()}\).*--data")
    with sole_server(tmp_path), refused, sole_server(tmp_path):
        pass
    with sole_server(tmp_path):
        assert (tmp_path / "server.lock").read_text().strip() == str(os.getpid())


def test_the_data_folder_is_its_owners(tmp_path: Path) -> None:
    """A new data folder can be read by its owner only; one that is there is left as it is."""
    new = folder(Settings(data=tmp_path / "a" / "b"))
    assert new.stat().st_mode & 0o777 == 0o700
    tmp_path.chmod(0o755)
    assert folder(Settings(data=tmp_path)).stat().st_mode & 0o777 == 0o755


async def test_tasks_end_when_asked() -> None:
    """Asked to stop, every task ends what it began before the run is over."""
    ended: list[str] = []

    async def work(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0)
        ended.append("done")

    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    await run_until(stop, 10, {"one": work, "two": work})
    assert ended == ["done", "done"]


async def test_one_task_dies_and_the_rest_stop() -> None:
    """A task's error stops the others in an orderly way and is what the run ends with."""
    ended: list[str] = []

    async def waits(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("done")
        raise OSError("only because the other had gone")

    async def dies(stop: asyncio.Event) -> None:
        raise LookupError("no such thing")

    with pytest.raises(Died, match="the second failed: no such thing") as died:
        await run_until(asyncio.Event(), 10, {"the first": waits, "the second": dies})
    assert isinstance(died.value.__cause__, LookupError)
    assert ended == ["done"]


async def test_a_task_that_just_ends_is_missed() -> None:
    """A task that returns although nothing asked it to is a failure too."""

    async def returns(stop: asyncio.Event) -> None:
        return

    with pytest.raises(Died, match="the clock ended although"):
        await run_until(asyncio.Event(), 10, {"the clock": returns})


async def test_draining_has_a_deadline(caplog: pytest.LogCaptureFixture) -> None:
    """What has not ended by the deadline is cut off, and named."""

    async def hangs(stop: asyncio.Event) -> None:
        await asyncio.Event().wait()

    stop = asyncio.Event()
    stop.set()
    await run_until(stop, 0.01, {"the slow one": hangs})
    assert "the slow one was not done" in caplog.text


async def test_a_signal_asks_to_stop() -> None:
    """SIGTERM sets the event, and the process lives on to drain."""
    with signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 5)
