"""Funnels: how many go how far along steps that are stages or touchpoints."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.analytics import funnels
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.columns import Columns, Mask
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.kernels.funnel import Reached
from services.metrics.analytics.movements import People
from services.metrics.analytics.selecting import matcher, selected
from services.metrics.api.formats import CSV, Format, Share, send
from services.metrics.api.questions import Answered, Asking, InJourney, Scope, Understood, lasting, scope_of, seconds
from services.metrics.auth import Asked
from services.metrics.body import Bounded
from services.metrics.errors import NOT_FOUND, invalid
from services.metrics.service import Asker, Service
from shared.journeys.matcher import Matcher

_MATCHER = {"role": "purchase"}


class Step(BaseModel):
    """A step: the entry into a stage, or a touchpoint."""

    model_config = ConfigDict(extra="forbid")

    stage: Annotated[str | None, Field(description="a stage of `journey`", examples=[None])] = None
    touchpoint: Annotated[
        dict[str, Any] | None,
        Field(description="a matcher as journeys write it: type, name, role, channel, …", examples=[_MATCHER]),
    ] = None
    title: Annotated[str | None, Field(max_length=200, examples=["Bought"])] = None
    optional: Annotated[bool, Field(description="may be missing", examples=[False])] = False


class FunnelAsked(Asking, InJourney):
    """A funnel. Only its first step must lie between `since` and `until`; `journey` is whose stages the steps name."""

    steps: Annotated[
        list[Step],
        Field(
            min_length=1,
            max_length=10,
            examples=[
                [{"touchpoint": {"role": "product-view"}}, {"touchpoint": {"role": "cart"}}, {"touchpoint": _MATCHER}]
            ],
        ),
    ]
    window: Annotated[
        str | None, Field(description="from the first step on, inclusive; left out: without end", examples=["7d"])
    ] = None
    order: Annotated[
        Literal["ordered", "strict", "any"],
        Field(description="ordered: others may lie between; strict: neighbours; any: whichever comes first"),
    ] = "ordered"
    start: Annotated[
        Literal["any", "first"], Field(description="any occurrence of the first step may begin, or only the first")
    ] = "any"
    open: Annotated[bool, Field(description="who has no first step may begin later", examples=[False])] = False
    without: Annotated[
        dict[str, Any] | None, Field(description="a matcher; between the steps it breaks the funnel", examples=[None])
    ] = None


class StepTold(BaseModel):
    """How many reached a step."""

    title: Annotated[str, Field(examples=["cart"])]
    customers: Annotated[int, Field(examples=[120])]
    of_first: Annotated[Share, Field(description="of those at the first step")]
    of_previous: Annotated[Share, Field(description="of those at the last step that is not optional")]
    median_from_previous: Annotated[float | None, Field(description="seconds", examples=[5400.0])]
    median_from_first: Annotated[float | None, Field(description="seconds", examples=[86400.0])]
    lost: Annotated[int, Field(description="who went no further", examples=[60])]
    lost_after: Annotated[
        list[tuple[str, int]], Field(description="their last touchpoints within the window", examples=[[("Home", 31)]])
    ]


class Group(BaseModel):
    """The funnel of those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    open_windows: Annotated[int, Field(description="who may still reach the end", examples=[3])]
    steps: list[StepTold]


class Funnel(Answered):
    """A funnel, of all and by group."""

    open_windows: Annotated[int, Field(description="who may still reach the end", examples=[12])]
    steps: list[StepTold]
    groups: Annotated[list[Group], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for POST /v1/funnels."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"], route_class=Bounded)

        @routes.post("/v1/funnels", summary="How many go how far", response_model=Funnel, responses=CSV | NOT_FOUND)
        async def funnel(
            question: FunnelAsked, request: Request, asker: Annotated[Asker, Depends(asked)], form: Format = None
        ) -> Response:
            """Steps in order (or any order) within a window; see docs/definitions.md, section 3, for every case."""
            plan = await planned(service, asker, question)
            snapshot, (all_, groups) = await desk.ask(
                asker.project.project, plan.understood.text("funnel"), plan.answer
            )
            titles = [_title(step) for step in question.steps]
            answer = Funnel(
                **plan.understood.answered(asker, snapshot),
                open_windows=all_.open_windows,
                steps=_steps(titles, all_),
                groups=[
                    Group(value=name, open_windows=told.open_windows, steps=_steps(titles, told))
                    for name, told in groups
                ],
            )
            return send(request, answer, _lines(answer, question.by), form)

        return routes

    return router


async def planned(service: Service, asker: Asker, question: FunnelAsked) -> "Plan":
    """The funnel that is asked. Raises Refused."""
    return Plan(asker, question, await scope_of(service, asker, question))


