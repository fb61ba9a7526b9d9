"""Definitions that are sent and asked for: read with all their faults, found by journey and version."""

import asyncio
from typing import Annotated, Any, NamedTuple

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics import body
from services.metrics.errors import NOT_FOUND, Error, Refused
from services.metrics.service import Asker, Service
from shared.journeys.compile import compile_journey
from shared.journeys.definition import Definition, DefinitionError, load
from shared.journeys.engine import Journey
from shared.journeys.reading import Problem as Found
from shared.journeys.setting import Setting
from shared.journeys.trial import hold_examples
from shared.store import reads
from shared.store.rows import JourneyRow

YAML = """\
journey: shop
title: {en: Shop, fa: فروشگاه}
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, means: converted, enter: {touchpoint: {role: purchase}}}
side:
  - {stage: churned, means: churned, from: buyer, enter: {quiet: 90d}, return: {on: activity, to: highest}}
examples:
  - example: A buyer of whom nothing is heard for three months has left
    given:
      - {at: 2026-03-01 09:30, page: Home}
      - {at: +1h, track: Order Completed, properties: {revenue: 49.9}}
    expect:
      - {at: +1h, stage: buyer}
      - {at: +100d, stage: churned}
"""

#: A definition as the body of a request, for the OpenAPI document.
YAML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            type_: {"schema": {"type": "string"}, "example": YAML} for type_ in ("application/yaml", "text/yaml")
        },
    }
}


class Problem(BaseModel):
    """Something wrong in a definition."""

    path: Annotated[str, Field(examples=["stages[1].enter.count"])]
    line: Annotated[int | None, Field(description="counted from 1", examples=[5])]
    column: Annotated[int | None, Field(description="of the key or the member of a list, from 1", examples=[13])]
    message: Annotated[str, Field(examples=["unknown key 'atleast'"])]
    remedy: Annotated[str, Field(examples=["did you mean at_least?"])]


class Invalid(Error):
    """Everything that is wrong in a definition."""

    problems: list[Problem]


#: What a definition that cannot be read is answered with, and one that there is not.
INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Invalid, "description": "The definition has problems; all of them are listed."}
}
UNKNOWN = NOT_FOUND


class Sent(NamedTuple):
    """A definition as it was sent."""

    text: str
    definition: Definition


async def sent(request: Request, service: Service) -> Sent:
    """The body's definition. Raises Refused with every problem in it."""
    try:
        return parsed(await body.read(request), service)
    except DefinitionError as error:
        raise refused(error) from None


def parsed(data: bytes, service: Service) -> Sent:
    """The definition in these bytes, as the tables in force know it. Raises DefinitionError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DefinitionError([Found("", "the text is not UTF-8", "save it as plain UTF-8 text")]) from None
    return Sent(text, load(text, service.teller))


def refused(error: DefinitionError, code: str = "invalid_definition") -> Refused:
    """The answer that lists these problems."""
    return Refused(422, code, str(error), more={"problems": problems(error)})


def problems(error: DefinitionError) -> list[dict[str, Any]]:
    """The problems as `Problem` has them."""
    return [Problem.model_validate(problem._asdict()).model_dump() for problem in error.problems]


async def compiled(service: Service, asker: Asker, definition: Definition) -> Journey:
    """The journey that a definition which is not published makes, in the asker's project."""
    return await asyncio.to_thread(compile_journey, definition, Setting(asker.zone, service.teller))


async def hold(service: Service, asker: Asker, definition: Definition) -> None:
    """Raises Refused if one of the definition's own examples fails: it is not published."""
    journey = await compiled(service, asker, definition)
    try:
        await asyncio.to_thread(hold_examples, journey)
    except DefinitionError as error:
        raise refused(error, "failing_examples") from None


async def version(service: Service, db: AsyncConnection, asker: Asker, name: str, number: int | None) -> JourneyRow:
    """The version of this number, the one in force if None. Raises Refused if there is none."""
    row = await service.journey(db, asker.project.project, name)
    if number in (None, row.number):
        return row
    rows = [one for one in await reads.journeys(db, asker.project.project) if one.name == name]
    if (found := next((one for one in rows if one.number == number), None)) is None:
        known = ", ".join(str(one.number) for one in rows)
        raise Refused(404, "unknown_version", f"there is no version {number} of {name}: there are {known}", "version")
    return found
