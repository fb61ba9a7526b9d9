"""Where a page ended, as an opaque text that the next question hands back."""

import base64
import binascii
from typing import Annotated, TypeVar

import msgspec

T = TypeVar("T")

#: A number that every database can compare with.
Number = Annotated[int, msgspec.Meta(ge=-(1 << 62), le=1 << 62)]


def write(place: object) -> str:
    """The text of a place: a tuple of numbers and texts."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def read(text: str, type_: type[T]) -> T:
    """The place that a text stands for. Raises ValueError if it is none that was given out for this question."""
    try:
        return msgspec.msgpack.decode(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), type=type_)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError):
        raise ValueError("this is not a cursor of this question: take `next` of the page before, as it is") from None
