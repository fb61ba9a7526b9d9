"""Node.js with the locked tracking SDKs of tests/acceptance/sdk."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.cache import cached
from tests.support.need import need
from tests.support.processes import ROOT, run

SDK = ROOT / "tests/acceptance/sdk"
LOCKED = [SDK / name for name in ("package.json", "package-lock.json", ".npmrc")]
#: What a page loads of each protocol, bundled into one script.
ENTRIES = sorted((SDK / "browser").glob("*.js"))
REMEDY = "install Node.js 18 or newer with npm"


class Node:
    """Runs CommonJS scripts that `require` the locked packages."""

    def __init__(self) -> None:
        """Install the packages on first use; they are kept until the lock changes."""
        self._node = need("Node.js", shutil.which("node"), REMEDY)
        self._packages = cached("SDKs", [*LOCKED, *ENTRIES], install) / "node_modules"

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

    def browser_sdk(self, protocol: str) -> Path:
        """A protocol's browser SDKs as one script: what tests/acceptance/sdk/browser/PROTOCOL.js gives to the page."""
        return self._packages.parent / "browser" / f"{protocol}.js"

    def bundle(self, code: str, file: Path, *options: str) -> Path:
        """Writes a module and all that it imports into `file` as one script."""
        module = file.with_suffix(".source.mjs")
        module.write_text(code)
        run(self.file(".bin/esbuild"), module, f"--outfile={file}", "--bundle", *options, env=self.environment)
        return file

    def file(self, path: str) -> Path:
        """A file of a locked package, such as a script that sites load as it is."""
        return self._packages / path


def install(folder: Path) -> None:
    """Install the locked packages into `folder` and bundle the browser SDKs there."""
    npm = need("npm", shutil.which("npm"), REMEDY)
    for file in LOCKED:
        shutil.copy(file, folder)
    run(npm, "ci", "--no-audit", "--no-fund", cwd=folder, within=600)
    modules = folder / "node_modules"
    bundle = [f"--outdir={folder / 'browser'}", "--bundle", "--format=iife", "--log-level=warning"]
    run(modules / ".bin/esbuild", *ENTRIES, *bundle, env={"NODE_PATH": str(modules)})
