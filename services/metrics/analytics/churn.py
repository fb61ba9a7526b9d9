"""Who leaves, and who is won back, period by period (docs/definitions.md, 31)."""

from dataclasses import dataclass

import numpy as np

from services.metrics.analytics.columns import Columns, Ints, Mask
from services.metrics.analytics.intervals import Share, share
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.periods import Periods
from services.metrics.analytics.stays import all_stays
from shared.journeys.definition import Definition
from shared.journeys.engine import NONE

#: What a stage means that customers are lost to.
LEAVING = ("at-risk", "churned", "lapsed")


@dataclass(frozen=True)
class Line:
    """A stage and a period: all who `entered`, those among who `stood` where it is entered from, and who came back."""

    stage: int
    period: int
    entered: int
    left: Share
    won_back: int
    away: float | None  #: the median time of those won back in the stage, in microseconds


def leaving(definition: Definition) -> list[int]:
    """The numbers of the stages that customers are lost to."""
    return [number for number, stage in enumerate(definition.stages) if stage.means in LEAVING]


def origins(definition: Definition, stage: int) -> list[int]:
    """The numbers of the stages that a stage names in its `from`; of one that names none, all others."""
    names = definition.stages[stage].origins
    return [
        number for name, number in definition.numbers().items() if number != stage and (names is None or name in names)
    ]


def some(moves: Moves, mask: Mask) -> Moves:
    """Some of them."""
    return Moves(moves.owner[mask], moves.at[mask], moves.source[mask], moves.target[mask])


def told(moves: Moves, acts: Columns, definition: Definition, whole: Periods) -> list[Line]:
    """Each stage that customers are lost to in each period. `acts` are the customers' own, and no others."""
    return [line for stage in leaving(definition) for line in _stage(moves, acts, definition, whole, stage)]


def _stage(moves: Moves, acts: Columns, definition: Definition, whole: Periods, stage: int) -> list[Line]:
    from_, count = origins(definition, stage), len(whole)
    stood = _standing(moves, from_, whole)
    into = moves.target == stage
    pairs = np.unique(np.stack((moves.owner[into], whole.of(moves.at[into])), axis=1), axis=0)
    owner, period = pairs[:, 0], pairs[:, 1]
    entered = np.bincount(period, minlength=count)
    left = np.bincount(period[_stood(moves, from_, owner, whole.starts[period])], minlength=count)
    back, away = _won_back(moves, acts, definition, stage)
    when = whole.of(back)
    won_back = np.bincount(when, minlength=count)
    of_each = np.split(away[np.argsort(when, kind="stable")], np.cumsum(won_back)[:-1])
    return [
        Line(
            stage,
            number,
            int(entered[number]),
            share(int(left[number]), int(stood[number])),
            int(won_back[number]),
            float(np.median(of_each[number])) if won_back[number] else None,
        )
        for number in range(count)
    ]


def _standing(moves: Moves, stages: list[int], whole: Periods) -> Ints:
    """How many stand in one of these stages just before each period begins."""
    stays = all_stays(moves, 0)
    mine = np.isin(stays.stage, stages)
    began, ended = stays.began[mine], stays.ended[mine]
    end = np.where(ended, began + stays.length[mine], whole.starts[-1])
    first = np.searchsorted(whole.starts, began, side="right")
    last = np.maximum(first, np.searchsorted(whole.starts, end, side="right"))
    size = len(whole.starts) + 1
    change = np.bincount(first, minlength=size) - np.bincount(last, minlength=size)
    return np.cumsum(change)[: len(whole)]


def _stood(moves: Moves, stages: list[int], owner: Ints, at: Ints) -> Mask:
    """Whether each owner stood in one of these stages just before an instant."""
    if not len(owner):
        return np.zeros(0, dtype=np.bool_)
    columns = Columns(np.arange(int(moves.owner.max()) + 1), moves.owner, moves.at)
    last = columns.after(owner, at - 1) - 1
    known = last >= columns.starts[owner]
    return known & np.isin(moves.target[np.maximum(last, 0)], stages)


def _won_back(moves: Moves, acts: Columns, definition: Definition, stage: int) -> tuple[Ints, Ints]:
    """When customers came back out of a stage by an act of their own, and how long they had been in it.

    An exit is none, and neither is a move on to another stage that customers are lost to.
    """
    stays = all_stays(moves, 0)
    mine = (stays.stage == stage) & stays.ended & ~np.isin(stays.to, leaving(definition))
    if definition.exit is not None and definition.stages[stage].name in definition.exit.origins:
        mine &= stays.to != NONE
    owner, at, length = stays.owner[mine], (stays.began + stays.length)[mine], stays.length[mine]
    acted = acts.after(owner, at) > acts.after(owner, at - 1)
    return at[acted], length[acted]
