"""What definitions say, published or not: their YAML, their faults, their stages in words, their own examples."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.metrics import body, instants
from services.metrics.api.answers import Instant, Version
from services.metrics.auth import Asked
from services.metrics.definitions import (
    INVALID,
    UNKNOWN,
    YAML,
    YAML_BODY,
    Problem,
    compiled,
    parsed,
    problems,
    sent,
    version,
)
from services.metrics.language import preferred
from services.metrics.service import Asker, Service
from shared.journeys.definition import Definition, DefinitionError
from shared.journeys.engine import Journey
from shared.journeys.explanation import LANGUAGES, explain_stages
from shared.journeys.trial import Tried, try_examples
from shared.store.engine import reading


class Validity(BaseModel):
    """Whether a definition can be published as it is, its own examples apart."""

    journey: Annotated[str | None, Field(description="its name; null if it has problems", examples=["shop"])]
    problems: Annotated[list[Problem], Field(description="everything that is wrong with it; none if it is valid")]


class StageInWords(BaseModel):
    """A stage, and what leads into it."""

    stage: Annotated[str, Field(description="`none` for leaving the journey", examples=["buyer"])]
    title: Annotated[str, Field(examples=["Buyer"])]
    side: Annotated[bool, Field(description="stands beside the order of the stages", examples=[False])]
    means: Annotated[str | None, Field(description="converted, at-risk, churned or lapsed", examples=["converted"])]
    enter: Annotated[str, Field(description="what leads into it", examples=["A purchase."])]
    rules: Annotated[
        list[str], Field(description="whence it can be entered, and what follows", examples=[["Only from: Visitor."]])
    ]


class Explanation(BaseModel):
    """A journey in words, in the language that Accept-Language asks for: en, fa or ar."""

    journey: Annotated[str, Field(examples=["shop"])]
    title: Annotated[str, Field(examples=["Shop"])]
    language: Annotated[str, Field(examples=["en"])]
    stages: Annotated[list[StageInWords], Field(description="in their order, those beside it, leaving the journey")]


class Expectation(BaseModel):
    """A stage that an example expects, and the one that came."""

    at: Instant
    expected: Annotated[str, Field(description="a stage, `none` or `absent`", examples=["churned"])]
    came: Annotated[str, Field(description="a stage, `none` or `absent`", examples=["buyer"])]
    holds: Annotated[bool, Field(examples=[False])]
    reason: Annotated[
        str | None,
        Field(
            description="why it came, if it was not expected", examples=["Entered Buyer, because a purchase happens."]
        ),
    ]
    path: Annotated[str, Field(description="where it is written", examples=["examples[0].expect[1]"])]
    line: Annotated[int | None, Field(description="counted from 1", examples=[17])]


class ExampleTried(BaseModel):
    """One of a definition's own examples, tried."""

    example: Annotated[str, Field(examples=["A buyer of whom nothing is heard for three months has left"])]
    holds: Annotated[bool, Field(examples=[False])]
    expected: list[Expectation]


class Trial(BaseModel):
    """A definition's own examples, tried."""

    journey: Annotated[str, Field(examples=["shop"])]
    holds: Annotated[bool, Field(description="every example does", examples=[False])]
    examples: list[ExampleTried]


def router(service: Service, asked: Asked) -> APIRouter:
    """What a definition says: GET of a published one, POST of one that is not."""
    routes = APIRouter(tags=["definitions"])
    _published(routes, service, asked)

    @routes.post("/v1/journeys/validate", summary="Everything that is wrong in a definition", openapi_extra=YAML_BODY)
    async def validate(request: Request, asker: Annotated[Asker, Depends(asked)]) -> Validity:
        """Nothing is published. The answer is 200 whether the definition is valid or not."""
        try:
            found = parsed(await body.read(request), service)
        except DefinitionError as error:
            return Validity(journey=None, problems=[Problem(**one) for one in problems(error)])
        return Validity(journey=found.definition.name, problems=[])

    @routes.post("/v1/journeys/explain", summary="A definition in words", openapi_extra=YAML_BODY, responses=INVALID)
    async def explain(request: Request, asker: Annotated[Asker, Depends(asked)]) -> Explanation:
        """What leads into each stage, one sentence each. Nothing is published."""
        return _explanation((await sent(request, service)).definition, asker)

    @routes.post(
        "/v1/journeys/test", summary="Try a definition's own examples", openapi_extra=YAML_BODY, responses=INVALID
    )
    async def test(request: Request, asker: Annotated[Asker, Depends(asked)]) -> Trial:
        """Given these events, this stage at this time. A definition of which an example fails is not published."""
        definition = (await sent(request, service)).definition
        return await _trial(await compiled(service, asker, definition), asker)

    return routes


def _published(routes: APIRouter, service: Service, asked: Asked) -> None:
    @routes.get(
        "/v1/journeys/{journey}/definition",
        summary="A journey's YAML as it was published",
        response_class=Response,
        responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}, "example": YAML}}}, **UNKNOWN},
    )
    async def definition(journey: str, asker: Annotated[Asker, Depends(asked)], number: Version = None) -> Response:
        """To the letter, comments included."""
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
        return Response(row.definition, media_type="application/yaml")

    @routes.get("/v1/journeys/{journey}/explanation", summary="A published journey in words", responses=UNKNOWN)
    async def explanation(journey: str, asker: Annotated[Asker, Depends(asked)], number: Version = None) -> Explanation:
        """What leads into each stage, one sentence each."""
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
        return _explanation(service.definition(row), asker)

    @routes.get("/v1/journeys/{journey}/test", summary="Try a published journey's own examples", responses=UNKNOWN)
    async def examples(journey: str, asker: Annotated[Asker, Depends(asked)], number: Version = None) -> Trial:
        """Given these events, this stage at this time."""
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
        return await _trial(service.compiled(row, asker.zone), asker)


def _explanation(definition: Definition, asker: Asker) -> Explanation:
    language = preferred(asker.accept, LANGUAGES)
    return Explanation(
        journey=definition.name,
        title=definition.title.text(language),
        language=language,
        stages=[StageInWords(**told._asdict()) for told in explain_stages(definition, language)],
    )


async def _trial(journey: Journey, asker: Asker) -> Trial:
    language = preferred(asker.accept, LANGUAGES)
    found = await asyncio.to_thread(try_examples, journey, None, language)
    examples = [
        ExampleTried(
            example=title,
            holds=all(one.holds for one in found if one.example == title),
            expected=[_expectation(one) for one in found if one.example == title],
        )
        for title in dict.fromkeys(one.example for one in found)
    ]
    return Trial(journey=journey.name, holds=all(one.holds for one in found), examples=examples)


def _expectation(tried: Tried) -> Expectation:
    return Expectation(
        at=instants.spell(tried.at),
        expected=tried.expected,
        came=tried.came,
        holds=tried.holds,
        reason=tried.reason or None,
        path=tried.where.path,
        line=tried.where.line,
    )
