"""Heavy questions wait for their turn, end when nobody waits, and are answered once."""

import asyncio
import threading

import numpy as np
import pytest

from services.metrics.analytics.asking import KEPT_BYTES, Asking, Turn
from services.metrics.errors import Refused


class Slow:
    """A question that goes on until it is let go, and counts how often it was begun."""

    def __init__(self) -> None:
        self.go, self.begun, self.ended = threading.Event(), 0, threading.Event()
        self.running = threading.Event()

    def __call__(self, turn: Turn) -> int:
        self.begun += 1
        self.running.set()
        try:
            while not self.go.wait(0.01):
                turn.check()
        finally:
            self.ended.set()
        return 7


async def test_large_answers_are_not_kept_for_long() -> None:
    """Lists of many customers make room for each other; what is small stays beside them."""
    asking, begun = Asking(1, 10), list[int]()

    def listing(number: int) -> tuple[np.ndarray, ...]:
        begun.append(number)
        return np.zeros(KEPT_BYTES // 24, dtype=np.int64), np.zeros(8)

    for number in (1, 2, 3, 3, 2, 1):
        await asking.ask(number, lambda _, number=number: listing(number))  # type: ignore[misc]  # a default of its own
    assert begun == [1, 2, 3, 1]
    asking.close()


async def test_the_same_question_at_the_same_moment_is_computed_once() -> None:
    """Two who ask it together share one answer, and a third gets it from memory."""
    asking, slow = Asking(1, 10), Slow()
    both = asyncio.gather(asking.ask("q", slow), asking.ask("q", slow))
    await asyncio.to_thread(slow.running.wait)
    slow.go.set()
    assert list(await both) == [7, 7]
    assert await asking.ask("q", slow) == 7
    assert slow.begun == 1
    asking.close()


async def test_a_question_that_nobody_waits_for_ends() -> None:
    """A client that leaves ends the computing; while another waits it goes on."""
    asking, slow = Asking(1, 10), Slow()
    first, second = (asyncio.create_task(asking.ask("q", slow)) for _ in range(2))
    await asyncio.to_thread(slow.running.wait)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert not slow.ended.is_set()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert await asyncio.to_thread(slow.ended.wait, 10)
    asking.close()


async def test_what_takes_too_long_is_refused_with_a_remedy() -> None:
    """The limit counts from the asking, waiting for a turn included; what waits behind is not begun."""
    asking, slow, behind = Asking(1, 0.2), Slow(), Slow()
    answers = await asyncio.gather(asking.ask("q", slow), asking.ask("r", behind), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Refused, Refused]
    assert "shorter period" in str(answers[0])
    assert await asyncio.to_thread(slow.ended.wait, 10)
    assert behind.begun == 0
    asking.close()


async def test_a_fault_is_not_remembered() -> None:
    """A question that failed is asked again."""
    asking, divisors = Asking(1, 10), iter([0, 2])

    def question(_turn: Turn) -> int:
        return 10 // next(divisors)

    with pytest.raises(ZeroDivisionError):
        await asking.ask("q", question)
    assert await asking.ask("q", question) == 5
    asking.close()
