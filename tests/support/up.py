"""`milepost up` as a person starts it: a process, and what it printed."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from services.cli import main
from tests.support.processes import ROOT, Process, Processes, clean_environment, free_port


class Up:
    """A running `milepost up` on a folder of its own; `key` and `token` are those of its first start."""

    def __init__(self, processes: Processes, data: Path, **settings: str) -> None:
        self._processes, self.data = processes, data
        self._settings = {f"MILEPOST_{name.upper()}": value for name, value in settings.items()}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self.start()
        self.key = self.printed(r"(wk_\w+)")
        self.token = self.printed(r"(qt_\w+)")

    def start(self) -> Process:
        """Starts it (again), and waits until it says that it runs."""
        self.process = self._processes.milepost("up", "--data", self.data, "--port", str(self.port), env=self._settings)
        self.process.wait_for(r"^Look:[\s\S]*tail")
        return self.process

    def printed(self, pattern: str) -> str:
        """The first group of a pattern in what it printed."""
        return self.process.wait_for(pattern, 1)[1]


def milepost(
    *arguments: str | Path, data: Path, code: int = 0, given: bytes = b"", env: Mapping[str, str] | None = None
) -> str:
    """Runs `milepost …` on a folder to its end; what it printed, on both streams. It must end with this exit code."""
    command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
    environment = clean_environment() | {"MILEPOST_DATA": str(data)} | dict(env or {})
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=given, capture_output=True, timeout=100, check=False
    )
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == code, told
    assert "Traceback" not in told
    return told


def milepost_here(*arguments: str | Path, data: Path, code: int = 0) -> str:
    """The same in this process, which is faster."""
    result = CliRunner().invoke(main, [*map(str, arguments)], env={"MILEPOST_DATA": str(data)}, prog_name="milepost")
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def shell(line: str) -> str:
    """Runs a line as a person would paste it into a shell; what it printed."""
    folder = Path(sys.executable).parent
    environment = clean_environment() | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, timeout=30, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def staged(told: str) -> dict[str, int]:
    """Customers by stage, from a stage table of the command line."""
    rows = re.findall(r"^([\w() -]+?)  +([\d,]+)(?:  .*)?$", told, re.MULTILINE)
    return {stage.lower(): int(customers.replace(",", "")) for stage, customers in rows}
