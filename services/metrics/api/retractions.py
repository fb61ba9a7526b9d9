"""What has made customers one, and taking it back."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Security
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import instants
from services.metrics.api.answers import Answer, By, Instant, spelt_clock
from services.metrics.api.customers import RESPONSES, Kind
from services.metrics.auth import CHANGES, Asked
from services.metrics.body import Bounded
from services.metrics.errors import NOT_FOUND, Refused
from services.metrics.service import Asker, Service
from services.metrics.stating import chosen, statements
from shared.statement import Said
from shared.store import amendments, reads
from shared.store.engine import reading, writing
from shared.store.rows import DONE, RETRACTS, Amendment

Number = Annotated[int, Path(ge=1, lt=1 << 31, description="the retraction's")]


class Link(BaseModel):
    """A statement of who is who."""

    message: Annotated[str, Field(description="its message id", examples=["ajs-next-1712-4f"])]
    type: Annotated[Literal["identify", "alias"], Field(examples=["identify"])]
    at: Annotated[Instant, Field(description="from when on it holds for a device")]
    user: Annotated[str, Field(examples=["u-1042"])]
    other: Annotated[str, Field(description="the device, or the other id", examples=["anon-7"])]
    joins: Annotated[bool, Field(description="both are one person; false: it is a device of theirs", examples=[False])]


class Stated(Link):
    """The same, and whether it was taken back."""

    retraction: Annotated[int | None, Field(description="the number of the retraction that took it back")]


class Statements(Answer):
    """What has made a customer one, the oldest first."""

    items: list[Stated]


class Order(BaseModel):
    """Statements to be taken back."""

    model_config = ConfigDict(extra="forbid")

    customer: Annotated[str, Field(description="any id of whose they are", examples=["u-1042"])]
    by: Annotated[By | None, Field(description="what that id is; left out: any")] = None
    messages: Annotated[list[str], Field(min_length=1, max_length=1000, examples=[["ajs-next-1712-4f"]])]
    why: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["A shared tablet"])]


class Retraction(BaseModel):
    """A retraction, undone or not."""

    number: Annotated[int, Field(examples=[4])]
    statements: list[Link]
    who: Annotated[str, Field(description="who made it: a query token's name, or a person", examples=["crm"])]
    why: Annotated[str, Field(examples=["A shared tablet"])]
    made_at: Instant
    undone_at: Annotated[Instant | None, Field(description="null: it stands")]
    done: Annotated[bool, Field(description="the stager has carried it out", examples=[True])]


class Retractions(BaseModel):
    """All of a project, the oldest first."""

    items: list[Retraction]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/customers/{id}/statements, /v1/retractions."""
    routes = APIRouter(tags=["corrections"], route_class=Bounded)

    @routes.get("/v1/customers/{id:path}/statements", summary="What has made a customer one", responses=RESPONSES)
    async def stated(id: str, asker: Annotated[Asker, Depends(asked)], by: Kind = None) -> Statements:
        """Every link of a device and every alias among the customer's touchpoints."""
        async with reading(service.database) as db:
            found = await statements(db, asker.project.project, id, by, service.secret)
            clock = await reads.freshness(db)
        items = [Stated(**_link(one.said).model_dump(), retraction=one.retraction) for one in found]
        return Statements(freshness=spelt_clock(clock), items=items)

    @routes.post("/v1/retractions", summary="Take statements back", status_code=201, responses=RESPONSES)
    async def retract(order: Order, asker: Annotated[Asker, Security(asked, scopes=CHANGES)]) -> Retraction:
        """They are as if they had not been made: what they made one customer is taken apart, within seconds."""
        project = asker.project.project
        async with writing(service.database) as db:
            among = await statements(db, project, order.customer, order.by, service.secret)
            found = amendments.Retraction(chosen(among, order.messages))
            made = await amendments.retract(db, project, found, asker.token, order.why)
        return _told(made)

    @routes.post("/v1/retractions/{number}/undo", summary="Let statements hold again", responses=NOT_FOUND)
    async def undo(number: Number, asker: Annotated[Asker, Security(asked, scopes=CHANGES)]) -> Retraction:
        """They are followed as if they were made now."""
        project = asker.project.project
        async with writing(service.database) as db:
            if not await amendments.undo(db, project, number, RETRACTS):
                message = f"no retraction {number} stands: GET /v1/retractions lists them"
                raise Refused(404, "unknown_retraction", message)
            found = {row.number: row for row in await amendments.listed(db, project, RETRACTS)}
        return _told(found[number])

    @routes.get("/v1/retractions", summary="Which statements were taken back")
    async def listed(asker: Annotated[Asker, Depends(asked)]) -> Retractions:
        """The retractions that stand, and those that were undone."""
        async with reading(service.database) as db:
            found = await amendments.listed(db, asker.project.project, RETRACTS)
        return Retractions(items=[_told(row) for row in found])

    return routes


def _link(one: Said) -> Link:
    kind: Literal["identify", "alias"] = "identify" if one.type == "identify" else "alias"
    at = instants.spell(one.at)
    return Link(message=one.id, type=kind, at=at, user=one.user, other=one.other, joins=one.joins)


def _told(row: Amendment) -> Retraction:
    return Retraction(
        number=row.number,
        statements=[_link(one) for one in amendments.retraction_of(row).statements],
        who=row.who,
        why=row.why,
        made_at=instants.spell(row.made_at),
        undone_at=None if row.undone_at is None else instants.spell(row.undone_at),
        done=row.place == DONE,
    )
