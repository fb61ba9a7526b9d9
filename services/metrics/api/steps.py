"""The steps that customers take: from the beginning, or after or before something; as Sankey diagrams are drawn."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.analytics import paths
from services.metrics.analytics.desk import Desk
from services.metrics.api.formats import CSV, send
from services.metrics.api.walking import PathsAsked, Walked, csv_lines, walk
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND, invalid
from services.metrics.service import Asker, Service


class StepsAsked(PathsAsked):
    """From where on, and how far."""

    after: Annotated[
        str | None, Field(description="a name (or stage): the steps after its first occurrence", examples=["Home"])
    ] = None
    before: Annotated[
        str | None, Field(description="the steps before its last occurrence; without either: the first steps of all")
    ] = None
    steps: Annotated[int, Field(ge=1, le=20, description="how many")] = 5
    top: Annotated[int, Field(ge=1, le=50, description="names told, the most frequent; the rest are `other`")] = 10


class Node(BaseModel):
    """A line of the step matrix: how many have this at this step."""

    step: Annotated[
        int, Field(description="counted from 1; 0 is `after` or `before`, and before it is −1, −2, …", examples=[1])
    ]
    name: Annotated[str | None, Field(description="null: the path has ended (or not begun)", examples=["Home"])]
    count: Annotated[int, Field(examples=[120])]


class StepLink(BaseModel):
    """How many go from one node to another of the next step."""

    model_config = ConfigDict(populate_by_name=True)

    step: Annotated[int, Field(description="of the first", examples=[1])]
    source: Annotated[str | None, Field(alias="from", description="null: not begun", examples=["Home"])]
    target: Annotated[str | None, Field(alias="to", description="null: ended", examples=["Product Viewed"])]
    count: Annotated[int, Field(examples=[80])]


class StepsGroup(BaseModel):
    """The steps of those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    counted: Annotated[int, Field(examples=[812])]
    nodes: list[Node]
    links: list[StepLink]


class Steps(Walked):
    """Steps, of all and by group."""

    counted: Annotated[
        int, Field(description="sequences told of: those that have `after` or `before`, if it is given", examples=[812])
    ]
    nodes: Annotated[list[Node], Field(description="the step matrix; each step adds up to `counted`")]
    links: list[StepLink]
    groups: Annotated[list[StepsGroup], Field(description="empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for GET /v1/paths/steps."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"])

        @routes.get("/v1/paths/steps", summary="Steps to and fro", response_model=Steps, responses=CSV | NOT_FOUND)
        async def steps(
            question: Annotated[StepsAsked, Query()], request: Request, asker: Annotated[Asker, Depends(asked)]
        ) -> Response:
            """Nodes and links for a Sankey diagram; the nodes alone are the step matrix. Docs/definitions.md, 27."""
            if question.after is not None and question.before is not None:
                raise invalid("before", "steps are told after something or before it: give one of the two")
            asked_for = await walk(service, asker, question)
            if question.of == "stages" and asked_for.about is not None:
                for field in ("after", "before"):
                    if (name := getattr(question, field)) is not None:
                        asked_for.about.stage(name, field)
            fields, parts = await asked_for.told(desk, "steps", lambda walks: _flow(walks, question))
            (_, _, all_), *groups = parts
            answer = Steps(
                **fields,
                **_told(all_),
                groups=[StepsGroup(value=value, **_told(flow)) for value, _, flow in groups],
            )
            of_each = [(value, count, _told(flow)["links"]) for value, count, flow in parts]
            lines = csv_lines(of_each, question.by, lambda one: one.model_dump(by_alias=True))
            return send(request, answer, lines, question.format)

        return routes

    return router


def _flow(walks: paths.Walks, question: StepsAsked) -> paths.Flow:
    pivot = question.after if question.after is not None else question.before
    if pivot is None:
        return paths.beginning(walks, question.steps, question.top)
    number = walks.number(pivot)
    return paths.around(walks, number, question.steps, question.top, after=question.after is not None)


def _told(flow: paths.Flow) -> dict[str, Any]:
    return {
        "counted": flow.count,
        "nodes": [Node(step=one.step, name=one.name, count=one.count) for one in flow.nodes],
        "links": [StepLink(step=one.step, source=one.source, target=one.target, count=one.count) for one in flow.links],
    }
