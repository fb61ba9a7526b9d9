"""Paths: what follows what, whole sequences, and what comes again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.analytics import paths
from services.metrics.analytics.desk import Desk
from services.metrics.api.formats import CSV, Share, send
from services.metrics.api.walking import L, PathsAsked, Told, csv_lines, walk
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND
from services.metrics.service import Asker, Service
from shared.events import SECOND


class PathsLimited(PathsAsked):
    """So many lines of each group."""

    limit: Annotated[int, Field(ge=1, le=1000, description="lines, the most frequent")] = 50


class Pair(BaseModel):
    """That one thing comes directly after another."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[str, Field(alias="from", examples=["Product Viewed"])]
    target: Annotated[str, Field(alias="to", examples=["Product Added"])]
    count: Annotated[int, Field(description="how often", examples=[312])]
    median: Annotated[float, Field(description="seconds between them", examples=[95.0])]
    mean: Annotated[float, Field(description="seconds between them", examples=[340.5])]


class Variant(BaseModel):
    """A whole sequence."""

    steps: Annotated[list[str], Field(description="the first 20", examples=[["Home", "Product Viewed"]])]
    more: Annotated[bool, Field(description="it goes on: all that begin so are counted together", examples=[False])]
    share: Annotated[Share, Field(description="of all sequences")]


class Loop(BaseModel):
    """What comes again, with at least one other thing between."""

    name: Annotated[str, Field(examples=["Pricing Viewed"])]
    share: Annotated[Share, Field(description="sequences in which it does, of all")]


def room(desk: Desk) -> Any:
    """The metrics service's room for GET /v1/paths/follows, …/variants and …/loops."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"])
        more = CSV | NOT_FOUND

        @routes.get("/v1/paths/follows", summary="What follows what", response_model=Told[Pair], responses=more)
        async def follows(
            question: Annotated[PathsLimited, Query()], request: Request, asker: Annotated[Asker, Depends(asked)]
        ) -> Response:
            """Directly-follows counts with the gaps' median and mean; see docs/definitions.md, 27."""

            def tell(walks: paths.Walks) -> list[Pair]:
                return [
                    Pair(
                        source=one.first,
                        target=one.second,
                        count=one.count,
                        median=one.median / SECOND,
                        mean=one.mean / SECOND,
                    )
                    for one in paths.follows(walks, question.limit)
                ]

            fields, parts = await (await walk(service, asker, question)).told(desk, "follows", tell)
            answer = told(Told[Pair], fields, parts)
            lines = csv_lines(parts, question.by, lambda one: one.model_dump(by_alias=True))
            return send(request, answer, lines, question.format)

        @routes.get("/v1/paths/variants", summary="Whole paths", response_model=Told[Variant], responses=more)
        async def variants(
            question: Annotated[PathsLimited, Query()], request: Request, asker: Annotated[Asker, Depends(asked)]
        ) -> Response:
            """The most frequent sequences, each customer (or visit) once; see docs/definitions.md, 27."""

            def tell(walks: paths.Walks) -> list[Variant]:
                return [
                    Variant(steps=one.steps, more=one.more, share=Share(**one.share._asdict()))
                    for one in paths.variants(walks, question.limit)
                ]

            def line(one: Variant) -> dict[str, Any]:
                steps = " → ".join([*one.steps, "…"] if one.more else one.steps)
                return {"steps": steps, "sequences": one.share.part, "share": one.share.share}

            fields, parts = await (await walk(service, asker, question)).told(desk, "variants", tell)
            lines = csv_lines(parts, question.by, line)
            return send(request, told(Told[Variant], fields, parts), lines, question.format)

        @routes.get("/v1/paths/loops", summary="What comes again", response_model=Told[Loop], responses=more)
        async def loops(
            question: Annotated[PathsLimited, Query()], request: Request, asker: Annotated[Asker, Depends(asked)]
        ) -> Response:
            """What comes again with something else between, and for how many; see docs/definitions.md, 27."""

            def tell(walks: paths.Walks) -> list[Loop]:
                return [
                    Loop(name=name, share=Share(**share._asdict()))
                    for name, share in paths.loops(walks, question.limit)
                ]

            def line(one: Loop) -> dict[str, Any]:
                return {"name": one.name, "sequences": one.share.part, "share": one.share.share}

            fields, parts = await (await walk(service, asker, question)).told(desk, "loops", tell)
            lines = csv_lines(parts, question.by, line)
            return send(request, told(Told[Loop], fields, parts), lines, question.format)

        return routes

    return router


def told(kind: type[Told[L]], fields: dict[str, Any], parts: list[tuple[str, int, list[L]]]) -> Told[L]:
    """The answer."""
    (_, _, all_), *groups = parts
    of_each = [{"value": value, "sequences": count, "lines": lines} for value, count, lines in groups]
    return kind.model_validate({**fields, "lines": all_, "groups": of_each})
