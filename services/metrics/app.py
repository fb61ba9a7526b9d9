"""The metrics service: what Prometheus scrapes, what marketers ask over HTTP, and what they see in a browser."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics import auth, body, errors
from services.metrics.analytics.desk import Desk
from services.metrics.api import (
    active,
    bands,
    breakdowns,
    carts,
    churn,
    customers,
    dead_letters,
    definitions,
    differences,
    dry_run,
    exclusions,
    fit,
    funnel_customers,
    funnels,
    history,
    journeys,
    leaving,
    movements,
    paths,
    placements,
    rejections,
    retention,
    retractions,
    schema,
    series,
    stages,
    stays,
    steps,
    transitions,
    versions,
    visits,
    why,
)
from services.metrics.collector import Collector
from services.metrics.pages.frame import ICON, Pages
from services.metrics.pages.overview import overview
from services.metrics.pages.words import Languages
from services.metrics.parameters import KnownOnly
from services.metrics.service import Service
from shared.log.port import Log
from shared.metric import CONTENT_TYPE, Families, Source, exposition
from shared.settings import Settings
from shared.store import reads
from shared.store.engine import reading
from shared.store.port import Store, StoreMismatch, StoreUnavailable
from shared.store.versions import answering
from shared.touch.told import Teller

#: Seconds that the store has to answer whether it is there.
PATIENCE = 3.0
#: Seconds for which a browser keeps a token.
SIGNED_IN = 30 * 86_400

#: Routes over a service, for whoever may ask.
Room = Callable[[Service, auth.Asked], APIRouter]

_ABOUT = """\
Where every customer stands on their journey, now and on any past date.

Every question needs a query token: `Authorization: Bearer qt_…`. Instants are ISO 8601 with an offset and inclusive;
a date is a day in the project's time zone. Every refusal is `{code, message, field?}`.
"""


def build_metrics(
    store: Store,
    database: AsyncEngine,
    log: Log | None,
    settings: Settings,
    teller: Teller,
    registries: Sequence[Source] = (),
    rooms: Sequence[Room] = (),
) -> FastAPI:
    """The app. `store` and `database` are one and the same store, opened for writing journeys and for reading.

    `registries` are what this process counts for itself; /metrics shows them beside what the store knows. `log` tells
    how far the stager is behind; without it that metric is missing. Whoever opened these closes them. `rooms` are what
    more the process can answer.
    """
    service, desk = Service(store, database, log, settings, teller), Desk.of(database, teller, settings)

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await desk.close()

    app = FastAPI(
        lifespan=living,
        dependencies=[Depends(KnownOnly())],
        title="Milepost",
        summary="Where every customer stands on their journey.",
        description=_ABOUT,
        version=version("milepost"),
        docs_url=None,  # the viewers that FastAPI brings load their code from elsewhere
        redoc_url=None,
        responses=errors.RESPONSES,
    )
    app.state.desk = desk
    errors.install(app)
    asked = auth.asked(service)
    # The longer paths first: an id may contain slashes.
    for room in (
        *(schema, journeys, versions, definitions, differences, dry_run, fit, leaving, series, stages, transitions),
        *(history, why, placements, retractions, customers, exclusions, rejections, dead_letters),
    ):
        app.include_router(room.router(service, asked))
    questions = (
        *(active, bands, breakdowns, carts, churn, funnel_customers, funnels, movements),
        *(paths, retention, stays, steps, visits),
    )
    for more in (*(room.room(desk) for room in questions), *rooms):
        app.include_router(more(service, asked))
    app.include_router(_health(service))
    app.include_router(_scrape(service, registries))
    app.include_router(_pages(service))
    return app


def _health(service: Service) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/livez", summary="Whether the process runs")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz", summary="Whether questions can be expected to be answered now")
    async def ready() -> dict[str, str]:
        try:
            async with asyncio.timeout(PATIENCE):
                await service.store.check()
        except StoreMismatch:
            reason = "the store's schema is not this version's: run `milepost setup`"
        except (StoreUnavailable, TimeoutError):
            reason = "the store cannot be reached"
        else:
            return {"status": "ok"}
        raise errors.Refused(503, "not_ready", reason)

    return routes


def _scrape(service: Service, registries: Sequence[Source]) -> APIRouter:
    routes = APIRouter(tags=["health"])
    collector = Collector(service, lambda: time.time_ns() // 1000)

    @routes.get(
        "/metrics",
        summary="Metrics in Prometheus's text format",
        response_class=PlainTextResponse,
    )
    async def metrics() -> Response:
        page = exposition(*registries, Families(await collector.families()))
        return Response(page, media_type=CONTENT_TYPE)

    return routes


def _pages(service: Service) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    pages, languages = Pages(), Languages()

    @routes.get("/")
    async def look(request: Request) -> Response:
        accept = request.headers.get("accept-language")
        words = languages.words(accept)
        token = request.cookies.get(auth.COOKIE)
        project = await auth.project_of(service, token) if token else None
        if project is None:
            return pages.sign_in(words, wrong=bool(token))
        async with reading(service.database) as db:
            rows = answering(await reads.journeys(db, project.project))
            counted = [await stages.count(service, db, row, accept) for row in rows]
            clock, behind = await reads.freshness(db), await reads.behind(db, project.project)
        return overview(pages, words, project, counted, clock, behind)

    @routes.get("/favicon.ico")
    async def icon() -> Response:
        return Response(ICON, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})

    @routes.post("/")
    async def sign(request: Request) -> Response:
        """Keeps the token given in a cookie; an empty one signs out."""
        form = parse_qs((await body.read(request)).decode("latin-1"))
        token = form.get("token", [""])[0].strip()
        if token and await auth.project_of(service, token) is None:
            return pages.sign_in(languages.words(request.headers.get("accept-language")), wrong=True)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https" or service.settings.public_url.startswith("https")
        answer.set_cookie(auth.COOKIE, token, SIGNED_IN if token else 0, secure=secure, httponly=True, samesite="lax")
        return answer

    return routes
