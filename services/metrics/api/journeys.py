"""The journeys there are, and adding one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from services.metrics import body
from services.metrics.api.answers import Answer, spelt_clock
from services.metrics.auth import Asked
from services.metrics.errors import Error, Refused
from services.metrics.language import titled
from services.metrics.service import Asker, Service, newest
from shared.journeys.definition import Definition, DefinitionError, load
from shared.store import reads
from shared.store.engine import reading

_YAML = """\
journey: shop
title: {en: Shop, fa: فروشگاه}
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, means: converted, enter: {touchpoint: {role: purchase}}}
side:
  - {stage: churned, means: churned, from: buyer, enter: {quiet: 90d}, return: {on: activity, to: highest}}
"""


class Stage(BaseModel):
    """A stage as defined."""

    stage: Annotated[str, Field(examples=["buyer"])]
    title: Annotated[str, Field(description="in the language that Accept-Language asks for", examples=["Buyer"])]
    means: Annotated[str | None, Field(description="converted, at-risk, churned or lapsed", examples=["converted"])]
    side: Annotated[bool, Field(description="stands beside the order of the stages", examples=[False])]


class Journey(BaseModel):
    """A journey's newest version."""

    name: Annotated[str, Field(examples=["shop"])]
    title: Annotated[str, Field(examples=["Shop"])]
    version: Annotated[int, Field(description="counted from 1", examples=[1])]
    stages: Annotated[list[Stage], Field(description="in their order, those beside it last")]


class Journeys(Answer):
    """All journeys of the project."""

    journeys: list[Journey]


class Added(BaseModel):
    """The version of a journey that is now in force."""

    journey: Annotated[str, Field(examples=["shop"])]
    version: Annotated[int, Field(examples=[2])]


class Problem(BaseModel):
    """Something wrong in a definition."""

    path: Annotated[str, Field(examples=["stages[1].enter.count"])]
    line: Annotated[int | None, Field(description="counted from 1", examples=[5])]
    message: Annotated[str, Field(examples=["unknown key 'atleast'"])]
    remedy: Annotated[str, Field(examples=["did you mean at_least?"])]


class Invalid(Error):
    """Everything that is wrong in a definition."""

    problems: list[Problem]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET and POST /v1/journeys."""
    routes = APIRouter(tags=["journeys"])

    @routes.get("/v1/journeys", summary="The journeys there are")
    async def journeys(asker: Annotated[Asker, Depends(asked)]) -> Journeys:
        """Every journey of the token's project, in its newest version."""
        async with reading(service.database) as db:
            rows = newest(await reads.journeys(db, asker.project.project))
            clock = await reads.freshness(db)
        found = [_journey(service.definition(row), row.number, asker.accept) for row in rows]
        return Journeys(freshness=spelt_clock(clock), journeys=found)

    @routes.post(
        "/v1/journeys",
        summary="Add a journey, or a new version of one",
        status_code=201,
        responses={
            200: {"model": Added, "description": "This very text is in force already; nothing has changed."},
            422: {"model": Invalid, "description": "The definition has problems; all of them are listed."},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    type_: {"schema": {"type": "string"}, "example": _YAML}
                    for type_ in ("application/yaml", "text/yaml")
                },
            }
        },
    )
    async def add(request: Request, response: Response, asker: Annotated[Asker, Depends(asked)]) -> Added:
        """The body is the definition's YAML. Every customer is then derived by it, which may take a while."""
        text, definition = _read(await body.read(request))
        project = asker.project.project
        async with reading(service.database) as db:
            rows = {row.name: row for row in newest(await reads.journeys(db, project))}
        before = rows.get(definition.name)
        if before is not None and before.definition == text:
            response.status_code = 200
            return Added(journey=before.name, version=before.number)
        row = await service.store.add_journey(project, definition.name, text)
        return Added(journey=row.name, version=row.number)

    return routes


def _read(sent: bytes) -> tuple[str, Definition]:
    try:
        text = sent.decode("utf-8-sig")
        return text, load(text)
    except UnicodeDecodeError:
        problem = {
            "path": "",
            "line": None,
            "message": "the text is not UTF-8",
            "remedy": "save it as plain UTF-8 text",
        }
        message = f"{problem['message']}: {problem['remedy']}"
        raise Refused(422, "invalid_definition", message, more={"problems": [problem]}) from None
    except DefinitionError as error:
        more = {"problems": [problem._asdict() for problem in error.problems]}
        raise Refused(422, "invalid_definition", str(error), more=more) from None


def _journey(definition: Definition, version: int, accept: str | None) -> Journey:
    stages = [
        Stage(stage=stage.name, title=titled(stage.title, accept), means=stage.means, side=stage.side)
        for stage in definition.stages
    ]
    return Journey(name=definition.name, title=titled(definition.title, accept), version=version, stages=stages)
