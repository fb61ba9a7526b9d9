"""What names an event, and whom it is about: ids and names as they may be kept.

Numbers become text; what is empty counts as absent.
"""

from hashlib import blake2b
from uuid import uuid4

import msgspec

from services.ingest.protocols.port import Event, Identifier
from services.ingest.refusals import Refused

#: The longest identifier, in bytes of UTF-8, and the longest message id, in characters.
ID_BYTES = 512
MESSAGE_ID_CHARACTERS = 99
#: The longest event or page name, in bytes of UTF-8.
NAME_BYTES = 512

#: Texts of up to so many characters are short enough, whatever the characters are.
SHORT = ID_BYTES // 4


def identifier(value: Identifier, field: str) -> str | None:
    """An id as text, None if it is empty. Raises Refused if it is too long."""
    if not value and value != 0:
        return None
    text = value if type(value) is str else _number(value)
    if len(text) * 4 > ID_BYTES and len(text.encode()) > ID_BYTES:
        raise Refused("id_too_long", field, f"{field} is longer than {ID_BYTES} bytes: send a shorter one.")
    return text


def _number(value: Identifier) -> str:
    """A whole number as a person writes it, whichever way the sender's JSON did."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def name_of(value: str | None, field: str) -> str | None:
    """An event's or page's name, None if it is empty. Raises Refused if it is too long."""
    if not value or value.isspace():
        return None
    if len(value) * 4 > NAME_BYTES and len(value.encode()) > NAME_BYTES:
        raise Refused("name_too_long", field, f"{field} is longer than {NAME_BYTES} bytes: send a shorter one.")
    return value


def message_id_of(event: Event) -> str:
    """The one given; else one that the same event gets again when it is sent again, if it carries its time.

    Raises Refused if it is too long.
    """
    given = event.message_id
    if given or given == 0:
        text = given if type(given) is str else _number(given)
        if len(text) > MESSAGE_ID_CHARACTERS:
            raise Refused(
                "id_too_long",
                "messageId",
                f"messageId is longer than {MESSAGE_ID_CHARACTERS} characters: send a shorter one.",
            )
        return text
    if event.timestamp or event.original_timestamp:
        sent, event.sent_at = event.sent_at, None  # differs each time that it is sent
        made = blake2b(msgspec.json.encode(event), digest_size=16).hexdigest()
        event.sent_at = sent
        return made
    return str(uuid4())


def of_nobody(event: Event) -> Refused:
    """Refuses an event without an id that could be somebody's."""
    message = "The event says of nobody: send userId, anonymousId, or both."
    if given := event.user_id or event.anonymous_id:
        message = f"The event says of nobody, as {str(given)[:50]!r} is nobody's id: send another, or an anonymousId."
    return Refused("missing_id", "userId", message)
