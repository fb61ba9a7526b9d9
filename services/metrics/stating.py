"""What has made a customer one: the statements among its touchpoints, and which of them were taken back."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.api.answers import By
from services.metrics.errors import Refused
from services.metrics.lookup import find
from shared.statement import Said, said
from shared.store import amendments, people
from shared.store.rows import RETRACTS


class Stated(NamedTuple):
    """A statement, and the number of the retraction that takes it back, if one does."""

    said: Said
    retraction: int | None


async def statements(db: AsyncConnection, project: int, customer: str, by: By | None, secret: str = "") -> list[Stated]:
    """Those of a customer, the oldest first. Raises Refused as `find` does."""
    number = (await find(db, project, customer, by, secret)).row.customer
    taken = {
        (one.user, one.id): row.number
        for row in await amendments.listed(db, project, RETRACTS)
        if row.undone_at is None
        for one in amendments.retraction_of(row).statements
    }
    found = [said(record) for _, record in await people.history(db, project, number)]
    return [Stated(one, taken.get((one.user, one.id))) for one in found if one is not None]


def chosen(among: Sequence[Stated], messages: Sequence[str]) -> tuple[Said, ...]:
    """The statements of these message ids. Raises Refused if one is not among them, or was taken back already."""
    known = {one.said.id: one for one in among}
    for message in messages:
        if message not in known:
            remedy = "ask for the customer's statements: they are listed with their message ids"
            raise Refused(
                404, "unknown_statement", f"this customer has no statement {message[:100]!r}: {remedy}", "messages"
            )
        if known[message].retraction is not None:
            said = f"the statement {message[:100]!r} was taken back already, by retraction {known[message].retraction}"
            raise Refused(409, "taken_back", said, "messages")
    return tuple(known[message].said for message in dict.fromkeys(messages))
