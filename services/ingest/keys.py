"""Write keys, as ingest needs them: who may send, and to which project."""

from typing import NamedTuple, Protocol


class WriteKey(NamedTuple):
    """A key that may send events; `number` and `project` go into every record that it sends."""

    number: int
    project: int
    name: str
    kind: str


class Keys(Protocol):
    """All write keys, held in memory and refreshed in the background by whoever made this."""

    def find(self, key: str, /) -> WriteKey | None:
        """The key of this text; None if there is no such key, or it was revoked. Quick: asked at every request."""
        ...
