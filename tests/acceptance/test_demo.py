"""`milepost demo`: the simulated shop, sent to a real server."""

from pathlib import Path

import pytest

from tests.support.processes import Processes, free_port
from tests.support.up import Up, milepost, staged

SMALL = ("--customers", "60", "--months", "5")


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder."""
    return Up(processes, tmp_path / "data")


def test_the_demo_fills_every_kind_of_stage(up: Up) -> None:
    """The demo needs no keys, and ends with a table in which customers stand in many stages; all is accounted for."""
    told = milepost("demo", "--url", up.url, *SMALL, data=up.data)
    assert "refused" not in told
    table = staged(told)
    assert sum(table.values()) >= 60
    assert sum(1 for customers in table.values() if customers) >= 6
    assert f"{up.url}/" in told
    assert milepost("check", "--deep", data=up.data).endswith("It holds.\n")


def test_the_same_demo_again_changes_nothing(up: Up) -> None:
    """Sent twice, even with keys of its own making, the shop is the same; another seed adds customers."""
    given = ("--key", up.key, "--token", up.token)
    first = staged(milepost("demo", "--url", up.url, *SMALL, data=up.data))
    assert staged(milepost("demo", "--url", up.url, *given, *SMALL, data=up.data.parent)) == first
    more = staged(milepost("demo", "--url", up.url, *SMALL, "--seed", "8", data=up.data))
    assert sum(more.values()) >= sum(first.values()) + 60
    keys = [line for line in milepost("keys", "list", data=up.data).splitlines() if "demo" in line]
    assert len(keys) == 2
    assert "test" not in keys[1]  # what test keys send goes to another project
    assert keys[0].count(":") == 4  # made and revoked: an earlier demo's key ends with the next


def test_without_a_server_the_demo_says_so(up: Up, tmp_path: Path) -> None:
    """Where no server answers, or one of another folder, the demo says what to do, in a sentence."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert "start one with `milepost up`" in milepost("demo", "--url", nowhere, data=up.data, code=1)
    assert "give --key and --token" in milepost("demo", "--url", up.url, data=tmp_path / "none", code=1)
    other = tmp_path / "other"
    milepost("setup", data=other)
    assert "another folder" in milepost("demo", "--url", up.url, data=other, code=1)
