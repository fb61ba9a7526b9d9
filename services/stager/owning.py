"""Whose an identifier is, asked once more before a unit of work is written.

An identifier is read first and its customer's row after it. If somebody joins or parts customers between the two, the
row is already the new one, and its revision tells nothing: the touchpoint would go to whom it no longer belongs. From
the row's reading on, the revision guards it, as whoever moves an identifier writes the rows of both.
"""

from services.stager.directory import Directory
from shared.store.port import Conflict, Session


async def check_owners(session: Session, directory: Directory) -> None:
    """Raises Conflict if an identifier that the unit went by changed hands before its customer's row was read."""
    for project, streams in directory.relied.items():
        stored = await session.owners(project, sorted(streams))
        moved = any(streams[stream] != customer for stream, customer in stored.items())
        shared = [stream for stream, customer in stored.items() if not customer]
        if moved or (shared and not await directory.unchanged(project, shared)):
            raise Conflict("an identifier changed hands while its customer was read")
