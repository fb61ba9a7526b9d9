"""Placing one customer in a stage by hand."""

from typing import Annotated

from fastapi import APIRouter, Request, Security
from pydantic import BaseModel, Field, ValidationError

from services.metrics import body, instants
from services.metrics.api.answers import Instant
from services.metrics.api.customers import RESPONSES, Kind
from services.metrics.auth import CHANGES, Asked
from services.metrics.errors import Refused, invalid
from services.metrics.lookup import find
from services.metrics.placing import LONGEST, checked, place
from services.metrics.service import Asker, Service
from shared.placement import Placement
from shared.store.engine import reading


class Placing(BaseModel):
    """Where to, and why."""

    stage: Annotated[str, Field(description="of this journey, or `none`", examples=["retention"])]
    why: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST, pattern=r"\S", examples=["Signed on paper; the form was never sent"]),
    ]


class Placed(BaseModel):
    """A placement that was taken."""

    id: Annotated[
        str, Field(description="its message id: the customer's history shows it by this", examples=["placement-…"])
    ]
    customer: Annotated[str, Field(examples=["4398046511105"])]
    journey: Annotated[str, Field(examples=["lifecycle"])]
    stage: Annotated[str, Field(examples=["retention"])]
    at: Annotated[Instant, Field(description="from when on it counts")]
    by: Annotated[str, Field(description="the name of the query token", examples=["crm"])]
    why: Annotated[str, Field(examples=["Signed on paper; the form was never sent"])]


def router(service: Service, asked: Asked) -> APIRouter:
    """POST /v1/customers/{id}/journeys/{journey}/place."""
    routes = APIRouter(tags=["customers"])

    @routes.post(
        "/v1/customers/{id:path}/journeys/{journey}/place",
        summary="Place a customer in a stage by hand",
        status_code=202,
        responses=RESPONSES,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Placing.model_json_schema(), "example": _EXAMPLE}},
            }
        },
    )
    async def placing(
        id: str,
        journey: str,
        request: Request,
        asker: Annotated[Asker, Security(asked, scopes=CHANGES)],
        by: Kind = None,
    ) -> Placed:
        """It holds until the next move that the journey's rules make, and shows in *why* with the token's name.

        The answer says that it is on the log for good. It counts as soon as it is staged, mostly within a second: ask
        for the customer's history, which then has it by its id. If the customer stands there already, nobody moves.
        """
        try:
            sent = Placing.model_validate_json(await body.read(request))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise invalid(field or "body", f"{field or 'the body'}: {first['msg']}") from None
        if service.log is None:
            raise Refused(503, "log_unavailable", "this service was started without a log: place where one is open")
        project = asker.project.project
        async with reading(service.database) as db:
            row = await service.journey(db, project, journey)
            said = Placement(row.name, checked(service.definition(row), sent.stage), asker.token, sent.why)
            number = (await find(db, project, id, by, service.secret)).row.customer
            record = await place(db, service.log, project, number, said)
        return Placed(
            id=record.id,
            customer=str(number),
            journey=said.journey,
            stage=said.stage,
            at=instants.spell(record.at),
            by=said.by,
            why=said.why,
        )

    return routes


_EXAMPLE = {"stage": "retention", "why": "Signed on paper; the form was never sent"}
