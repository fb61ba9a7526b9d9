"""`milepost up`: started by somebody who has never seen it, used as it says, stopped, started again."""

import re
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.need import need
from tests.support.processes import Processes, wait_until
from tests.support.up import Up, milepost, shell

MEGABYTE = 1 << 20


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder."""
    return Up(processes, tmp_path / "data")


def stages(up: Up, token: str | None = None) -> dict[str, int]:
    """The lifecycle journey's stages that anybody is in."""
    answer = httpx.get(
        f"{up.url}/v1/journeys/lifecycle/stages", headers={"Authorization": f"Bearer {token or up.token}"}
    )
    answer.raise_for_status()
    return {one["stage"]: one["customers"] for one in answer.json()["stages"] if one["customers"]}


def track(up: Up, user: str, event: str, key: str | None = None) -> httpx.Response:
    """Sends one event."""
    return httpx.post(f"{up.url}/v1/track", json={"userId": user, "event": event}, auth=(key or up.key, ""))


def test_the_first_start_shows_how_to_begin(up: Up) -> None:
    """The lines that the first start prints work as they are printed: an event by curl and one by an SDK are staged."""
    need("curl", shutil.which("curl"), "install curl")
    assert up.data.stat().st_mode & 0o777 == 0o700
    assert '"accepted":1' in shell(up.printed(r"^ +(curl .*/v1/track .*)$"))
    shell(up.printed(r"^ +(python -c .*)$"))
    ask = up.printed(r"^ +(curl .*/stages .*)$")
    wait_until(lambda: '"total":2' in shell(ask), 20)
    assert stages(up) == {"acquisition": 1, "onboarding": 1}


def test_it_goes_on_where_it_was(up: Up) -> None:
    """Ctrl-C ends it within seconds and without error; the next start shows no secrets and knows everybody."""
    assert track(up, "ann", "Order Completed").status_code == 200
    began = time.monotonic()
    assert up.process.stop(signal.SIGINT, within=15) == 0
    assert time.monotonic() - began < 10
    assert up.process.output().endswith("Stopped.\n")
    again = up.start()
    assert up.key not in again.output()
    assert "milepost keys create NAME" in again.output()
    wait_until(lambda: stages(up) == {"onboarding": 1}, 20)


def test_what_was_acknowledged_outlives_a_kill(up: Up) -> None:
    """Killed right after an acknowledgement, it has the event when it runs again."""
    assert track(up, "ann", "Signed Up").status_code == 200
    up.process.kill()
    up.start()
    wait_until(lambda: stages(up) == {"acquisition": 1}, 20)


def test_a_second_server_on_the_folder_is_told_so(up: Up, processes: Processes) -> None:
    """A second server on one folder ends at once, with one clear sentence."""
    second = processes.milepost("up", "--data", up.data, "--port", "0")
    assert second.wait() == 1
    (line,) = second.output().splitlines()
    assert f"(process {up.process.pid})" in line
    assert "--data" in line


def test_a_second_server_on_the_port_is_told_so(up: Up, processes: Processes, tmp_path: Path) -> None:
    """A second server on one port ends at once, with one clear sentence."""
    second = processes.milepost("up", "--data", tmp_path / "other", "--port", str(up.port))
    assert second.wait() == 1
    (line,) = second.output().splitlines()
    assert f"port {up.port}" in line
    assert "--port" in line


def test_keys_and_tokens_beside_it(up: Up) -> None:
    """Keys and tokens made beside a running server work within seconds, and end within seconds of their revocation."""
    key = milepost("keys", "create", "shop", "--kind", "browser", data=up.data).strip()
    token = milepost("tokens", "create", "marketing", data=up.data).strip()
    wait_until(lambda: track(up, "ann", "Signed Up", key).status_code == 200, 10)
    wait_until(lambda: stages(up, token) == {"acquisition": 1}, 20)
    listed = milepost("keys", "list", data=up.data)
    assert "shop" in listed
    assert key not in listed
    assert "revoked" in milepost("keys", "revoke", "2", data=up.data)
    wait_until(lambda: track(up, "ann", "Signed Up", key).status_code == 401, 10)
    assert "no write key 2 in force" in milepost("keys", "revoke", "2", data=up.data, code=1)


def test_it_is_one_origin(up: Up) -> None:
    """Health, metrics, questions, pages and the description of everything are on one port."""
    for path in ("/livez", "/readyz", "/metrics"):
        assert httpx.get(f"{up.url}{path}").status_code == 200
    assert "milepost_store_up 1" in httpx.get(f"{up.url}/metrics").text
    described = httpx.get(f"{up.url}/openapi.json").json()["paths"]
    assert {"/v1/batch", "/v1/journeys/{journey}/stages"} <= described.keys()


def test_a_path_that_is_nobodys_is_told_so_to_pages(up: Up) -> None:
    """Neither events nor questions go there: 404 that a page may read, counted; what questions do not find is not."""
    page = {"Origin": "https://shop.example"}
    for path in ("/v1/trakc", "/nothing/at/all"):
        assert httpx.options(f"{up.url}{path}", headers=page).status_code == 204
        answer = httpx.post(f"{up.url}{path}", headers=page, json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    asked = {**page, "Authorization": f"Bearer {up.token}"}
    unknown = httpx.get(f"{up.url}/v1/customers/nobody", headers=asked)
    assert (unknown.status_code, unknown.headers.get("access-control-allow-origin")) == (404, None)
    counted = r'^milepost_unknown_paths_total\{family="other"\} 2\.0$'
    assert re.search(counted, httpx.get(f"{up.url}/metrics").text, re.MULTILINE)


def test_refused_events_are_kept_with_their_reasons(up: Up) -> None:
    """An event that is refused beside an accepted one is kept with its reason, for people to find."""
    batch = {"batch": [{"type": "track", "userId": "ann", "event": "Signed Up"}, {"type": "track", "event": "x"}]}
    answer = httpx.post(f"{up.url}/v1/batch", json=batch, auth=(up.key, "")).json()
    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (1, [1])
    up.process.stop(signal.SIGTERM)
    with sqlite3.connect(up.data / "store.sqlite") as store:
        assert store.execute("SELECT code FROM rejections").fetchall() == [("missing_id",)]


def test_it_idles_in_little_memory(up: Up) -> None:
    """After its first events it holds less than 200 MB."""
    track(up, "ann", "Signed Up")
    wait_until(lambda: stages(up) == {"acquisition": 1}, 20)
    httpx.get(f"{up.url}/metrics")
    assert psutil.Process(up.process.pid).memory_info().rss < 200 * MEGABYTE
