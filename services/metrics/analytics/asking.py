"""Heavy questions: few at a time, no longer than a limit, and the same one at the same moment answered once."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from services.metrics.errors import Refused

T = TypeVar("T")

#: Answers that are kept, however small, and bytes of the arrays in them (a list of customers is large).
KEPT, KEPT_BYTES = 256, 64 << 20


class Left(Exception):
    """Nobody waits for the answer any more."""


class Turn:
    """What a running question looks at between two steps: whether it still has a point."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def end(self) -> None:
        """Nobody waits any more."""
        self._ended.set()

    def check(self) -> None:
        """Raises Left if nobody waits any more."""
        if self._ended.is_set():
            raise Left


class Asking:
    """Runs questions in threads. `at_once` of them compute at a time; each has `seconds` from when it is asked."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="question")
        self._seconds = seconds
        self._answers: OrderedDict[Hashable, object] = OrderedDict()
        self._bytes = 0
        self._running: dict[Hashable, tuple[asyncio.Future[object], Turn, list[int]]] = {}

    async def ask(self, key: Hashable, question: Callable[[Turn], T]) -> T:
        """The answer; `key` names the question and what it was asked of, so that the same is computed once.

        Whoever stops waiting (a client that leaves) ends the computing if nobody else waits for it. Raises Refused when
        it takes too long.
        """
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]  # type: ignore[return-value]  # what this question gave before
        if key not in self._running:
            turn = Turn()
            future = asyncio.get_running_loop().run_in_executor(self._threads, _run, turn, question)
            self._running[key] = future, turn, [0]
            future.add_done_callback(lambda done: self._done(key, done))
        future, turn, waiting = self._running[key]
        waiting[0] += 1
        try:
            async with asyncio.timeout(self._seconds):
                answer = await asyncio.shield(future)
        except TimeoutError:
            message = f"this takes longer than {self._seconds:g} s: ask about a shorter period, or try again later"
            raise Refused(503, "too_slow", message) from None
        finally:
            waiting[0] -= 1
            if not waiting[0] and not future.done():
                turn.end()
                self._running.pop(key, None)
        return answer  # type: ignore[return-value]  # what this question gives

    def close(self) -> None:
        """Ends what runs."""
        for _, turn, _ in self._running.values():
            turn.end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, key: Hashable, done: "asyncio.Future[object]") -> None:
        if key in self._running and self._running[key][0] is done:
            del self._running[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._bytes += _bytes(done.result()) - _bytes(self._answers.get(key))
        self._answers[key] = done.result()
        while len(self._answers) > KEPT or (self._bytes > KEPT_BYTES and self._answers):
            _, dropped = self._answers.popitem(last=False)
            self._bytes -= _bytes(dropped)


def _bytes(answer: object) -> int:
    """Of the arrays in an answer."""
    if isinstance(answer, np.ndarray):
        return answer.nbytes
    return sum(map(_bytes, answer)) if isinstance(answer, tuple | list) else 0


def _run(turn: Turn, question: Callable[[Turn], object]) -> object:
    turn.check()
    return question(turn)
