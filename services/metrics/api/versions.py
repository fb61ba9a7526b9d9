"""A journey's versions: publishing one, how far it has come, and which of them answers."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, spelt_clock
from services.metrics.auth import CHANGES, Asked
from services.metrics.definitions import YAML_BODY, Invalid, hold, refused, sent, version
from services.metrics.errors import NOT_FOUND, Error, Refused
from services.metrics.service import Asker, Service
from shared.journeys.definition import DefinitionError, Problem
from shared.store import reads, versions
from shared.store.engine import reading, writing
from shared.store.rows import JourneyRow
from shared.store.versions import Progress, State, VersionRefused


class Standing(BaseModel):
    """One version."""

    version: Annotated[int, Field(description="counted from 1", examples=[2])]
    state: Annotated[
        State,
        Field(
            description="filling (or paused): customers are being derived by it; held: filled, and not asked for yet; "
            "current: it answers; standing: kept up to date, so that it can answer at once; retired: no longer",
            examples=["filling"],
        ),
    ]
    answers: Annotated[bool, Field(description="what is asked without a version is answered by it", examples=[False])]
    held: Annotated[bool, Field(description="it waits to be asked for", examples=[False])]
    progress: Annotated[float, Field(description="of its back-fill, from 0 to 1", examples=[0.42])]
    filled: Annotated[int, Field(description="customers that its back-fill has derived", examples=[42_000])]
    left: Annotated[int, Field(description="customers that it has not come to", examples=[58_000])]
    made_at: Instant
    retired_at: Annotated[Instant | None, Field(description="null: it is kept up to date")]


class Versions(Answer):
    """All versions of a journey, the oldest first."""

    journey: Annotated[str, Field(examples=["shop"])]
    versions: list[Standing]


#: What asking for something that cannot be is answered with.
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "That cannot be done with this version; the message says what can."}
}

#: Which version is changed.
Changed = Annotated[
    int | None, Query(alias="version", ge=1, description="the version's number; left out: as said above", examples=[2])
]

Change = Callable[[AsyncConnection, int, str, int | None], Awaitable[JourneyRow]]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/versions, and POST what changes them."""
    routes = APIRouter(tags=["versions"])
    _publishing(routes, service, asked)
    _changing(routes, service, asked)

    @routes.get("/v1/journeys/{journey}/versions", summary="A journey's versions", responses=NOT_FOUND)
    async def listed(journey: str, asker: Annotated[Asker, Depends(asked)]) -> Versions:
        """Which answers, and how far those have come that are being filled."""
        return await _told(service, asker, journey)

    return routes


def _publishing(routes: APIRouter, service: Service, asked: Asked) -> None:
    @routes.post(
        "/v1/journeys/{journey}/publish",
        summary="Publish a version",
        status_code=201,
        responses={
            200: {"model": Versions, "description": "This very text is a version already; nothing was added."},
            422: {"model": Invalid, "description": "It has problems, or examples of its own fail; all are listed."},
        },
        openapi_extra=YAML_BODY,
    )
    async def publish(
        journey: str,
        request: Request,
        response: Response,
        asker: Annotated[Asker, Security(asked, scopes=CHANGES)],
        held: Annotated[bool, Query(alias="hold", description="let it not answer until it is asked for")] = False,
    ) -> Versions:
        """The body is the definition's YAML. Customers are derived by it beside live traffic; then it answers.

        Until then the version before does. The text of a version that is kept up to date is that version.
        """
        text, definition = await sent(request, service)
        if definition.name != journey:
            problem = Problem("journey", f"it is called {definition.name}", "send it to the path of that name")
            raise refused(DefinitionError([problem]))
        await hold(service, asker, definition)
        async with reading(service.database) as db:
            known = {row.version for row in await reads.journeys(db, asker.project.project)}
        row = await service.store.add_journey(asker.project.project, journey, text, held)
        response.status_code = 200 if row.version in known else 201
        return await _told(service, asker, journey)


def _changing(routes: APIRouter, service: Service, asked: Asked) -> None:
    responses = NOT_FOUND | REFUSED

    async def change(asker: Asker, journey: str, number: int | None, made: Change) -> Versions:
        async with reading(service.database) as db:
            await version(service, db, asker, journey, number)
        try:
            async with writing(service.database) as db:
                await made(db, asker.project.project, journey, number)
        except VersionRefused as error:
            raise Refused(409, "version_refused", str(error), "version") from None
        return await _told(service, asker, journey)

    @routes.post("/v1/journeys/{journey}/cut-over", summary="Let another version answer", responses=responses)
    async def cut_over(
        journey: str, asker: Annotated[Asker, Security(asked, scopes=CHANGES)], number: Changed = None
    ) -> Versions:
        """By default the newest that does not answer: at once, or as soon as every customer is derived by it."""
        return await change(asker, journey, number, versions.cut_over)

    @routes.post("/v1/journeys/{journey}/rollback", summary="Let a former version answer again", responses=responses)
    async def rollback(
        journey: str, asker: Annotated[Asker, Security(asked, scopes=CHANGES)], number: Changed = None
    ) -> Versions:
        """By default the last one that did. It was kept up to date: it answers at once, and nothing is rewritten."""
        return await change(asker, journey, number, versions.roll_back)

    @routes.post("/v1/journeys/{journey}/pause", summary="Stop filling a version", responses=responses)
    async def pause(
        journey: str, asker: Annotated[Asker, Security(asked, scopes=CHANGES)], number: Changed = None
    ) -> Versions:
        """By default the newest that is being filled. It stays where it is, and new customers have it all the same."""
        return await change(asker, journey, number, versions.pause)

    @routes.post("/v1/journeys/{journey}/resume", summary="Go on filling a version", responses=responses)
    async def resume(
        journey: str, asker: Annotated[Asker, Security(asked, scopes=CHANGES)], number: Changed = None
    ) -> Versions:
        """By default the newest that is being filled, from where it was stopped."""
        return await change(asker, journey, number, versions.resume)

    @routes.post("/v1/journeys/{journey}/retire", summary="Stop keeping a version up to date", responses=responses)
    async def retire(
        journey: str,
        asker: Annotated[Asker, Security(asked, scopes=CHANGES)],
        number: Annotated[int, Query(alias="version", ge=1, description="the version's number", examples=[1])],
    ) -> Versions:
        """For good, and not the one that answers. What it knew until now can still be asked."""

        async def ended(db: AsyncConnection, project: int, name: str, _: int | None) -> JourneyRow:
            return await versions.retire(db, project, name, number)

        return await change(asker, journey, number, ended)


async def _told(service: Service, asker: Asker, journey: str) -> Versions:
    project = asker.project.project
    async with reading(service.database) as db:
        current = await service.journey(db, project, journey)
        rows = [row for row in await reads.journeys(db, project) if row.name == journey]
        done = await versions.progress(db, project)
        left = {row.version: await versions.left(db, row) for row in rows}
        clock = await reads.freshness(db)
    found = [_standing(row, row == current, done.get(row.version), left[row.version]) for row in rows]
    return Versions(freshness=spelt_clock(clock), journey=journey, versions=found)


def _standing(row: JourneyRow, answers: bool, done: Progress | None, left: int) -> Standing:
    return Standing(
        version=row.number,
        state=versions.state(row, answers),
        answers=answers,
        held=not row.asked_at,
        progress=1.0 if done is None else round(done.share, 4),
        filled=0 if done is None else done.filled,
        left=left,
        made_at=instants.spell(row.made_at),
        retired_at=None if row.retired_at is None else instants.spell(row.retired_at),
    )
