"""How many touchpoints a stage, and a whole journey, takes, against how many are expected."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics.analytics import bands
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.breakdown import Moment
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.api.formats import CSV, send
from services.metrics.api.questions import Answered, Fetched, Scope, Understood, scope
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND
from services.metrics.service import Asker, Service


class BandsAsked(Fetched):
    """`since` and `until` are of the entry into the stage (of the whole journey: into the first one)."""

    version: Annotated[int | None, Field(ge=1, description="left out: the one that answers", examples=[2])] = None
    moment: Annotated[
        Moment, Field(description="of which touchpoint `by` is: the first, the one at the entry, or the last")
    ] = "entered"


class Band(BaseModel):
    """How many touchpoints those have who move on, and where those stand who may still."""

    stage: Annotated[str | None, Field(description="null: the whole journey", examples=["engagement"])]
    moved_on: Annotated[
        int,
        Field(description="times that it was left for a higher stage; of the journey: who converted", examples=[310]),
    ]
    median: Annotated[float | None, Field(description="touchpoints of those who moved on", examples=[5.0])]
    low: Annotated[float | None, Field(description="of the band, inclusive", examples=[3.0])]
    high: Annotated[float | None, Field(examples=[12.0])]
    band: Annotated[
        Literal["definition", "moved on"] | None,
        Field(description="the definition's `expected`, or 10th to 90th percentile of those who moved on; null: none"),
    ]
    below: Annotated[int, Field(description="who is there now with fewer", examples=[41])]
    within: Annotated[int, Field(examples=[120])]
    above: Annotated[int, Field(description="with more", examples=[9])]


class BandGroup(BaseModel):
    """Those with one value, against the bands of all."""

    value: Annotated[str, Field(examples=["paid search"])]
    stages: list[Band]


class Bands(Answered):
    """Touchpoints per stage and journey, of all and by group."""

    stages: Annotated[list[Band], Field(description="in their order, the whole journey last")]
    groups: Annotated[list[BandGroup], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for GET /v1/journeys/{journey}/touchpoints."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"])

        @routes.get(
            "/v1/journeys/{journey}/touchpoints",
            summary="How many touchpoints it takes",
            response_model=Bands,
            responses=CSV | NOT_FOUND,
        )
        async def touchpoints(
            journey: str,
            question: Annotated[BandsAsked, Query()],
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
        ) -> Response:
            """Touchpoints of those who moved on, and who has fewer or more than expected; docs/definitions.md, 28."""
            about = await scope(service, asker, journey, question.version)
            understood = Understood(asker, question, about)
            snapshot, (all_, *groups) = await desk.ask(
                asker.project.project,
                understood.text("touchpoints"),
                lambda snapshot, turn: _told(snapshot, turn, understood, about),
            )
            names = about.names()
            of_each = [BandGroup(value=value, stages=[_band(one, names) for one in told]) for value, told in groups]
            stages = [_band(one, names) for one in all_[1]]
            answer = Bands(**understood.answered(asker, snapshot), stages=stages, groups=of_each)
            parts = [(group.value, group.stages) for group in of_each] if question.by else [("", stages)]
            lines = [
                {**({question.by: value} if question.by else {}), **one.model_dump()}
                for value, told in parts
                for one in told
            ]
            return send(request, answer, lines, question.format)

        return routes

    return router


def _told(snapshot: Snapshot, turn: Turn, understood: Understood, about: Scope) -> list[tuple[str, list[bands.Told]]]:
    """All (under no name), then each group. A group's members are told stage by stage."""
    columns, definition = snapshot.touchpoints, about.definition
    found = bands.spans(columns, about.moves(snapshot), definition, about.now(snapshot))
    found = [one.of(understood.within(one.began)) for one in found]
    turn.check()
    expected = [bands.band(one, definition) for one in found]
    parts: dict[str, list[bands.Told]] = {"": [bands.told(*one) for one in zip(found, expected, strict=True)]}
    of_each = [understood.groups(columns, one.owner, one.began) for one in found]
    turn.check()
    for name in dict.fromkeys(name for groups in of_each for name in groups.names):
        parts[name] = [
            bands.told(one.of(groups.group == (groups.names.index(name) if name in groups.names else -1)), band)
            for one, groups, band in zip(found, of_each, expected, strict=True)
        ]
    return list(parts.items())


def _band(one: bands.Told, names: dict[int, str]) -> Band:
    band = one.band
    return Band(
        stage=names.get(one.stage),
        moved_on=one.done,
        median=one.median,
        low=None if band is None else band.low,
        high=None if band is None else band.high,
        band=None if band is None else "definition" if band.defined else "moved on",
        below=one.below,
        within=one.within,
        above=one.above,
    )
