"""Carts: how many are bought, how many abandoned, and after what."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from services.metrics.analytics import carts
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.selecting import matcher, selected
from services.metrics.api.formats import CSV, Format, Share, send
from services.metrics.api.questions import Answered, Asking, Understood, lasting, seconds
from services.metrics.auth import Asked
from services.metrics.body import Bounded
from services.metrics.service import Asker, Service
from shared.events import SECOND

_CART, _PURCHASE = {"role": "cart"}, {"role": "purchase"}


class CartsAsked(Asking):
    """What is a cart, what a purchase, and how long one is waited for. `since` and `until` are of the cart's start."""

    cart: Annotated[
        dict[str, Any] | None, Field(description="a matcher; left out: the role `cart`", examples=[_CART])
    ] = None
    purchase: Annotated[
        dict[str, Any] | None, Field(description="a matcher; left out: the role `purchase`", examples=[_PURCHASE])
    ] = None
    window: Annotated[str, Field(description="after the cart's last touchpoint, inclusive", examples=["7d"])] = "7d"


class CartLine(BaseModel):
    """Some carts."""

    value: Annotated[str | None, Field(description="of `by`; null: all", examples=["paid search"])] = None
    carts: Annotated[int, Field(examples=[640])]
    customers: Annotated[int, Field(description="whose they are", examples=[512])]
    bought: Annotated[int, Field(examples=[180])]
    open: Annotated[int, Field(description="not bought, and their window has not ended", examples=[40])]
    abandoned: Annotated[Share, Field(description="of those that are not open")]
    median_seconds: Annotated[float | None, Field(description="from the cart to the purchase", examples=[1260.0])]
    lost_after: Annotated[
        list[tuple[str, int]],
        Field(description="the last touchpoints within the window of those abandoned", examples=[[("Shipping", 31)]]),
    ]


class Carts(Answered):
    """Carts, of all and by group."""

    all: CartLine
    groups: Annotated[list[CartLine], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for POST /v1/carts."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"], route_class=Bounded)

        @routes.post("/v1/carts", summary="Carts that are left", response_model=Carts, responses=CSV)
        async def left(
            question: CartsAsked, request: Request, asker: Annotated[Asker, Depends(asked)], form: Format = None
        ) -> Response:
            """Cart touchpoints of one visit are one cart; docs/definitions.md, 19, has every case."""
            plan = Plan(service, asker, question)
            snapshot, parts = await desk.ask(asker.project.project, plan.text, plan.answer)
            all_, *groups = [_line(value, told) for value, told in parts]
            answer = Carts(**plan.understood.answered(asker, snapshot), all=all_, groups=groups)
            lines = [
                {**({question.by: line.value} if question.by else {}), **_flat(line)}
                for line in (groups if question.by else [all_])
            ]
            return send(request, answer, lines, form)

        return routes

    return router


class Plan:
    """What was asked, understood before it is computed. Raises Refused, naming the field."""

    def __init__(self, service: Service, asker: Asker, question: CartsAsked) -> None:
        self.understood = Understood(asker, question, None)
        self._window, self._gap = lasting(question.window, "window"), round(service.settings.visit_gap * SECOND)
        self._cart = matcher(_CART if question.cart is None else question.cart, "cart")
        self._purchase = matcher(_PURCHASE if question.purchase is None else question.purchase, "purchase")
        self.text = self.understood.text(f"carts {self._gap}")

    def answer(self, snapshot: Snapshot, turn: Turn) -> list[tuple[str | None, carts.Told]]:
        """All, then each group."""
        columns, understood = snapshot.touchpoints, self.understood
        cart, purchase = selected(columns, self._cart), selected(columns, self._purchase)
        turn.check()
        acts = understood.acts(columns, None)
        found = carts.carts(columns, acts, cart, purchase, self._gap, self._window, snapshot.freshness)
        found = found.of(understood.within(found.began))
        turn.check()
        of = understood.groups(columns, found.owner, found.began)
        parts: list[tuple[str | None, carts.Told]] = [(None, carts.told(columns, found, self._window))]
        for number, name in enumerate(of.names):
            turn.check()
            parts.append((name, carts.told(columns, found.of(np.equal(of.group, number)), self._window)))
        return parts


def _line(value: str | None, told: carts.Told) -> CartLine:
    return CartLine(
        value=value,
        carts=told.carts,
        customers=told.customers,
        bought=told.bought,
        open=told.open,
        abandoned=Share(**told.abandoned._asdict()),
        median_seconds=seconds(told.median),
        lost_after=told.after,
    )


def _flat(line: CartLine) -> dict[str, Any]:
    told = line.model_dump(exclude={"value", "abandoned", "lost_after"})
    return {**told, "abandoned": line.abandoned.part, "share_abandoned": line.abandoned.share}
