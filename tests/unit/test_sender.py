"""How the demo's messages are sent: in order, again when told to wait, and given up with a sentence."""

import json

import httpx
import pytest

from services.commands.serving import App, Receive, Scope, Send
from services.demo import sender
from services.demo.sender import SendFailed, reach, send
from services.demo.shop import Message

MESSAGES: list[Message] = [{"messageId": str(number)} for number in range(600)]


class Door:
    """A server that answers with the statuses given, one after another, and then with 200."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = iter(statuses)
        self.took: list[str] = []
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (part := await receive()).get("more_body"):
            body += part["body"]
        body += part.get("body", b"")
        self.requests += 1
        status = next(self._statuses, 200)
        if status == 200 and body:
            self.took += [one["messageId"] for one in json.loads(body)["batch"]]
        rejected = [{"index": 0, "message": "no good"}] if self.took == ["0"] else []
        answer = {"accepted": 1, "rejected": rejected, "message": "busy"}
        await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"0")]})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def client(app: App) -> httpx.AsyncClient:
    """A client of this server."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example")


async def test_everything_is_sent_in_order_and_counted() -> None:
    """A server that is busy at times gets every message once, in order."""
    door, counted = Door(503, 200, 429, 503), list[int]()
    async with client(door) as http:
        assert await send(http, "key", MESSAGES, counted.append) == []
    assert door.took == [message["messageId"] for message in MESSAGES]
    assert sum(counted) == len(MESSAGES)
    assert door.requests == len(counted) + 3


async def test_refusals_are_told_by_message() -> None:
    """An event that the server refuses is named with its reason."""
    async with client(Door()) as http:
        assert await send(http, "key", MESSAGES[:1], lambda _: None) == ["0: no good"]


@pytest.mark.parametrize("statuses", [(400,), (503,) * sender.ATTEMPTS])
async def test_a_server_that_takes_nothing(statuses: tuple[int, ...]) -> None:
    """A request that is wrong is not sent again; a server that stays busy is given up. Both name the server."""
    door = Door(*statuses)
    async with client(door) as http:
        with pytest.raises(SendFailed, match=r"http://shop\.example.*busy"):
            await send(http, "key", MESSAGES[:1], lambda _: None)
    assert door.requests == len(statuses)


async def test_a_new_key_is_waited_for() -> None:
    """A key that the server comes to know after a moment is no error."""
    async with client(Door(401)) as http:
        await reach(http, "key")
