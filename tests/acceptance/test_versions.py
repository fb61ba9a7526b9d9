"""Changing a journey by commands: what each says, and what it refuses."""

from pathlib import Path

import pytest

from tests.support.asking import SHOP
from tests.support.up import milepost_here


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a store that has the journey shop, in two versions; without customers each answers at once."""
    folder = tmp_path / "data"
    milepost_here("setup", data=folder)
    for number, text in enumerate((SHOP, SHOP.replace("visitor", "guest")), 1):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        assert f"shop version {number} is in force" in milepost_here("journeys", "publish", file, data=folder)
    return folder


def status(data: Path) -> dict[str, str]:
    """What each version of the shop is, as `status` says."""
    lines = milepost_here("journeys", "status", "shop", data=data).splitlines()
    return {line.split()[1]: line.split()[2] for line in lines[1:]}


def test_back_and_forth(data: Path) -> None:
    """The former version, the newer one again, and an end of the former one."""
    assert status(data) == {"1": "standing", "2": "current"}
    assert "shop version 1 is current" in milepost_here("journeys", "rollback", "shop", data=data)
    assert status(data) == {"1": "current", "2": "standing"}
    assert "shop version 2 is current" in milepost_here("journeys", "cut-over", "shop", data=data)
    assert "shop version 1 is retired" in milepost_here("journeys", "retire", "shop", "1", data=data)
    assert status(data) == {"1": "retired", "2": "current"}
    assert "no former version" in milepost_here("journeys", "rollback", "shop", data=data, code=1)
    assert "for good" in milepost_here("journeys", "rollback", "shop", "--to", "1", data=data, code=1)


def test_a_held_version(data: Path, tmp_path: Path) -> None:
    """It says how it is let answer, and does not until then; the same file again changes nothing."""
    file = tmp_path / "3.yaml"
    file.write_text(SHOP.replace("visitor", "friend"))
    told = milepost_here("journeys", "publish", file, "--hold", data=data)
    assert "shop version 3 waits for `milepost journeys cut-over shop`" in told
    assert status(data) == {"1": "standing", "2": "current", "3": "held"}
    milepost_here("journeys", "cut-over", "shop", "--version", "3", data=data)
    assert "shop version 3 is in force" in milepost_here("journeys", "add", file, data=data)
    assert status(data) == {"1": "standing", "2": "standing", "3": "current"}


def test_what_cannot_be_is_said(data: Path) -> None:
    """Each refusal says why, and ends with 1."""
    refused = {
        ("retire", "shop", "2"): "answers now",
        ("retire", "shop", "7"): "has no version 7",
        ("pause", "shop"): "no version of shop is being filled",
        ("resume", "shop", "--version", "1"): "filled already",
        ("cut-over", "other"): "no journey of this name",
        ("status", "other"): "no journey 'other'",
    }
    for arguments, said in refused.items():
        assert said in milepost_here("journeys", *arguments, data=data, code=1)
    assert status(data) == {"1": "standing", "2": "current"}
