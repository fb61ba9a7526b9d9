"""What docs/developing.md says to type works as it stands there."""

import json
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.need import need
from tests.support.pages import every_block
from tests.support.processes import Process, Processes, free_port, wait_until
from tests.support.up import milepost_here, shell

PAGE = "docs/developing.md"
HERE = "http://127.0.0.1:8000"


def code(section: str, language: str, url: str) -> list[str]:
    """The blocks of a section in a language, with the server's own address and the keys that the page chooses."""
    own = {HERE: url, "WRITE_KEY": "wk_ci", "QUERY_TOKEN": "qt_ci"}
    found = [block.code for block in every_block(PAGE) if (block.section, block.language) == (section, language)]
    for there, here in own.items():
        found = [text.replace(there, here) for text in found]
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Processes]]:
    """The server of the page's last section: its address, its folder, and more processes."""
    (line,) = code("Assert on it in your own CI", "sh", HERE)
    with Processes(tmp_path_factory.mktemp("processes")) as processes:
        port = free_port()
        process: Process = processes.milepost(*line.split()[1:], "--port", str(port))
        data = Path(process.wait_for(r"data in (\S+)\.")[1])
        process.wait_for("/v1/_test/touchpoints")
        yield f"http://127.0.0.1:{port}", data, processes


def test_what_comes_in_is_watched(server: tuple[str, Path, Processes]) -> None:
    """Each of the commands shows what it is said to show."""
    url, data, processes = server
    (lines,) = code("Watch what comes in", "sh", url)
    commands = [line.partition("#")[0].split()[1:] for line in lines.splitlines()]
    watching = [processes.milepost(*command, "--data", data) for command in commands]
    for process in watching:
        process.wait_for("Watching")
    batch = [{"type": "track", "event": "Signed Up", "userId": user} for user in ("ann", "ben", None)]
    httpx.post(f"{url}/v1/batch", json={"batch": batch}, auth=("wk_ci", "")).raise_for_status()
    everything, ann, rejected = watching
    for process, shown in ((everything, "ben"), (ann, "touchpoint +ann"), (rejected, "missing_id")):
        process.wait_for(shown)
    assert "ben" not in ann.output()
    assert "ann" not in rejected.output()
    assert [process.stop(signal.SIGINT) for process in watching] == [0, 0, 0]


def test_why_it_was_refused(server: tuple[str, Path, Processes]) -> None:
    """The list, the event and the API's answer name the reason."""
    need("curl", shutil.which("curl"), "install curl")
    url, data, _ = server
    httpx.post(f"{url}/v1/_test/reset", headers={"Authorization": "Bearer qt_ci"}).raise_for_status()
    httpx.post(f"{url}/v1/track", json={"event": "Signed Up"}, auth=("wk_ci", ""))
    (lines,) = code("Why was it refused?", "sh", url)
    list_, show, curl = lines.splitlines()
    wait_until(lambda: "missing_id" in milepost_here(*list_.split()[1:], data=data))
    (number,) = re.findall(r"^(\d+) ", milepost_here(*list_.split()[1:], data=data), re.MULTILINE)
    assert '"event": "Signed Up"' in milepost_here(*show.split()[1:-1], number, data=data)
    (told,) = json.loads(shell(curl))["items"]
    assert (told["number"], told["code"]) == (int(number), "missing_id")


def holds(whole: Any, part: Any) -> bool:
    """Whether everything that is in the part is in the whole."""
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], value) for name, value in part.items())
    return bool(whole == part)


def test_it_is_asked_before_it_is_sent(server: tuple[str, Path, Processes]) -> None:
    """The answer is the one on the page, and more."""
    need("curl", shutil.which("curl"), "install curl")
    url, _, _ = server
    httpx.post(f"{url}/v1/_test/reset", headers={"Authorization": "Bearer qt_ci"}).raise_for_status()
    (ask,), (answer,) = (code("Ask before you send", language, url) for language in ("sh", "json"))
    (event,) = json.loads(shell(ask))["events"]
    assert holds(event, json.loads(answer)), event


def test_a_test_of_a_site(server: tuple[str, Path, Processes]) -> None:
    """The test on the page passes, each time that it is run."""
    url, _, _ = server
    (program,) = code("Assert on it in your own CI", "py", url)
    made: dict[str, Any] = {}
    exec(program, made)
    for _ in range(2):
        made["test_an_order_makes_a_customer"]()
    made["milepost"].close()


def test_the_document_describes_all_of_it(server: tuple[str, Path, Processes]) -> None:
    """The OpenAPI document of such a server is valid, and names every path of the page."""
    url, _, _ = server
    document = httpx.get(f"{url}/openapi.json").json()
    for path in re.findall(r"(?:GET|POST) (/v1/[\w/]+)`", Path(PAGE).read_text()):
        assert path in document["paths"], path
