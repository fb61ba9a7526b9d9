"""Sends messages through the HTTP door, as a tracking SDK does: in batches, again when asked to wait."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice

import httpx

from services.demo.shop import Message

BATCH = 250
#: A request is given up after so many attempts, with pauses that double up to MAX_PAUSE seconds.
ATTEMPTS = 8
MAX_PAUSE = 10.0
#: So many half seconds may pass until a server knows a new key.
KNOWN = 20


class SendFailed(Exception):
    """The server could not be reached, or refused what was sent. Names the address and the remedy."""


async def reach(client: httpx.AsyncClient, key: str) -> None:
    """Waits until the server knows the key, which takes some seconds after it was made. Raises SendFailed."""
    for _ in range(KNOWN):
        try:
            response = await client.get(f"/v1/projects/{key}/settings")
        except httpx.TransportError as failure:
            raise SendFailed(
                f"No server answers at {client.base_url} ({failure}): start one with `milepost up`, "
                "or name another with --url."
            ) from None
        if response.status_code == 200:
            return
        await asyncio.sleep(0.5)
    raise SendFailed(
        f"The server at {client.base_url} does not know the write key: it may work on another folder. "
        "Name that with --data, or give a key and a token of its own with --key and --token."
    )


async def send(
    client: httpx.AsyncClient, key: str, messages: Iterable[Message], sent: Callable[[int], None]
) -> list[str]:
    """Sends everything in order with this write key; `sent` is told how many more were taken.

    Returns the reasons of events that were refused. Raises SendFailed.
    """
    refused: list[str] = []
    rest = iter(messages)
    while batch := list(islice(rest, BATCH)):
        answer = await _post(client, key, batch)
        refused += [f"{batch[one['index']]['messageId']}: {one['message']}" for one in answer["rejected"]]
        sent(len(batch))
    return refused


async def _post(client: httpx.AsyncClient, key: str, batch: list[Message]) -> dict[str, list[dict[str, int]]]:
    body = {"batch": batch, "sentAt": datetime.now(UTC).isoformat(timespec="milliseconds")}
    for attempt in range(ATTEMPTS):
        pause = min(MAX_PAUSE, 0.25 * 2**attempt)
        try:
            response = await client.post("/v1/batch", json=body, auth=(key, ""))
        except httpx.TransportError as failure:
            trouble = str(failure) or type(failure).__name__
        else:
            if response.status_code == 200:
                return dict(response.json())
            trouble = f"it answered {response.status_code}: {_message(response)}"
            if response.status_code not in (429, 503):
                break
            pause = float(response.headers.get("Retry-After", pause))
        await asyncio.sleep(min(pause, MAX_PAUSE))
    raise SendFailed(f"The server at {client.base_url} did not take the events: {trouble}")


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
