"""Node.js with the locked tracking SDKs of tests/acceptance/sdk."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.cache import cached
from tests.support.need import need
from tests.support.processes import ROOT, run

SDK = ROOT / "tests/acceptance/sdk"
LOCKED = [SDK / name for name in ("package.json", "package-lock.json", ".npmrc")]
ENTRY = SDK / "browser.js"
REMEDY = "install Node.js 18 or newer with npm"


class Node:
    """Runs CommonJS scripts that `require` the locked packages."""

    def __init__(self) -> None:
        """Install the packages on first use; they are kept until the lock changes."""
        self._node = need("Node.js", shutil.which("node"), REMEDY)
        self._packages = cached("SDKs", [*LOCKED, ENTRY], install) / "node_modules"

    @property
    def environment(self) -> dict[str, str]:
        """What a Node process needs to find the packages."""
        return {"NODE_PATH": str(self._packages)}

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """The command line of `node …`, for a process that is to be started and watched."""
        return [self._node, *arguments]

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None, within: float = 60) -> str:
        """Run `node …` to its end and return what it printed. Raises AssertionError if it fails."""
        return run(*self.command(*arguments), env=self.environment | dict(env or {}), within=within)

    @property
    def browser_sdk(self) -> Path:
        """Segment's browser SDK as one script; a page that loads it gets `Segment.AnalyticsBrowser`."""
        return self._packages.parent / "browser.js"


def install(folder: Path) -> None:
    """Install the locked packages into `folder` and bundle the browser SDK there."""
    npm = need("npm", shutil.which("npm"), REMEDY)
    for file in LOCKED:
        shutil.copy(file, folder)
    run(npm, "ci", "--no-audit", "--no-fund", cwd=folder, within=600)
    bundle = [f"--outfile={folder / 'browser.js'}", "--bundle", "--format=iife", "--global-name=Segment"]
    modules = folder / "node_modules"
    run(modules / ".bin/esbuild", ENTRY, *bundle, "--log-level=warning", env={"NODE_PATH": str(modules)})
