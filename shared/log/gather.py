"""Group commit: what arrives while one write is under way is gathered, and goes next as one write.

Both adapters append through this. When nothing is under way a write starts at once, so a quiet log adds no
wait, and a busy one makes its groups as large as its writes are slow: there is no timer to tune.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from shared.log.port import LogUnavailable

Content = TypeVar("Content")
Waiter = asyncio.Future[LogUnavailable | None]


class Budget:
    """The bytes that may be in flight to the log, over all lanes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    def take(self, size: int) -> None:
        """Raises LogUnavailable if so much more does not fit; a lone request of any size does."""
        if self._used and self._used + size > self._limit:
            raise LogUnavailable(f"{self._used} bytes already wait for the log")
        self._used += size

    def give(self, size: int) -> None:
        self._used -= size


class _Group(Generic[Content]):
    """What is written at once, who waits for it, and when they stop waiting."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.size = 0
        self.waiters: list[Waiter] = []
        self.timer: asyncio.TimerHandle | None = None

    def settle(self, error: LogUnavailable | None) -> None:
        """Tells everybody who still waits."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(error)
        self.waiters.clear()


class Lane(Generic[Content]):
    """One write at a time; `write` raises LogUnavailable if what it was given is not durable.

    A caller fills `content` and then calls `join` without an await between the two.
    """

    def __init__(
        self,
        empty: Callable[[], Content],
        write: Callable[[Content], Awaitable[None]],
        budget: Budget,
        deadline: float,
    ) -> None:
        self._empty, self._write, self._budget, self._deadline = empty, write, budget, deadline
        self._loop = asyncio.get_running_loop()
        self._gathering = _Group(empty())
        self._writer: asyncio.Task[None] | None = None

    @property
    def content(self) -> Content:
        """What will be written next; still open."""
        return self._gathering.content

    def join(self, size: int) -> Waiter:
        """Resolves to None when all of `content` is durable, else to the reason why it is not."""
        waiter: Waiter = self._loop.create_future()
        group = self._gathering
        group.size += size
        group.waiters.append(waiter)
        if group.timer is None:
            group.timer = self._loop.call_later(self._deadline, self._expire, group)
        if self._writer is None:
            self._writer = self._loop.create_task(self._run())
        return waiter

    async def drain(self) -> None:
        """Returns when everything gathered so far has been written or has failed."""
        while self._writer is not None:
            await asyncio.wait((self._writer,))

    def _expire(self, group: _Group[Content]) -> None:
        """A group whose write has not begun is dropped; one whose write has may still get there."""
        group.settle(LogUnavailable(f"the log did not acknowledge within {self._deadline:g} s"))
        if group is self._gathering:
            self._gathering = _Group(self._empty())
            self._budget.give(group.size)

    async def _run(self) -> None:
        try:
            while self._gathering.waiters:
                group, self._gathering = self._gathering, _Group(self._empty())
                outcome: LogUnavailable | None = LogUnavailable("the log was closed before it acknowledged")
                try:
                    await self._write(group.content)
                    outcome = None
                except LogUnavailable as error:
                    outcome = error
                finally:
                    self._budget.give(group.size)
                    group.settle(outcome)
        finally:
            self._writer = None
