"""The journeys there are, and adding one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, Security
from pydantic import BaseModel, Field

from services.metrics.api.answers import Answer, spelt_clock
from services.metrics.auth import CHANGES, Asked
from services.metrics.definitions import YAML_BODY, Invalid, hold, sent
from services.metrics.language import titled
from services.metrics.service import Asker, Service
from shared.journeys.definition import Definition
from shared.store import reads
from shared.store.engine import reading
from shared.store.versions import answering


class Stage(BaseModel):
    """A stage as defined."""

    stage: Annotated[str, Field(examples=["buyer"])]
    title: Annotated[str, Field(description="in the language that Accept-Language asks for", examples=["Buyer"])]
    means: Annotated[str | None, Field(description="converted, at-risk, churned or lapsed", examples=["converted"])]
    side: Annotated[bool, Field(description="stands beside the order of the stages", examples=[False])]


class Journey(BaseModel):
    """A journey, in the version that answers."""

    name: Annotated[str, Field(examples=["shop"])]
    title: Annotated[str, Field(examples=["Shop"])]
    version: Annotated[int, Field(description="counted from 1", examples=[1])]
    stages: Annotated[list[Stage], Field(description="in their order, those beside it last")]


class Journeys(Answer):
    """All journeys of the project."""

    journeys: list[Journey]


class Added(BaseModel):
    """The version of a journey that answers, or will as soon as every customer is derived by it."""

    journey: Annotated[str, Field(examples=["shop"])]
    version: Annotated[int, Field(examples=[2])]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET and POST /v1/journeys."""
    routes = APIRouter(tags=["journeys"])

    @routes.get("/v1/journeys", summary="The journeys there are")
    async def journeys(asker: Annotated[Asker, Depends(asked)]) -> Journeys:
        """Every journey of the token's project, in the version that answers."""
        async with reading(service.database) as db:
            rows = answering(await reads.journeys(db, asker.project.project))
            clock = await reads.freshness(db)
        found = [_journey(service.definition(row), row.number, asker.accept) for row in rows]
        return Journeys(freshness=spelt_clock(clock), journeys=found)

    @routes.post(
        "/v1/journeys",
        summary="Add a journey, or a new version of one",
        status_code=201,
        responses={
            200: {"model": Added, "description": "This very text is a version already; nothing was added."},
            422: {"model": Invalid, "description": "It has problems, or examples of its own fail; all are listed."},
        },
        openapi_extra=YAML_BODY,
    )
    async def add(
        request: Request, response: Response, asker: Annotated[Asker, Security(asked, scopes=CHANGES)]
    ) -> Added:
        """The body is the definition's YAML: the short way of `POST /v1/journeys/{journey}/publish`."""
        text, definition = await sent(request, service)
        project = asker.project.project
        async with reading(service.database) as db:
            known = {row.version for row in await reads.journeys(db, project)}
        await hold(service, asker, definition)
        row = await service.store.add_journey(project, definition.name, text)
        response.status_code = 200 if row.version in known else 201
        return Added(journey=row.name, version=row.number)

    return routes


def _journey(definition: Definition, version: int, accept: str | None) -> Journey:
    stages = [
        Stage(stage=stage.name, title=titled(stage.title, accept), means=stage.means, side=stage.side)
        for stage in definition.stages
    ]
    return Journey(name=definition.name, title=titled(definition.title, accept), version=version, stages=stages)
