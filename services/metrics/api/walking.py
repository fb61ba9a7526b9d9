"""What questions about paths have in common: over what, of whom, and what is told of all and of each group."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, Field

from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.members import firsts
from services.metrics.analytics.paths import Walks, over_names, over_stages
from services.metrics.api.questions import Answered, Fetched, InJourney, Scope, Understood, scope_of
from services.metrics.errors import invalid
from services.metrics.service import Asker, Service
from shared.events import SECOND

T = TypeVar("T")


class PathsAsked(Fetched, InJourney):
    """Whose sequences of what. `since` and `until` cut touchpoints (or entries) out of the whole history."""

    of: Annotated[
        Literal["names", "stages"], Field(description="names of touchpoints (of one without, its type), or of stages")
    ] = "names"
    acts: Annotated[
        bool, Field(description="only the customers' own acts (by the rules of `journey`, if there is one)")
    ] = False
    visits: Annotated[
        bool, Field(description="a sequence for each visit, of acts, instead of one for each customer")
    ] = False


class Walked(Answered):
    """What every answer about paths says."""

    of: Annotated[str, Field(examples=["names"])]
    sequences: Annotated[int, Field(description="customers, or visits, that have any", examples=[9120])]


L = TypeVar("L", bound=BaseModel)


class Part(BaseModel, Generic[L]):
    """The sequences of those with one value."""

    value: Annotated[str, Field(description="of `by`", examples=["paid search"])]
    sequences: Annotated[int, Field(description="customers, or visits", examples=[310])]
    lines: list[L]


class Told(Walked, Generic[L]):
    """What is told of all sequences, and of each group's."""

    lines: Annotated[list[L], Field(description="of all, the most frequent first")]
    groups: Annotated[list[Part[L]], Field(description="empty without `by`")]


class Walk:
    """Sequences that were asked for, understood before they are computed. Raises Refused, naming the field."""

    def __init__(self, service: Service, asker: Asker, question: PathsAsked, about: Scope | None) -> None:
        self.understood, self.about, self._asker = Understood(asker, question, about), about, asker
        self._question, self._gap = question, None
        if question.of == "stages":
            if about is None:
                raise invalid("journey", "stages are asked for: say of which journey")
            if question.visits or question.acts:
                raise invalid(
                    "visits" if question.visits else "acts", "this is of touchpoints: leave it out, or of=names"
                )
        if question.visits or question.acts:
            self.understood.can_act("journey")
        if question.visits:
            self._gap = round(service.settings.visit_gap * SECOND)

    async def told(
        self, desk: Desk, kind: str, tell: Callable[[Walks], T]
    ) -> tuple[dict[str, Any], list[tuple[str, int, T]]]:
        """The fields of Walked; and what `tell` makes of all (under no name), then of each group, with its size."""
        text = self.understood.text(f"{kind} {self._gap}")
        snapshot, parts = await desk.ask(
            self._asker.project.project, text, lambda snapshot, turn: self._parts(snapshot, turn, tell)
        )
        fields = self.understood.answered(self._asker, snapshot)
        return {**fields, "of": self._question.of, "sequences": parts[0][1]}, parts

    def _parts(self, snapshot: Snapshot, turn: Turn, tell: Callable[[Walks], T]) -> list[tuple[str, int, T]]:
        walks = self._walks(snapshot)
        turn.check()
        parts = [("", walks.count, tell(walks))]
        if self._question.by is not None:
            owner, at = firsts(walks.owner, walks.at)
            of = self.understood.groups(snapshot.touchpoints, owner, at)
            numbers = np.full(int(walks.owner.max()) + 1 if len(walks.owner) else 1, -1, dtype=np.int64)
            numbers[owner] = of.group
            mine = numbers[walks.owner]
            for number, name in enumerate(of.names):
                turn.check()
                part = walks.of(mine == number)
                parts.append((name, part.count, tell(part)))
        return parts

    def _walks(self, snapshot: Snapshot) -> Walks:
        if self._question.of == "stages" and self.about is not None:
            walks = over_stages(self.about.moves(snapshot), self.about.names())
            return walks.of(self.understood.within(walks.at))
        columns = snapshot.touchpoints
        mask = self.understood.within(columns.at)
        if self._question.acts or self._question.visits:
            mask &= self.understood.acts(columns, None)
        return over_names(columns, np.flatnonzero(mask), self._gap)


async def walk(service: Service, asker: Asker, question: PathsAsked) -> Walk:
    """What was asked, understood. Raises Refused, naming the field."""
    return Walk(service, asker, question, await scope_of(service, asker, question))


def csv_lines(parts: Sequence[tuple[str, int, Iterable[T]]], by: str | None, line: Callable[[T], Any]) -> list[Any]:
    """The lines of each group if there is `by`, else of all."""
    chosen = parts[1:] if by else parts[:1]
    return [{**({by: value} if by else {}), **line(one)} for value, _, told in chosen for one in told]
