"""What is different between two versions of a journey, or a definition and the version in force."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.metrics.auth import Asked
from services.metrics.definitions import INVALID, UNKNOWN, YAML_BODY, sent, version
from services.metrics.language import preferred
from services.metrics.service import Asker, Service
from shared.journeys.difference import Difference, differences
from shared.journeys.explanation import LANGUAGES
from shared.store.engine import reading


class Change(BaseModel):
    """One thing that is different."""

    kind: Annotated[Literal["added", "removed", "renamed", "changed"], Field(examples=["changed"])]
    stage: Annotated[str | None, Field(description="by its new name; null: the whole journey", examples=["buyer"])]
    what: Annotated[str, Field(description="the part that is different", examples=["is entered when"])]
    before: Annotated[str | None, Field(description="null: nothing", examples=["A purchase."])]
    after: Annotated[str | None, Field(description="null: nothing", examples=["At least 2 purchases."])]
    text: Annotated[str, Field(description="all of it in words", examples=["visitor is now called guest"])]


class Differences(BaseModel):
    """What is different, stage by stage."""

    journey: Annotated[str, Field(examples=["shop"])]
    before: Annotated[int, Field(description="the version that is compared with", examples=[1])]
    after: Annotated[int | None, Field(description="the other version; null: the definition sent", examples=[2])]
    differences: list[Change]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/diff and POST /v1/journeys/diff."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/journeys/{journey}/diff", summary="What is different between two versions", responses=UNKNOWN)
    async def diff(
        journey: str,
        asker: Annotated[Asker, Depends(asked)],
        before: Annotated[int, Query(ge=1, description="the number of the one version", examples=[1])],
        after: Annotated[
            int | None, Query(ge=1, description="the number of the other; left out: the one in force", examples=[2])
        ] = None,
    ) -> Differences:
        """In words, in the language that Accept-Language asks for: en, fa or ar."""
        async with reading(service.database) as db:
            one = await version(service, db, asker, journey, before)
            other = await version(service, db, asker, journey, after)
        found = differences(one.definition, other.definition, preferred(asker.accept, LANGUAGES))
        return _told(journey, one.number, other.number, found)

    @routes.post(
        "/v1/journeys/diff",
        summary="What a definition would change",
        openapi_extra=YAML_BODY,
        responses={**UNKNOWN, **INVALID},
    )
    async def against(request: Request, asker: Annotated[Asker, Depends(asked)]) -> Differences:
        """Against the version in force of the journey of the same name. Nothing is published."""
        text, definition = await sent(request, service)
        async with reading(service.database) as db:
            row = await version(service, db, asker, definition.name, None)
        found = differences(row.definition, text, preferred(asker.accept, LANGUAGES))
        return _told(row.name, row.number, None, found)

    return routes


def _told(journey: str, before: int, after: int | None, found: Sequence[Difference]) -> Differences:
    changes = [Change(**one._asdict(), text=str(one)) for one in found]
    return Differences(journey=journey, before=before, after=after, differences=changes)
