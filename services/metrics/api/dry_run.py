"""What a definition would make of the customers there are, nothing written: bounded in size, time and number."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, StageName, spelt_clock
from services.metrics.auth import Asked
from services.metrics.definitions import INVALID, YAML_BODY, compiled, sent
from services.metrics.dry_run import Run, dry_run
from services.metrics.errors import Error, Refused
from services.metrics.language import preferred
from services.metrics.service import Asker, Service
from shared.journeys.dry_run import Tally
from shared.journeys.telling import LANGUAGES
from shared.store import reads
from shared.store.engine import reading
from shared.store.versions import answering

#: Dry runs under way in one process, and the seconds that each may take.
AT_ONCE, SECONDS = 2, 30.0
#: Customers that are looked at, if nothing else is asked for, and at most: `milepost journeys dry-run` has no bound.
SAMPLE, LARGEST = 1_000, 20_000

_BUSY = {"model": Error, "description": "Two dry runs are under way already; try again when they have ended."}


class Population(BaseModel):
    """The customers of a stage, in both."""

    stage: StageName
    now: Annotated[int, Field(description="by the version in force", examples=[412])]
    then: Annotated[int, Field(description="by the definition sent", examples=[389])]


class Mover(BaseModel):
    """A customer who would stand elsewhere."""

    customer: Annotated[str, Field(examples=["4398046511105"])]
    id: Annotated[str | None, Field(description="a user id of theirs, else an anonymous id", examples=["u-1042"])]
    reason: Annotated[str, Field(description="why they would stand there", examples=["Entered buyer, because …"])]


class Moved(BaseModel):
    """Customers who would move from one stage to another."""

    source: Annotated[StageName, Field(serialization_alias="from")]
    target: Annotated[StageName, Field(serialization_alias="to")]
    customers: Annotated[int, Field(examples=[23])]
    examples: Annotated[list[Mover], Field(description="some of them")]


class DryRun(Answer):
    """What would become of customers."""

    journey: Annotated[str, Field(examples=["shop"])]
    against: Annotated[int | None, Field(description="the version in force; null: there is none", examples=[3])]
    at: Annotated[Instant, Field(description="where customers stand at this instant")]
    customers: Annotated[int, Field(description="of the project", examples=[120_430])]
    looked: Annotated[int, Field(description="those looked at", examples=[1000])]
    whole: Annotated[bool, Field(description="the whole sample was looked at before time was up", examples=[True])]
    skipped: Annotated[int, Field(description="who did more than can be held at once", examples=[0])]
    behind: Annotated[int, Field(description="who wait to be derived anew; counted all the same", examples=[0])]
    failed: Annotated[int, Field(description="who cannot be derived", examples=[0])]
    errors: Annotated[list[str], Field(description="the first reasons for that")]
    stages: Annotated[list[Population], Field(description="those of both; `none`; null: not in the journey")]
    moved: Annotated[int, Field(description="who would stand elsewhere", examples=[23])]
    moves: Annotated[list[Moved], Field(description="the largest first")]


def router(service: Service, asked: Asked) -> APIRouter:
    """POST /v1/journeys/dry-run."""
    routes = APIRouter(tags=["definitions"])
    turns = asyncio.Semaphore(AT_ONCE)

    @routes.post(
        "/v1/journeys/dry-run",
        summary="Who would stand elsewhere by a definition, and why",
        openapi_extra=YAML_BODY,
        responses={**INVALID, 429: _BUSY},
    )
    async def ahead(
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        sample: Annotated[
            int,
            Query(
                ge=1,
                le=LARGEST,
                description="of so many customers, the same ones each time; `milepost journeys dry-run` takes all",
                examples=[5000],
            ),
        ] = SAMPLE,
    ) -> DryRun:
        """A sample of customers is derived by the definition and by the version in force of the journey of its name.

        Nothing is written. It takes at most half a minute, and ends when the client leaves.
        """
        definition = (await sent(request, service)).definition
        if turns.locked():
            raise Refused(429, "busy", f"{AT_ONCE} dry runs are under way: try again when they have ended")
        async with turns:
            project = asker.project.project
            async with reading(service.database) as db:
                row = {one.name: one for one in answering(await reads.journeys(db, project))}.get(definition.name)
                clock = await reads.freshness(db)
            old = None if row is None else service.compiled(row, asker.zone)
            language = preferred(asker.accept, LANGUAGES)
            new = await compiled(service, asker, definition)
            tally = Tally(new, old, time.time_ns() // 1000, language)

            async def stay(_done: int, _all: int) -> None:
                if await request.is_disconnected():
                    raise Refused(400, "gone", "whoever asked has left")

            found = await dry_run(service.database, project, tally, sample, SECONDS, stay)
        return _told(definition.name, None if row is None else row.number, clock, found)

    return routes


def _told(journey: str, against: int | None, clock: int, found: Run) -> DryRun:
    tally = found.tally
    return DryRun(
        freshness=spelt_clock(clock),
        journey=journey,
        against=against,
        at=instants.spell(tally.now),
        customers=found.customers,
        looked=tally.looked,
        whole=found.whole,
        skipped=found.skipped,
        behind=found.behind,
        failed=tally.failed,
        errors=tally.errors,
        stages=[
            Population(stage=stage, now=tally.before[stage], then=tally.after[stage])
            for stage in (*tally.stages(), None)
        ],
        moved=sum(tally.moves.values()),
        moves=[_moved(found, move, n) for move, n in tally.moves.most_common()],
    )


def _moved(found: Run, move: tuple[str | None, str | None], customers: int) -> Moved:
    examples = [
        Mover(customer=str(one.customer), id=found.names.get(one.customer, (0, None))[1], reason=one.reason)
        for one in found.tally.shown[move]
    ]
    return Moved(source=move[0], target=move[1], customers=customers, examples=examples)
