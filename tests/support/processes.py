"""Child processes, free ports and waiting with a deadline."""

import asyncio
import inspect
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self, TypeVar, overload

T = TypeVar("T")
Failures = tuple[type[Exception], ...]

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
POLL_S = 0.05


@overload
async def eventually(condition: Callable[[], Awaitable[T]], within: float = ..., ignore: Failures = ...) -> T: ...


@overload
async def eventually(condition: Callable[[], T], within: float = ..., ignore: Failures = ...) -> T: ...


async def eventually(condition: Callable[[], object], within: float = 10, ignore: Failures = ()) -> object:
    """Poll `condition` (plain or async) until it is truthy and return its value.

    Raises AssertionError after `within` seconds, naming the last value or the last of the `ignore`d errors.
    """
    deadline = time.monotonic() + within
    while True:
        seen: object
        try:
            answer = condition()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
            seen = value
        except ignore as failure:
            seen = failure
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within:g} s; last seen: {seen!r}")
        await asyncio.sleep(POLL_S)


def wait_until(condition: Callable[[], T], within: float = 10, ignore: Failures = ()) -> T:
    """`eventually` for code without an event loop."""
    deadline = time.monotonic() + within
    while True:
        seen: object
        try:
            if value := condition():
                return value
            seen = value
        except ignore as failure:
            seen = failure
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within:g} s; last seen: {seen!r}")
        time.sleep(POLL_S)


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 with nothing on them.

    They lie below the range of outgoing connections, so that a killed server can come back on its port.
    """
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            listener = held.enter_context(socket.socket())
            with suppress(OSError):
                listener.bind(("127.0.0.1", random.randrange(12_000, 32_000)))
                ports.append(listener.getsockname()[1])
        return ports


def free_port() -> int:
    """One free port."""
    return free_ports(1)[0]


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    within: float = 60,
) -> str:
    """Run a command to its end, with `env` added to a clean environment; what it printed to stdout.

    Raises AssertionError with the output's end if it fails or takes longer than `within` seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=clean_environment() | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    except subprocess.CalledProcessError as failure:
        output = (failure.stdout + failure.stderr)[-2000:]
        raise AssertionError(f"{words[0]} ended with {failure.returncode}:\n{output}") from None
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running after {within:g} s: {words}") from None
    return done.stdout


class Process:
    """A running child. Its output (both streams, in order) goes to the file `log`.

    As a context manager it is never outlived: on leaving, whatever is left of its process group is killed.
    The calls block; in an async test whose loop has to go on meanwhile, use `asyncio.to_thread`.
    """

    def __init__(
        self,
        *command: str | Path,
        log: Path,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Start `command` in a process group of its own, with `env` added to a clean environment."""
        self.command = [str(word) for word in command]
        self.log = log
        with log.open("wb") as sink:
            self._child = subprocess.Popen(
                self.command,
                cwd=cwd,
                env=clean_environment() | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait()

    @property
    def pid(self) -> int:
        """The child's process id, which is also its group's."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the child has not ended (a paused one is running)."""
        return self._child.poll() is None

    def output(self) -> str:
        """Everything printed up to now."""
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, within: float = 30) -> re.Match[str]:
        """Wait until the output matches `pattern` (a regular expression, ^ and $ per line).

        Raises AssertionError with the output's tail at the deadline, or when the child ends without it.
        """
        deadline = time.monotonic() + within
        while True:
            ended = not self.running
            if match := re.search(pattern, self.output(), re.MULTILINE):
                return match
            if ended or time.monotonic() > deadline:
                what = f"ended with {self._child.returncode}" if ended else f"not seen within {within:g} s"
                raise AssertionError(f"{pattern!r}: {what}: {' '.join(self.command)[:200]}\n{self.tail()}")
            time.sleep(POLL_S)

    def wait(self, within: float = 30) -> int:
        """Wait for the end; the exit code (negative: the signal). Raises AssertionError at the deadline."""
        try:
            return self._child.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within:g} s: {self.command}\n{self.tail()}") from None

    def tail(self, lines: int = 30) -> str:
        """The last lines printed."""
        return "\n".join(self.output().splitlines()[-lines:])

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the child alone, as a person or an orchestrator would."""
        self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self._child.wait()

    def pause(self) -> None:
        """SIGSTOP, and wait until every thread of it stands still: the signal stops them one after another."""
        self.send(signal.SIGSTOP)
        wait_until(lambda: stopped(self), ignore=(OSError,))

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = 30) -> int:
        """Ask it to end (SIGTERM unless told) and return its exit code, as `wait` does."""
        self.send(number)
        self.send(signal.SIGCONT)
        return self.wait(within)


def stopped(process: Process) -> bool:
    """Whether every thread of a process stands still: a SIGSTOP stops them one after another."""
    return all(_state(task) in "TXZ" for task in Path(f"/proc/{process.pid}/task").iterdir())


def _state(task: Path) -> str:
    """The one letter that the kernel shows for a thread's state."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


class Processes:
    """Starts children whose logs lie in `folder`; leaving the context ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = ExitStack()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()

    def start(self, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Process:
        """Start any command."""
        self._count += 1
        log = self._folder / f"{self._count}-{Path(command[0]).name}.log"
        return self._started.enter_context(Process(*command, log=log, env=env, cwd=cwd))

    def milepost(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Process:
        """Start `milepost …` from the tree under test, with this interpreter."""
        return self.start(sys.executable, "-m", "services.cli", *arguments, env=env)


def clean_environment() -> dict[str, str]:
    """This process's environment without Milepost's settings, so that a developer's own cannot leak in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}
    return kept | {"PYTHONUNBUFFERED": "1"}
