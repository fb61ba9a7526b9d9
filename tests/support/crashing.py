"""A session that fails: a fault at any call, before it was carried out or after."""

from typing import Any

from shared.store.port import Session


class Crash(Exception):
    """The process dies here."""


class Crashing:
    """Passes every call on to a real session; the one numbered `at` (from 0) raises Crash, undone or done."""

    def __init__(self, session: Session, at: int, after: bool) -> None:
        self._session, self._left, self._after = session, at, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._session, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == -1 and not self._after:
                raise Crash
            result = await method(*args, **kwargs)
            if self._left == -1:
                raise Crash
            return result

        return call