class Plan:
    """A funnel that was asked, understood before it is computed. Raises Refused, naming the field."""

    def __init__(self, asker: Asker, question: FunnelAsked, about: Scope | None) -> None:
        self.understood = Understood(asker, question, about)
        self.about, self._question = about, question
        self._window = None if question.window is None else lasting(question.window, "window")
        if question.steps[0].optional:
            raise invalid("steps[0].optional", "the first step begins the funnel: it cannot be missing")
        if question.order == "any" and (question.without or question.open or any(s.optional for s in question.steps)):
            raise invalid("order", "in any order there is no without, open or optional: leave them out")
        self._without = None if question.without is None else matcher(question.without, "without")
        self._steps = [_target(step, number, about) for number, step in enumerate(question.steps)]

    def answer(self, snapshot: Snapshot, turn: Turn) -> tuple[funnels.Told, list[tuple[str, funnels.Told]]]:
        """All customers, and each group."""
        columns, asked, found = self._reached(snapshot, turn)
        now = snapshot.freshness if self.about is None else self.about.now(snapshot)
        told = funnels.told(columns, asked, found, now)
        groups: list[tuple[str, funnels.Told]] = []
        for name, part in self._groups(snapshot, columns, found):
            turn.check()
            groups.append((name, funnels.told(columns, asked, part, now)))
        return told, groups

    def behind(self, snapshot: Snapshot, turn: Turn, step: int, group: str | None, lost: bool) -> People:
        """The customers of a group (None: all) at a step, or lost at it; steps are counted from 0."""
        columns, asked, found = self._reached(snapshot, turn)
        if group is not None:
            none = Reached(found.owner[:0], found.depth[:0], found.rows[:0])
            found = next((part for name, part in self._groups(snapshot, columns, found) if name == group), none)
        return funnels.behind(columns, asked, found, step, lost)

    def _reached(self, snapshot: Snapshot, turn: Turn) -> tuple[Columns, funnels.Asked, Reached]:
        columns = self._columns(snapshot)
        asked = funnels.Asked(
            [self._mask(columns, step) for step in self._steps],
            [step.optional for step in self._question.steps],
            self._window,
            self.understood.within(columns.at),
            None if self._without is None else self._touched(columns, selected(columns, self._without)),
            self._question.order,
            self._question.start == "first",
            self._question.open,
        )
        turn.check()
        found = funnels.reached(columns, asked)
        turn.check()
        return columns, asked, found

    def _groups(self, snapshot: Snapshot, columns: Columns, found: Reached) -> list[tuple[str, Reached]]:
        groups = self.understood.groups(snapshot.touchpoints, found.owner, columns.at[funnels.began(columns, found)])
        return funnels.by_group(found, groups)

    def _columns(self, snapshot: Snapshot) -> Columns:
        if self.about is None:
            return snapshot.touchpoints
        moves, touchpoints = self.about.moves(snapshot), snapshot.touchpoints
        if all(isinstance(step, int) for step in self._steps) and self._without is None:
            touchpoints = touchpoints.where(np.zeros(len(touchpoints), dtype=np.bool_))
        return funnels.with_moves(touchpoints, moves)

    def _mask(self, columns: Columns, step: Matcher | int) -> Mask:
        if isinstance(step, int):
            entered: Mask = columns.codes["stage"] == step
            return entered
        return self._touched(columns, selected(columns, step))

    def _touched(self, columns: Columns, mask: Mask) -> Mask:
        """Without the rows that are moves, of which nothing was sent."""
        return mask & (columns.codes["stage"] == funnels.NO_MOVE) if "stage" in columns.codes else mask


def _target(step: Step, number: int, about: Scope | None) -> Matcher | int:
    """A stage's number, or a matcher."""
    field = f"steps[{number}]"
    if step.touchpoint is not None and step.stage is None:
        return matcher(step.touchpoint, f"{field}.touchpoint")
    if step.stage is None or step.touchpoint is not None:
        raise invalid(field, "a step is a stage or a touchpoint: give one of the two")
    if about is None:
        raise invalid("journey", "a step names a stage: say of which journey")
    return about.stage(step.stage, f"{field}.stage")


def _title(step: Step) -> str:
    if step.title or step.stage:
        return step.title or step.stage or ""
    said = (step.touchpoint or {}).values()
    return ", ".join(" or ".join(map(str, one)) if isinstance(one, list) else str(one) for one in said) or "touchpoint"


def _steps(titles: list[str], told: funnels.Told) -> list[StepTold]:
    return [
        StepTold(
            title=title,
            customers=step.customers,
            of_first=Share(**step.of_first._asdict()),
            of_previous=Share(**step.of_previous._asdict()),
            median_from_previous=seconds(step.from_previous),
            median_from_first=seconds(step.from_first),
            lost=step.lost,
            lost_after=step.lost_after,
        )
        for title, step in zip(titles, told.steps, strict=True)
    ]


def _lines(answer: Funnel, by: str | None) -> list[dict[str, Any]]:
    parts = [(group.value, group.steps) for group in answer.groups] if by else [("", answer.steps)]
    return [
        {
            **({by: value} if by else {}),
            "step": number,
            "title": step.title,
            "customers": step.customers,
            "share_of_first": step.of_first.share,
            "share_of_previous": step.of_previous.share,
            "median_seconds_from_previous": step.median_from_previous,
            "median_seconds_from_first": step.median_from_first,
            "lost": step.lost,
        }
        for value, steps in parts
        for number, step in enumerate(steps, 1)
    ]
