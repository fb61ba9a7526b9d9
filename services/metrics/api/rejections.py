"""What was refused, and why: for whoever sends it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.metrics import cursor as cursors
from services.metrics import instants
from services.metrics.api.answers import Instant, instant
from services.metrics.auth import Asked
from services.metrics.errors import invalid
from services.metrics.service import Asker, Service
from shared.store import rejections as store
from shared.store.engine import reading


class Refusal(BaseModel):
    """An event, or a whole request, that was refused."""

    number: Annotated[int, Field(description="rises with every rejection", examples=[1042])]
    at: Annotated[Instant, Field(description="when it was received")]
    key: Annotated[str, Field(description="the name of the write key that it was sent with", examples=["shop"])]
    index: Annotated[
        int | None, Field(description="its place in its request, from 0; null: the whole request", examples=[3])
    ]
    code: Annotated[str, Field(description="why, for programs", examples=["missing_id"])]
    field: Annotated[str | None, Field(description="where in the event", examples=["userId"])]
    message: Annotated[str, Field(examples=["The event says of nobody: send userId, anonymousId, or both."])]
    size: Annotated[int | None, Field(description="bytes of it as it was sent; null: not known", examples=[52])]
    body: Annotated[
        str | None,
        Field(
            description="its beginning as it was sent, so much of it as MILEPOST_REJECTED_BYTES says; null: not kept",
            examples=['{"type": "track", "event": "Order Completed"}'],
        ),
    ]


class Rejections(BaseModel):
    """One page, the newest first."""

    items: list[Refusal]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/rejections."""
    routes = APIRouter(tags=["events"])

    @routes.get("/v1/rejections", summary="Which events were refused, and why")
    async def rejections(
        asker: Annotated[Asker, Depends(asked)],
        since: Annotated[
            str | None,
            Query(description="received from this instant on, inclusive; a date means its beginning"),
        ] = None,
        until: Annotated[
            str | None,
            Query(description="received up to this instant, inclusive; a date means its end"),
        ] = None,
        code: Annotated[str | None, Query(description="refused for this reason", examples=["missing_id"])] = None,
        key: Annotated[
            str | None, Query(description="sent with the write key of this name or number", examples=["shop"])
        ] = None,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="items of a page")] = 100,
    ) -> Rejections:
        """Of each code the newest are kept, and none for longer than 30 days; Prometheus counts all of them.

        A rejection appears about a second after the request that it came with.
        """
        async with reading(service.database) as db:
            found = await store.find(
                db,
                asker.project.project,
                since=instant(asker, "since", since, "start"),
                until=instant(asker, "until", until),
                code=code,
                key=key,
                before=None if cursor is None else _place(cursor),
                limit=limit + 1,
            )
        page = found[:limit]
        return Rejections(
            items=[told(one) for one in page],
            next=cursors.write(page[-1].number) if len(found) > limit else None,
        )

    return routes


def _place(cursor: str) -> int:
    try:
        return cursors.read(cursor, cursors.Number)
    except ValueError as error:
        raise invalid("cursor", str(error)) from None


def told(kept: store.Kept) -> Refusal:
    """A rejection as it is shown."""
    said = kept.rejection
    return Refusal(
        number=kept.number,
        at=instants.spell(said.at),
        key=kept.key_name,
        index=None if said.index == store.WHOLE else said.index,
        code=said.code,
        field=said.field or None,
        message=said.message,
        size=said.size or None,
        body=said.body.decode("utf-8", "replace") if said.body else None,
    )
