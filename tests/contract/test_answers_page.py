"""Every question of docs/answers.md is answered as it stands there."""

import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.journeys import templates
from tests.support.asking import Site, record, site
from tests.support.pages import every_block

PAGE, HERE = "docs/answers.md", "http://127.0.0.1:8000"

#: The curl commands of the page.
COMMANDS = [
    command
    for block in every_block(PAGE)
    for command in block.code.replace("\\\n", " ").split("curl ")
    if command.strip()
]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with the journey of the page and two customers."""
    async with site(tmp_path / "store.db", tmp_path, [templates.text("lifecycle")]) as made:
        await made.receive(
            record("a1", "2024-03-01T10:00", user="ada", type="page", name="Home"),
            record("a2", "2024-03-01T10:10", user="ada", name="Product Viewed"),
            record("a3", "2024-03-01T10:20", user="ada", name="Product Added"),
            record("a4", "2024-03-02T10:20", user="ada", name="Order Completed"),
            record("b1", "2024-03-03T09:00", user="bob", name="Product Viewed"),
        )
        yield made


async def test_every_question_is_answered(shop: Site) -> None:
    """With 200 and something to read, once the token of a reader's own stands where the page says QUERY_TOKEN."""
    assert len(COMMANDS) >= 15
    for command in COMMANDS:
        url, *rest = shlex.split(command.replace("QUERY_TOKEN", shop.token))
        options = list(zip(rest[::2], rest[1::2], strict=True))
        headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
        data = next((value for option, value in options if option == "-d"), None)
        assert {option for option, _ in options} <= {"-H", "-d"}
        assert url.startswith(HERE)
        path = url.removeprefix(HERE)
        answer = await shop.client.request("GET" if data is None else "POST", path, headers=headers, content=data)
        assert answer.status_code == 200, (command, answer.text)
        assert answer.json()["freshness"] is not None, command
