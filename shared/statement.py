"""What a record says of who is who, as people are shown it and may take it back (semantics 37, 58)."""

import msgspec

from shared.events import Record


class Said(msgspec.Struct, frozen=True):
    """The statement of the record `id`, sent as `user`: that the device `other` is theirs from `at` on.

    If it `joins`, also that the user id `other` and `user` are one person.
    """

    id: str
    type: str
    user: str
    other: str
    at: int
    joins: bool


def said(record: Record) -> Said | None:
    """The statement that a record makes, if it makes one."""
    user = record.user
    other = record.anonymous if record.type == "identify" else record.previous if record.type == "alias" else None
    if user is None or other is None:
        return None
    joins = record.type == "alias" and not record.guarded and other != user
    return Said(record.id, record.type, user, other, record.at, joins)
