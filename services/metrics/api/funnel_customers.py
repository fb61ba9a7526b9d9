"""The customers behind a funnel's numbers."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.movements import People
from services.metrics.api.behind import Behind, Cursor, Limit, Pager
from services.metrics.api.formats import CSV, Format
from services.metrics.api.funnels import FunnelAsked, planned
from services.metrics.auth import Asked
from services.metrics.body import Bounded
from services.metrics.errors import NOT_FOUND, invalid
from services.metrics.service import Asker, Service


class Whose(FunnelAsked):
    """A funnel, and which of its numbers."""

    step: Annotated[int, Field(ge=1, description="counted from 1", examples=[2])]
    lost: Annotated[bool, Field(description="those who went no further than this step", examples=[True])] = False
    group: Annotated[str | None, Field(description="only those with this value of `by`", examples=[None])] = None


def room(desk: Desk) -> Callable[[Service, Asked], APIRouter]:
    """The metrics service's room for POST /v1/funnels/customers."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"], route_class=Bounded)

        @routes.post(
            "/v1/funnels/customers",
            summary="The customers behind a step of a funnel",
            response_model=Behind,
            responses=CSV | NOT_FOUND,
        )
        async def behind(
            question: Whose,
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
            cursor: Cursor = None,
            limit: Limit = 100,
            form: Format = None,
        ) -> Response:
            """The body is the funnel's, with `step` and maybe `lost` and `group`; `since` is when they came there."""
            pager = Pager(request, cursor, limit, form)
            plan = await planned(service, asker, question)
            if question.step > len(question.steps):
                raise invalid("step", f"there are {len(question.steps)} steps: name one of them, counted from 1")
            if question.group is not None and question.by is None:
                raise invalid("group", "a group is a value of by: name the dimension, too")

            def answer(snapshot: Snapshot, turn: Turn) -> People:
                return plan.behind(snapshot, turn, question.step - 1, question.group, question.lost)

            row = plan.about and plan.about.row
            return await pager.page(service, desk, asker, row, plan.understood.text("funnel"), answer)

        return routes

    return router
