"""From an id that somebody gives to the one customer that it means."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.api.answers import By
from services.metrics.errors import Refused
from shared.hashing import hashed
from shared.store import people
from shared.store.rows import ANONYMOUS, USER, CustomerRow
from shared.store.tables import storable

#: What an id is taken for when nobody says. Never a customer's number, which may be somebody else's user id.
TRIED: tuple[By, ...] = ("user", "anonymous", "email")

_CALLED = {"user": "user id", "anonymous": "anonymous id", "email": "e-mail address", "customer": "number"}


class Found(NamedTuple):
    """A customer, and the number that it was asked by if it has become another one since."""

    row: CustomerRow
    merged_from: str | None


async def find(db: AsyncConnection, project: int, id: str, by: By | None, secret: str = "") -> Found:
    """The customer that an id means. Raises Refused: 404 if there is none, 409 with all of them if several.

    With a `secret`, an e-mail address is also looked for as it was hashed at the door.
    """
    meant: dict[int, By] = {}
    for kind in TRIED if by is None else (by,):
        for number in await _customers(db, project, id, kind, secret):
            meant.setdefault(number, kind)
    if len(meant) > 1:
        # An alias that was taken back leaves a device of which nothing was ever heard: nobody means that.
        rows = {number: await people.customer(db, project, number) for number in meant}
        heard = {number: kind for number, kind in meant.items() if (row := rows[number]) is not None and row.count}
        meant = heard or meant
    if len(meant) > 1:
        raise await _ambiguous(db, project, id, meant)
    for number in meant:
        if (row := await people.customer(db, project, number)) is not None:
            return Found(row, None if row.customer == number else str(number))
    called = " or ".join(_CALLED[kind] for kind in (TRIED if by is None else (by,)))
    message = f"no customer has the {called} {id[:100]!r}: check its spelling, capital letters count; "
    message += "somebody who has just been seen appears here a moment later"
    raise Refused(404, "unknown_customer", message, "id")


async def _customers(db: AsyncConnection, project: int, id: str, by: By, secret: str) -> list[int]:
    if not id or storable(id) != id:
        return []  # nobody can have it
    if by == "email":
        forms = {id.strip().lower(), *([hashed(id, secret)] if secret else [])}
        return [number for form in sorted(forms) for number in await people.find_by_email(db, project, form)]
    if by == "customer":
        return [int(id)] if id.isascii() and id.isdigit() and len(id) < 19 else []
    return await people.find(db, project, USER if by == "user" else ANONYMOUS, id)


async def _ambiguous(db: AsyncConnection, project: int, id: str, meant: dict[int, By]) -> Refused:
    """Each customer with an id that means it alone: the one given if its kind says enough, else one of its own."""
    names = await people.names(db, project, list(meant))
    candidates = []
    for number, kind in sorted(meant.items()):
        name, by = id, kind
        if list(meant.values()).count(kind) > 1:
            own = names.get(number)
            name = str(number) if own is None else own[1]
            by = "customer" if own is None else "user" if own[0] == USER else "anonymous"
        candidates.append({"by": by, "id": name, "customer": str(number)})
    message = f"{len(meant)} customers have the id {id[:100]!r}: ask for one of the candidates, by= what its id is"
    return Refused(409, "ambiguous_customer", message, "id", {"candidates": candidates})
