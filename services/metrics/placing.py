"""Placing a customer by hand: a record of its own goes on the log, as an event would (semantics 56)."""

import time
from difflib import get_close_matches

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.errors import Refused
from shared import placement
from shared.events import Record, encode
from shared.journeys.definition import Definition
from shared.log.port import Entry, Log, LogUnavailable
from shared.placement import Placement
from shared.store import people
from shared.store.rows import USER

#: Characters of a reason, and of a name of who gives it.
LONGEST = 1000


def checked(definition: Definition, stage: str) -> str:
    """The stage, if the journey has it. Raises Refused."""
    stages = [*(one.name for one in definition.stages), "none"]
    if stage in stages:
        return stage
    near = get_close_matches(stage, stages, 1)
    remedy = f"did you mean {near[0]}?" if near else f"it has {', '.join(stages)}"
    raise Refused(404, "unknown_stage", f"{definition.name} has no stage {stage[:80]!r}: {remedy}", "stage")


async def place(db: AsyncConnection, log: Log, project: int, customer: int, said: Placement) -> Record:
    """Puts the placement of a customer on the log, under one of its own identifiers; it happens now. Raises Refused.

    The stager takes it from there as any record: it is ordered, merged and corrected with the rest of the history.
    """
    own = next(one for one in await people.identifiers(db, project, customer) if not one.shared)
    by_user = own.kind == USER
    now = time.time_ns() // 1000
    record = placement.record(project, own.value if by_user else None, None if by_user else own.value, said, now)
    try:
        await log.append([Entry(record.source.encode(), encode(record))])
    except LogUnavailable as error:
        raise Refused(503, "log_unavailable", f"the log did not take it, try again: {error}") from None
    return record
