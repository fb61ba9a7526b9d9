"""Touchpoints that are to count for nothing: of staff, of tests, of a bot."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Security
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, between, spelt_clock
from services.metrics.api.history import Seen, seen
from services.metrics.auth import CHANGES, Asked
from services.metrics.body import Bounded
from services.metrics.errors import NOT_FOUND, Refused, invalid
from services.metrics.service import Asker, Service
from shared.exclusion import Filter, Scalar
from shared.store import amendments, reads
from shared.store.engine import reading, writing
from shared.store.preview import preview
from shared.store.rows import DONE, Amendment

#: Seconds that a preview may take; `milepost exclude preview` takes as long as it needs.
PATIENCE = 20.0

Number = Annotated[int, Path(ge=1, lt=1 << 31, description="the exclusion's")]
Texts = Annotated[list[str], Field(default_factory=list)]


class Meant(BaseModel):
    """Which touchpoints are meant: everything given must hold, and of a list any member will do."""

    model_config = ConfigDict(extra="forbid")

    ips: Annotated[Texts, Field(description="addresses or ranges", examples=[["203.0.113.0/24"]])]
    email_domains: Annotated[
        Texts, Field(description="of the trait email that it carries", examples=[["example.com", "*.example.com"]])
    ]
    agents: Annotated[Texts, Field(description="texts contained in the user agent", examples=[["HeadlessChrome"]])]
    hosts: Annotated[Texts, Field(description="of the page", examples=[["staging.example.com"]])]
    keys: Annotated[Texts, Field(description="write keys' names", examples=[["staging"]])]
    properties: Annotated[
        dict[str, Scalar], Field(default_factory=dict, description="values by path", examples=[{"plan": "internal"}])
    ]
    ids: Annotated[Texts, Field(description="user ids or anonymous ids", examples=[["u-1042"]])]
    devices: Annotated[Texts, Field(description="anonymous ids, signed in or not", examples=[["anon-7"]])]
    messages: Annotated[Texts, Field(description="message ids", examples=[["ajs-next-1712-4f"]])]
    since: Annotated[str | None, Field(description="from this instant on; a date: its beginning")] = None
    until: Annotated[str | None, Field(description="up to this instant, inclusive; a date: its end")] = None


class Order(BaseModel):
    """An exclusion to be made."""

    model_config = ConfigDict(extra="forbid")

    filter: Meant
    why: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["Our office"])]


class Exclusion(BaseModel):
    """An exclusion, undone or not."""

    number: Annotated[int, Field(examples=[3])]
    filter: Meant
    who: Annotated[str, Field(description="who made it: a query token's name, or a person", examples=["crm"])]
    why: Annotated[str, Field(examples=["Our office"])]
    made_at: Instant
    undone_at: Annotated[Instant | None, Field(description="null: it stands")]
    done: Annotated[bool, Field(description="every customer that it concerns has been found", examples=[True])]


class Exclusions(BaseModel):
    """All of a project, the oldest first."""

    items: list[Exclusion]


class Preview(Answer):
    """What an exclusion would hide that is not hidden yet."""

    touchpoints: Annotated[int, Field(examples=[1042])]
    customers: Annotated[int, Field(examples=[7])]
    shown: Annotated[list[Seen], Field(description="some of them")]
    whole: Annotated[
        bool, Field(description="false: there was no time to look at all; it is that many at least", examples=[True])
    ]


def router(service: Service, asked: Asked) -> APIRouter:
    """/v1/exclusions."""
    routes = APIRouter(tags=["corrections"], route_class=Bounded)

    @routes.post("/v1/exclusions/preview", summary="What an exclusion would hide")
    async def look(meant: Meant, asker: Annotated[Asker, Depends(asked)]) -> Preview:
        """Every touchpoint of the project is looked at. Nothing is written."""
        filter = _filter(asker, meant)
        async with reading(service.database) as db:
            try:
                found = await preview(db, asker.project.project, filter, seconds=PATIENCE)
            except ValueError as error:
                raise _cannot(error) from None
            clock = await reads.freshness(db)
        return Preview(
            freshness=spelt_clock(clock),
            touchpoints=found.touchpoints,
            customers=found.customers,
            shown=[seen(record, recorded) for recorded, record in found.shown],
            whole=found.whole,
        )

    @routes.post("/v1/exclusions", summary="Hide touchpoints, past and future", status_code=201)
    async def make(order: Order, asker: Annotated[Asker, Security(asked, scopes=CHANGES)]) -> Exclusion:
        """What the filter meets counts for nothing from now on, until it is undone; as known before, it counted."""
        filter = _filter(asker, order.filter)
        async with writing(service.database) as db:
            try:
                made = await amendments.exclude(db, asker.project.project, filter, asker.token, order.why)
            except ValueError as error:
                raise _cannot(error) from None
        return _told(made)

    @routes.post("/v1/exclusions/{number}/undo", summary="Bring back what an exclusion hides", responses=NOT_FOUND)
    async def undo(number: Number, asker: Annotated[Asker, Security(asked, scopes=CHANGES)]) -> Exclusion:
        """It counts again from now on, as if it had always done so."""
        project = asker.project.project
        async with writing(service.database) as db:
            if not await amendments.undo(db, project, number, *amendments.EXCLUDING):
                raise Refused(404, "unknown_exclusion", f"no exclusion {number} stands: GET /v1/exclusions lists them")
            found = {row.number: row for row in await amendments.listed(db, project, *amendments.EXCLUDING)}
        return _told(found[number])

    @routes.get("/v1/exclusions", summary="What is excluded")
    async def listed(asker: Annotated[Asker, Depends(asked)]) -> Exclusions:
        """The exclusions that stand, and those that were undone."""
        async with reading(service.database) as db:
            found = await amendments.listed(db, asker.project.project, *amendments.EXCLUDING)
        return Exclusions(items=[_told(row) for row in found])

    return routes


def _filter(asker: Asker, meant: Meant) -> Filter:
    given: dict[str, Any] = meant.model_dump()
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    since, until = between(asker, meant.since, meant.until)
    return Filter(**{**given, **lists, "since": since, "until": until})


def _cannot(error: ValueError) -> Refused:
    field = str(error).partition(":")[0]
    return invalid(field if field in Meant.model_fields else "filter", str(error))


def _told(row: Amendment) -> Exclusion:
    filter = amendments.filter_of(row)
    fields = {name: getattr(filter, name) for name in Meant.model_fields}
    lists = {name: list(value) for name, value in fields.items() if isinstance(value, tuple)}
    spelt = {name: instants.spell(fields[name]) for name in ("since", "until") if fields[name] is not None}
    return Exclusion(
        number=row.number,
        filter=Meant(**{**fields, **lists, **spelt}),
        who=row.who,
        why=row.why,
        made_at=instants.spell(row.made_at),
        undone_at=None if row.undone_at is None else instants.spell(row.undone_at),
        done=row.place == DONE,
    )
