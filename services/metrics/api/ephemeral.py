"""What a site's own tests ask of a server that is thrown away (`milepost up --ephemeral`), and of no other."""

from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query, Response, Security
from pydantic import BaseModel, Field

from services.metrics.api import rejections as refused
from services.metrics.api.touchpoint import Touchpoint, understood
from services.metrics.api.transitions import Transition
from services.metrics.api.transitions import told as moved
from services.metrics.auth import CHANGES, Asked
from services.metrics.service import Asker, Service
from shared.store import ephemeral, people, reads
from shared.store import rejections as store
from shared.store.engine import reading
from shared.store.versions import answering
from shared.touch.told import Teller

#: Items that an answer has at most.
MANY = 100_000


class Trial(Protocol):
    """The server itself."""

    async def settled(self, seconds: float) -> bool:
        """Waits until everything that was accepted or refused before can be seen; False if that takes longer."""
        ...

    async def reset(self) -> None:
        """Forgets every event and what came of it, and keeps journeys, keys and tokens."""
        ...


class Answer(BaseModel):
    """Everything there is, the oldest first."""

    settled: Annotated[
        bool, Field(description="whether everything received before the question is in the answer", examples=[True])
    ]


class Touchpoints(Answer):
    """All touchpoints, in order of `at`."""

    items: list[Touchpoint]


class Refusals(Answer):
    """All refused events and requests, in order of `number`."""

    items: list[refused.Refusal]


class Move(Transition):
    """A move that stands, and the journey that it was made in."""

    journey: Annotated[str, Field(examples=["lifecycle"])]


class Moves(Answer):
    """All moves that stand, in order of `at`, in the version of every journey that answers."""

    items: list[Move]


Wait = Annotated[
    float, Query(ge=0, le=300, description="seconds to wait at most until everything received before is counted")
]


def room(trial: Trial, teller: Teller) -> Callable[[Service, Asked], APIRouter]:
    """The routes under /v1/_test/, for `services.metrics.app.build_metrics`."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["tests of your own"], prefix="/v1/_test")
        changes = Security(asked, scopes=CHANGES)

        @routes.get("/touchpoints", summary="Every touchpoint")
        async def touchpoints(asker: Annotated[Asker, Depends(asked)], wait: Wait = 10) -> Touchpoints:
            """What your site sent, as it was understood: send, then ask once and compare."""
            settled = await trial.settled(wait)
            async with reading(service.database) as db:
                found = await ephemeral.touchpoints(db, asker.project.project)
            return Touchpoints(settled=settled, items=[understood(record, teller) for _, record in found])

        @routes.get("/rejections", summary="Every refused event")
        async def rejections(asker: Annotated[Asker, Depends(asked)], wait: Wait = 10) -> Refusals:
            """A test of a site usually wants none."""
            settled = await trial.settled(wait)
            async with reading(service.database) as db:
                found = await store.find(db, asker.project.project, limit=MANY)
            return Refusals(settled=settled, items=[refused.told(one) for one in reversed(found)])

        @routes.get("/transitions", summary="Every move between stages")
        async def transitions(asker: Annotated[Asker, Depends(asked)], wait: Wait = 10) -> Moves:
            """Where your customers went. Moves by time alone are made when they are due."""
            settled, project = await trial.settled(wait), asker.project.project
            moves = list[tuple[int, Move]]()
            async with reading(service.database) as db:
                for row in answering(await reads.journeys(db, project)):
                    found, _ = await reads.transitions(db, project, row.version, limit=MANY)
                    names = await people.names(db, project, [one.customer for one in found])
                    for one in reversed(found):
                        move = moved(service.definition(row), one, names.get(one.customer))
                        moves.append((one.at, Move(**move.model_dump(), journey=row.name)))
            return Moves(settled=settled, items=[move for _, move in sorted(moves, key=lambda one: one[0])])

        @routes.post("/reset", summary="Forget every event", status_code=204, dependencies=[changes])
        async def reset() -> Response:
            """Events, customers and rejections are gone when it answers; journeys, keys and tokens stay."""
            await trial.reset()
            return Response(status_code=204)

        return routes

    return router
