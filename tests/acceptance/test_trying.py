"""Trying a journey before it is published, as a marketer does: by commands on a file, and through the real door."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.processes import ROOT, Processes
from tests.support.up import Up, milepost, milepost_here

PAGE = (ROOT / "docs/journeys/trying.md").read_text()
(SHOP,) = re.findall(r"```yaml\n(journey: shop\n.*?)```", PAGE, re.DOTALL)
STRICT = SHOP.replace("within: 90d, at_least: 2", "within: 10d, at_least: 2")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A running server with ten customers, two orders each up to 27 days apart, and the page's journey in force."""
    folder = tmp_path_factory.mktemp("trying")
    file, shop = folder / "events.jsonl", folder / "shop.yaml"
    shop.write_text(SHOP)
    events = [
        {
            "type": "track",
            "event": "Order Completed",
            "userId": f"u{n}",
            "messageId": f"{n}-{i}",
            "originalTimestamp": (NOW - timedelta(days=30 - 3 * n * i)).isoformat(),
            "receivedAt": (NOW - timedelta(days=1)).isoformat(),
        }
        for n in range(10)
        for i in range(2)
    ]
    file.write_text("\n".join(map(json.dumps, events)))
    data = folder / "data"
    milepost("setup", data=data)
    milepost("journeys", "add", shop, data=data)
    milepost("import", file, data=data)
    with Processes(folder) as processes:
        yield Up(processes, data)


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """A file of the journey with a rule that fewer meet."""
    file = tmp_path / "strict.yaml"
    file.write_text(STRICT)
    return file


def test_the_pages_journey_does_what_its_examples_say(tmp_path: Path) -> None:
    """It is valid and its examples hold, without any store."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    nowhere = tmp_path / "nowhere"
    assert "is a journey of 4 stages" in milepost_here("journeys", "validate", file, data=nowhere)
    assert "2 of 2 examples hold" in milepost_here("journeys", "test", file, data=nowhere)
    for language, word in (("en", "60 days"), ("fa", "۶۰"), ("ar", "٦٠")):
        assert word in milepost_here("journeys", "explain", file, "--language", language, data=nowhere)
    assert not nowhere.exists()


def test_faults_are_listed_with_their_lines(tmp_path: Path) -> None:
    """Of several files at once; the exit code says that there are some."""
    good, bad, small = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "small.yaml"
    good.write_text(SHOP)
    small.write_text("journey: small\nstages: [{stage: seen, enter: {touchpoint: {}}}]\n")
    bad.write_text(SHOP.replace("touchpoint", "touchpiont").replace("at: +1h", "at: soon"))
    told = milepost_here("journeys", "validate", good, bad, small, data=tmp_path, code=1)
    assert f"{small}: small is a journey of 1 stage.\n" in told
    assert f"{good}: shop is a journey" in told
    assert re.search(rf"{bad}:3:\d+: .*did you mean touchpoint\?", told)
    assert "'soon' is not a time" in told


def test_an_example_that_fails_is_told_and_not_published(up: Up, strict: Path) -> None:
    """What was expected, what came and why, the line; neither the command nor the door publishes it."""
    told = milepost_here("journeys", "test", strict, data=up.data, code=1)
    assert re.search(r"expected loyal, came buyer \(\S+strict.yaml, line \d+\)", told)
    assert "1 of 2 examples hold" in told
    one = milepost_here("journeys", "test", strict, "--example", "Whoever", data=up.data, code=1)
    assert "there are: Two orders" in one
    refused = milepost_here("journeys", "add", strict, data=up.data, code=1)
    assert "expects loyal, and buyer comes" in refused
    answer = httpx.post(f"{up.url}/v1/journeys", content=STRICT, headers={"Authorization": f"Bearer {up.token}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "failing_examples")
    assert "VERSION" in milepost_here("journeys", "list", data=up.data)
    assert milepost_here("journeys", "show", "shop", data=up.data) == SHOP


def test_what_a_draft_changes_is_told_in_words(up: Up, strict: Path) -> None:
    """Between the version in force and a file; two that say the same are told so."""
    told = milepost_here("journeys", "diff", "shop", strict, data=up.data)
    assert told.startswith("loyal: is entered when: ")
    assert "10 days" in told
    assert len(told.splitlines()) == 1
    assert "say the same" in milepost_here("journeys", "diff", "shop", "shop@1", data=up.data)
    assert "did you mean shop?" in milepost_here("journeys", "diff", "shopp", strict, data=up.data, code=1)
    assert "there are 1" in milepost_here("journeys", "show", "shop", "--version", "7", data=up.data, code=1)


def test_who_would_move_and_why(up: Up, strict: Path) -> None:
    """A dry run beside the running server: counts of both, who moves from where to where, and the reason."""
    told = milepost("journeys", "dry-run", strict, data=up.data)
    assert re.search(r"^loyal +10 +4 +-6$", told, re.MULTILINE), told
    assert re.search(r"^buyer +0 +6 +6$", told, re.MULTILINE), told
    assert re.search(r"6 from loyal to buyer, such as\n  u\d \(\d+\): Entered .*buyer.*Order Completed", told)
    assert "6 customers would stand elsewhere; nothing has been written" in told
    sample = milepost_here("journeys", "dry-run", strict, "--sample", "4", data=up.data)
    assert "4 of 10 customers" in sample
    head = {"Authorization": f"Bearer {up.token}"}
    answer = httpx.post(f"{up.url}/v1/journeys/dry-run", content=STRICT, headers=head).json()
    assert (answer["customers"], answer["looked"], answer["moved"], answer["whole"]) == (10, 10, 6, True)
    assert {one["from"] for one in answer["moves"]} == {"loyal"}
    stages = httpx.get(f"{up.url}/v1/journeys/shop/stages", headers=head).json()
    assert {one["stage"]: one["customers"] for one in stages["stages"]}["loyal"] == 10


def test_a_site_with_names_of_its_own_is_fitted_in_a_few_lines(tmp_path: Path) -> None:
    """What is printed is pasted, what was unread is read, and customers stand where they should."""
    names = ["orderComplete", "Signup", "Zebra", "Order Completed"]
    events = [
        {"type": "track", "event": name, "userId": f"u{i}", "messageId": str(i), "timestamp": NOW.isoformat()}
        for i, name in enumerate(names)
    ]
    file, journey, data = tmp_path / "events.jsonl", tmp_path / "lifecycle.yaml", tmp_path / "data"
    file.write_text("\n".join(map(json.dumps, events)))
    milepost("import", file, data=data)
    told = milepost_here("journeys", "fit", "lifecycle", data=data)
    assert re.search(r"^track +orderComplete +1 .*purchase, like Order Completed$", told, re.MULTILINE), told
    assert "Roles that nothing has met: " in told
    (bindings,) = re.findall(r"^roles:\n(?:  .*\n)+", told, re.MULTILINE)
    assert len(bindings.splitlines()) <= 5
    journey.write_text(milepost_here("journeys", "templates", "lifecycle", data=data) + bindings)
    again = milepost_here("journeys", "fit", journey, data=data)
    assert "Zebra" in again
    assert "orderComplete" not in again
    ahead = milepost_here("journeys", "dry-run", journey, data=data)
    assert re.search(r"^1 from none to onboarding, such as$", ahead, re.MULTILINE), ahead
