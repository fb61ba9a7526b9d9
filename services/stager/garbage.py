"""When Python looks for cycles.

A stager makes and drops hundreds of thousands of plain objects a second, none of them in cycles; looking through all of
them again and again took a fifth of its time. So it looks when there is nothing else to do, and now and then even
if there always is.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds between looks while idle, and while busy.
IDLE, BUSY = 10.0, 60.0


class Collector:
    """Looks for cycles in its own time."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def turn(self, busy: bool) -> None:
        """To be called between transactions."""
        if time.monotonic() - self._last >= (BUSY if busy else IDLE):
            gc.collect()
            self._last = time.monotonic()


@contextmanager
def collecting() -> Iterator[Collector]:
    """For as long as the context lasts, only the collector looks for cycles in this process."""
    gc.disable()
    try:
        yield Collector()
    finally:
        gc.enable()
