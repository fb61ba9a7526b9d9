"""What the README says to paste works as it stands there, with real SDKs and a real browser."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from segment.analytics.client import Client
from selenium.webdriver import Chrome

from tests.support.browser import as_a_person, console
from tests.support.node import Node
from tests.support.processes import ROOT, Processes, wait_until
from tests.support.sdks import site
from tests.support.up import Up, shell


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A new `milepost up`."""
    return Up(processes, tmp_path / "data")


def snippets(up: Up, language: str) -> str:
    """The README's code of a language, with the server's own address, key and token in it."""
    (code,) = re.findall(rf"^```{language}\n(.*?WRITE_KEY.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    own = {"http://127.0.0.1:8000": up.url, "WRITE_KEY": up.key, "QUERY_TOKEN": up.token}
    for there, here in own.items():
        code = code.replace(there, here)
    return str(code)


def standing(up: Up) -> dict[str, int]:
    """The stages that customers stand in, with their numbers."""
    url, token = f"{up.url}/v1/journeys/lifecycle/stages", {"Authorization": f"Bearer {up.token}"}
    stages: list[dict[str, Any]] = httpx.get(url, headers=token).raise_for_status().json()["stages"]
    return {stage["stage"]: stage["customers"] for stage in stages if stage["customers"]}


def test_curl(up: Up) -> None:
    """The first line sends an event, the second one asks where its customer is."""
    first, second = re.findall(r"^curl (?:.*\\\n)*.*$", snippets(up, "sh"), re.MULTILINE)
    assert shell(first) == '{"success":true,"accepted":1,"rejected":[]}'
    wait_until(lambda: standing(up) == {"onboarding": 1})
    assert '"stage":"onboarding"' in shell(second)


def test_python_sdk(up: Up) -> None:
    """Segment's Python SDK, made as the README makes it, is heard."""
    made: dict[str, Any] = {"Client": Client}
    exec(snippets(up, "py"), made)
    made["analytics"].track("ann", "Signed Up")
    made["analytics"].join()
    wait_until(lambda: standing(up) == {"acquisition": 1})


def test_node_sdk(up: Up, node: Node) -> None:
    """Segment's Node.js SDK, made as the README makes it, is heard."""
    (made,) = re.findall(r"^new Analytics\(.*\)", snippets(up, "js"), re.MULTILINE)
    sent = "a.track({userId: 'ann', event: 'Signed Up'}); a.closeAndFlush()"
    node.run("-e", f"const {{Analytics}} = require('@segment/analytics-node'); const a = {made}; {sent}")
    wait_until(lambda: standing(up) == {"acquisition": 1})


def test_browser_sdk(up: Up, node: Node, browser: Chrome) -> None:
    """Segment's browser SDK, loaded as the README loads it, is heard, from a page on another origin."""
    (loaded,) = re.findall(r"^AnalyticsBrowser\.load\(.*\)", snippets(up, "js"), re.MULTILINE)
    scripts = (node.browser_sdk("segment").read_text(), f"Segment.{loaded}.page('Home')")
    as_a_person(browser)
    with site("".join(f"<script>{script}</script>" for script in scripts).encode(), {}) as address:
        browser.get(address)
        wait_until(lambda: standing(up) == {"awareness": 1}, within=20)
    assert console(browser) == []
