"""Write keys, as ingest needs them: who may send, and to which project."""

from typing import NamedTuple, Protocol


class WriteKey(NamedTuple):
    """A key that may send events; `number` and `project` go into every record that it sends.

    `kind` is browser, server or test; `origins` are those of the pages that may send with it, none: all; `rate` is how
    many events it may send a second, 0: any number.
    """

    number: int
    project: int
    name: str
    kind: str
    origins: tuple[str, ...] = ()
    rate: int = 0


class Keys(Protocol):
    """All write keys, held in memory and refreshed in the background by whoever made this."""

    def find(self, key: str, /) -> WriteKey | None:
        """The key of this text; None if there is no such key, or it was revoked. Quick: asked at every request."""
        ...
