"""Who is about to leave a journey, soonest first, and what has changed in what they do."""

import asyncio
import time
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import cursor as cursors
from services.metrics import instants
from services.metrics.analytics import churn
from services.metrics.api.answers import Answer, By, Instant, StageName, Version, spelt_clock
from services.metrics.api.formats import CSV, Format, send
from services.metrics.api.questions import Scope, lasting, scope
from services.metrics.auth import Asked
from services.metrics.dry_run import LONGEST, batches
from services.metrics.errors import NOT_FOUND, invalid
from services.metrics.language import preferred, titled
from services.metrics.leaving import Leaving, leaving
from services.metrics.service import Asker, Service, stage_name
from shared.exclusion import Exclusions
from shared.journeys.explain import why
from shared.journeys.telling import LANGUAGES, Speaker, language
from shared.journeys.touchpoint import Touchpoint
from shared.store import amendments, people, reads, walking
from shared.store.engine import reading
from shared.store.rows import USER
from shared.store.walking import History

#: Customers looked at for one page: of most a timer leads elsewhere.
LOOKED_AT = 1_000


class About(BaseModel):
    """A customer who is about to leave."""

    customer: Annotated[str, Field(description="the customer's number in Milepost", examples=["4398046511105"])]
    by: Annotated[By, Field(description="what `id` is", examples=["user"])]
    id: Annotated[str, Field(description="an identifier to ask for the customer by", examples=["u-1042"])]
    stage: Annotated[StageName, Field(description="where they stand")]
    since: Annotated[Instant, Field(description="when they came there")]
    due: Annotated[Instant, Field(description="when time alone leads on, if nothing else happens")]
    to: Annotated[str, Field(description="where it leads", examples=["churned"])]
    means: Annotated[str, Field(description="at-risk, churned or lapsed", examples=["churned"])]
    sentence: Annotated[
        str,
        Field(
            description="why, in the language that Accept-Language asks for",
            examples=["On Friday, 27 November 2026, 14:05 time alone leads to “Churned”: …"],
        ),
    ]
    acts_lately: Annotated[int, Field(description="their own acts in the last 30 days", examples=[1])]
    acts_before: Annotated[int, Field(description="… and in the 30 days before", examples=[9])]
    last_act: Annotated[str | None, Field(description="the name of the last one", examples=["Pricing Viewed"])]
    last_at: Annotated[Instant | None, Field(description="when it was")]


class AboutToLeave(Answer):
    """Customers whose next move by time alone leads to a stage that they are lost to."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    until: Annotated[Instant, Field(description="moves due by then")]
    items: Annotated[
        list[About], Field(description="the soonest first; a page may be short, or empty, before the last")
    ]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]


class _Found(NamedTuple):
    """What is told of a customer."""

    customer: int
    leaving: Leaving
    sentence: str


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/leaving."""
    routes = APIRouter(tags=["questions"])

    @routes.get(
        "/v1/journeys/{journey}/leaving",
        summary="Who is about to leave",
        response_model=AboutToLeave,
        responses=CSV | NOT_FOUND,
    )
    async def about_to_leave(
        journey: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        within: Annotated[str, Query(description="how soon", examples=["7d"])] = "7d",
        limit: Annotated[int, Query(ge=1, le=1000, description="customers of a page")] = 100,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Each customer with a timer due is derived anew, so a page takes a moment; see docs/definitions.md, 32."""
        about = await scope(service, asker, journey, number)
        if not churn.leaving(about.definition):
            message = f"no stage of this journey means {', '.join(churn.LEAVING)}: say so of one in its definition"
            raise invalid("journey", message)
        now = time.time_ns() // 1000
        search = _Search(service, asker, about, now, now + lasting(within, "within"))
        found, following = await search.page((-(1 << 62), 0) if cursor is None else _place(cursor), limit)
        async with reading(service.database) as db:
            names = await people.names(db, asker.project.project, [one.customer for one in found])
            clock = await reads.freshness(db)
        answer = AboutToLeave(
            freshness=spelt_clock(clock),
            journey=about.row.name,
            version=about.row.number,
            until=instants.spell(search.until),
            items=[_about(about, one, names.get(one.customer)) for one in found],
            next=None if following is None else cursors.write(following),
        )
        return send(request, answer, [one.model_dump() for one in answer.items], form)

    return routes


class _Search:
    """Customers whose timers are due by `until`, looked at one after another."""

    def __init__(self, service: Service, asker: Asker, about: Scope, now: int, until: int) -> None:
        self._service, self._project, self.now, self.until = service, asker.project.project, now, until
        self._journey = service.compiled(about.row, asker.zone)
        self._stages = churn.leaving(about.definition)
        titles = {stage.name: titled(stage.title, asker.accept) for stage in about.definition.stages}
        self._speaker = Speaker(language(preferred(asker.accept, LANGUAGES)), titles, asker.zone)

    async def page(self, after: tuple[int, int], limit: int) -> tuple[list[_Found], tuple[int, int] | None]:
        """Those found among the next timers, and the place from which the next page goes on, if there is more."""
        async with reading(self._service.database) as db:
            timers = await walking.waiting(db, self._project, self.until, after, LOOKED_AT)
            members = await walking.those(db, self._project, [customer for _, customer in timers])
        found, place = list[_Found](), {customer: (due, customer) for due, customer in timers}
        for batch in batches([one for one in members if one.touchpoints <= LONGEST]):
            async with reading(self._service.database) as db:
                histories = await walking.histories(db, self._project, [one.customer for one in batch])
                hidden = await amendments.exclusions(db, self._project)
            found += await asyncio.to_thread(self._look, histories, hidden)
            if len(found) >= limit:
                break
        following = timers[-1] if len(timers) == LOOKED_AT else None
        if len(found) >= limit:
            found = sorted(found, key=lambda one: place[one.customer])[:limit]
            following = place[found[-1].customer]
        return sorted(found, key=lambda one: one.leaving.due), following

    def _look(self, histories: dict[int, History], hidden: Exclusions) -> list[_Found]:
        found = []
        for customer, told in histories.items():
            touchpoints = [Touchpoint.of(record, recorded) for recorded, record in told if not hidden.hidden(record)]
            one = leaving(self._journey, touchpoints, self.now, self.until, self._stages)
            if one is not None and (ahead := why(self._journey, touchpoints, self.now).next) is not None:
                found.append(_Found(customer, one, self._speaker.sentence(ahead.reason)))
        return found


def _place(cursor: str) -> tuple[int, int]:
    try:
        return cursors.read(cursor, tuple[cursors.Number, cursors.Number])
    except ValueError as error:
        raise invalid("cursor", str(error)) from None


def _about(about: Scope, one: _Found, name: tuple[int, str] | None) -> About:
    by: By = "customer" if name is None else "user" if name[0] == USER else "anonymous"
    found = one.leaving
    target = about.definition.stages[found.target]
    return About(
        customer=str(one.customer),
        by=by,
        id=str(one.customer) if name is None else name[1],
        stage=stage_name(about.definition, found.stage),
        since=instants.spell(found.since),
        due=instants.spell(found.due),
        to=target.name,
        means=target.means or "",
        sentence=one.sentence,
        acts_lately=found.lately,
        acts_before=found.before,
        last_act=found.last and found.last.name,
        last_at=None if found.last is None else instants.spell(found.last.at),
    )
