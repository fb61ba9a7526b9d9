"""The customers behind a number: paged, by the ids that they are known by, as JSON or as lines."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import cursor as cursors
from services.metrics import instants
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.movements import People
from services.metrics.api.answers import By, Instant
from services.metrics.api.formats import Counted, counted, send
from services.metrics.errors import invalid
from services.metrics.service import Asker, Service
from shared.store import people
from shared.store.engine import reading
from shared.store.rows import USER, JourneyRow

Cursor = Annotated[str | None, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="customers of a page")]


class Listed(BaseModel):
    """A customer."""

    customer: Annotated[str, Field(description="its number in Milepost", examples=["4398046511105"])]
    by: Annotated[By, Field(description="what `id` is", examples=["user"])]
    id: Annotated[str, Field(description="an identifier to ask for the customer by", examples=["u-1042"])]
    since: Annotated[Instant, Field(description="when they came there; of movements, when the last one was")]
    times: Annotated[int, Field(description="how often they moved so; 1 for where they stand", examples=[1])]


class Behind(Counted):
    """The customers behind a number, in order of `customer`, a page of them."""

    journey: Annotated[str | None, Field(examples=["lifecycle"])]
    version: Annotated[int | None, Field(description="the definition's, counted from 1", examples=[1])]
    total: Annotated[int, Field(description="all of them", examples=[212])]
    items: list[Listed]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]


class Pager:
    """Where a page begins and ends, and how it is sent. Raises Refused, naming the field."""

    def __init__(self, request: Request, cursor: str | None, limit: int, form: Literal["json", "csv"] | None) -> None:
        self._request, self._limit, self._form = request, limit, form
        try:
            self._after = -1 if cursor is None else cursors.read(cursor, cursors.Number)
        except ValueError as error:
            raise invalid("cursor", str(error)) from None

    async def page(
        self,
        service: Service,
        desk: Desk,
        asker: Asker,
        row: JourneyRow | None,
        question: str,
        answer: Callable[[Snapshot, Turn], People],
    ) -> Response:
        """Asks the copy and answers; pages go on by customer, from the newest copy, whoever came or went meanwhile."""
        project = asker.project.project
        snapshot, found = await desk.ask(project, f"behind {row and row.version} {question}", answer)
        numbers = snapshot.touchpoints.customers[found.owner]
        begin = int(np.searchsorted(numbers, self._after, side="right"))
        shown = slice(begin, begin + self._limit)
        customers = numbers[shown].tolist()
        async with reading(service.database) as db:
            names = await people.names(db, project, customers)
        items = [
            _listed(customer, names.get(customer), at, times)
            for customer, at, times in zip(
                customers, found.at[shown].tolist(), found.times[shown].tolist(), strict=True
            )
        ]
        more = begin + self._limit < len(numbers)
        made = Behind(
            **counted(asker, snapshot),
            journey=row and row.name,
            version=row and row.number,
            total=len(numbers),
            items=items,
            next=cursors.write(customers[-1]) if more else None,
        )
        lines: list[dict[str, Any]] = [item.model_dump() for item in items]
        return send(self._request, made, lines, self._form, following=made.next)


def _listed(customer: int, name: tuple[int, str] | None, at: int, times: int) -> Listed:
    by: By = "customer" if name is None else "user" if name[0] == USER else "anonymous"
    id = str(customer) if name is None else name[1]
    return Listed(customer=str(customer), by=by, id=id, since=instants.spell(at), times=times)
