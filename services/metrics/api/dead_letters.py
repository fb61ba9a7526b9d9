"""What lies on the log and cannot be decoded: where and why. Its content is shown by `milepost dead-letters show`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.metrics import cursor as cursors
from services.metrics import instants
from services.metrics.api.answers import Instant
from services.metrics.auth import Asked
from services.metrics.errors import invalid
from services.metrics.service import Service
from shared.store import dead_letters as store
from shared.store.engine import reading


class DeadLetter(BaseModel):
    """A value on the log that the stager could not decode."""

    place: Annotated[
        str, Field(description="its partition and position on the log, by which it is called", examples=["3:1042"])
    ]
    at: Annotated[Instant | None, Field(description="how far its partition was staged when it was met")]
    reason: Annotated[str, Field(examples=["it has neither a userId nor an anonymousId"])]
    size: Annotated[int, Field(description="in bytes", examples=[213])]
    repaired_at: Annotated[Instant | None, Field(description="when somebody repaired it last; null: not yet")]
    replayed_at: Annotated[Instant | None, Field(description="when it was put on the log again; null: it waits")]


class DeadLetters(BaseModel):
    """One page, the last places first."""

    items: list[DeadLetter]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/dead-letters."""
    routes = APIRouter(tags=["events"])

    @routes.get("/v1/dead-letters", summary="What on the log could not be decoded", dependencies=[Depends(asked)])
    async def dead_letters(
        replayed: Annotated[bool | None, Query(description="only those that were, or were not, replayed")] = None,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="items of a page")] = 100,
    ) -> DeadLetters:
        """Of all projects, as nobody can tell whose they are; so their content is not shown here.

        `milepost dead-letters` shows, repairs and replays them.
        """
        before = None if cursor is None else _place(cursor)
        async with reading(service.database) as db:
            found = await store.find(db, replayed=replayed, before=before, limit=limit + 1)
        page = found[:limit]
        return DeadLetters(
            items=[_told(letter) for letter in page],
            next=cursors.write(page[-1].place) if len(found) > limit else None,
        )

    return routes


def _place(cursor: str) -> store.Place:
    try:
        return store.Place(*cursors.read(cursor, tuple[cursors.Number, cursors.Number]))
    except ValueError as error:
        raise invalid("cursor", str(error)) from None


def _told(letter: store.DeadLetter) -> DeadLetter:
    return DeadLetter(
        place=f"{letter.place.partition}:{letter.place.position}",
        at=instants.spell(letter.at) if letter.at else None,
        reason=letter.reason,
        size=len(letter.value),
        repaired_at=None if letter.repaired_at is None else instants.spell(letter.repaired_at),
        replayed_at=None if letter.replayed_at is None else instants.spell(letter.replayed_at),
    )
