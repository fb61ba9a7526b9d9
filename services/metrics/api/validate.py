"""What would become of events: how each is read, whose it is, which stages would change. Nothing is stored."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import body
from services.metrics.api.answers import Answer, StageName, spelt_clock
from services.metrics.api.touchpoint import Touchpoint, understood
from services.metrics.auth import Asked
from services.metrics.service import Asker, Service, stage_name
from shared.events import Record
from shared.store import reads
from shared.store.engine import reading
from shared.store.versions import answering
from shared.touch.told import Teller


class Reason(BaseModel):
    """Why something is not taken, or not followed."""

    code: Annotated[str, Field(examples=["missing_id"])]
    field: Annotated[str | None, Field(description="where in the event", examples=["userId"])] = None
    message: Annotated[str, Field(examples=["The event says of nobody: send userId, anonymousId, or both."])]


class Change(BaseModel):
    """A customer who would stand elsewhere."""

    model_config = ConfigDict(populate_by_name=True)

    customer: Annotated[str | None, Field(description="its number; null: a new customer", examples=["4398046511105"])]
    journey: Annotated[str, Field(examples=["lifecycle"])]
    source: Annotated[StageName, Field(alias="from")]
    target: Annotated[StageName, Field(alias="to")]


class Verdict(BaseModel):
    """What would become of one event, those before it in the request included."""

    index: Annotated[int, Field(description="its place in the request, from 0", examples=[0])]
    refused: Annotated[Reason | None, Field(description="why it would not be taken; null: it would be")]
    touchpoint: Annotated[Touchpoint | None, Field(description="how it is understood; null if it is refused")]
    customer: Annotated[
        str | None, Field(description="the number of whose it is; null: a new customer's", examples=["4398046511105"])
    ]
    duplicate: Annotated[
        bool, Field(description="its message id is known of this customer: it changes nothing", examples=[False])
    ]
    behind: Annotated[
        bool,
        Field(
            description="the customer would be derived anew from its whole history, which is not done here",
            examples=[False],
        ),
    ]
    changes: Annotated[list[Change], Field(description="stages that would change, by the versions that answer")]
    unfollowed: Annotated[list[Reason], Field(description="what it says of identifiers and would not be followed")]


class Validated(Answer):
    """What would become of each event of a body."""

    path: Annotated[str, Field(description="it was read as if it were sent there", examples=["/v1/batch"])]
    key: Annotated[
        str | None,
        Field(
            description="the name of the write key in it; null: none, so it was judged as a server's", examples=["shop"]
        ),
    ]
    events: list[Verdict]


class Moved(NamedTuple):
    """A customer (None: a new one) who would stand elsewhere in a version of a journey."""

    customer: int | None
    version: int
    source: int
    target: int


class Outcome(NamedTuple):
    """What would become of one event: it is refused (code, field, message), or has these effects."""

    refused: tuple[str, str, str] | None = None
    record: Record | None = None
    customer: int | None = None
    duplicate: bool = False
    behind: bool = False
    moved: Sequence[Moved] = ()
    unfollowed: Sequence[tuple[str, str]] = ()


class Outcomes(NamedTuple):
    """The path that a body was read as sent to, the name of the key in it (None: none), and what becomes of it."""

    path: str
    key: str | None
    events: Sequence[Outcome]


#: Given the project's number, the body and the path (None: as the body looks). May raise Refused.
Validate = Callable[[int, bytes, str | None], Awaitable[Outcomes]]

_ONE = {"type": "track", "userId": "u-1042", "event": "Order Completed", "properties": {"revenue": 49.9}}


def room(validate: Validate, teller: Teller) -> Callable[[Service, Asked], APIRouter]:
    """POST /v1/validate, for `services.metrics.app.build_metrics`."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["events"])

        @routes.post(
            "/v1/validate",
            summary="What would become of events, without sending them",
            openapi_extra={
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"type": ["object", "array"]},
                            "examples": {"one": {"value": _ONE}, "batch": {"value": {"batch": [_ONE]}}},
                        }
                    },
                }
            },
        )
        async def validated(
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
            path: Annotated[
                str | None,
                Query(
                    description="read the body as if it were sent there, to any SDK's path; left out: /v1/batch, or "
                    "that of the event's `type`",
                    examples=["/v1/track"],
                ),
            ] = None,
        ) -> Validated:
            """The body is what a site would send: a batch, or one event with its `type`; nothing of it is stored.

            It asks for a query token, not a write key: the answer tells of customers, and browsers show their key to
            everybody. If the body names a write key, it is judged as that key's.
            """
            project = asker.project.project
            outcomes = await validate(project, await body.read(request), path)
            async with reading(service.database) as db:
                versions = {row.version: row for row in answering(await reads.journeys(db, project))}
                clock = await reads.freshness(db)

            def change(moved: Moved) -> Change:
                row = versions[moved.version]
                definition = service.definition(row)
                return Change(
                    customer=None if moved.customer is None else str(moved.customer),
                    journey=row.name,
                    source=stage_name(definition, moved.source),
                    target=stage_name(definition, moved.target),
                )

            return Validated(
                freshness=spelt_clock(clock),
                path=outcomes.path,
                key=outcomes.key,
                events=[
                    Verdict(
                        index=index,
                        refused=None if one.refused is None else _reason(*one.refused),
                        touchpoint=None if one.record is None else understood(one.record, teller),
                        customer=None if one.customer is None else str(one.customer),
                        duplicate=one.duplicate,
                        behind=one.behind,
                        changes=[change(moved) for moved in one.moved if moved.version in versions],
                        unfollowed=[Reason(code=code, message=message) for code, message in one.unfollowed],
                    )
                    for index, one in enumerate(outcomes.events)
                ],
            )

        return routes

    return router


def _reason(code: str, field: str, message: str) -> Reason:
    return Reason(code=code, field=field or None, message=message)
