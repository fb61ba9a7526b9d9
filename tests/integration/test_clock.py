"""The store's clock and the timers behind it: nobody's are fired early, twice or not at all."""

from pathlib import Path

from shared.events import SECOND, Record
from tests.support.processes import eventually
from tests.support.small import JOURNEY
from tests.support.staging import staging


def page(number: int, at: int, user: str = "ann", received: int | None = None) -> Record:
    """A page view, received when it happened unless told."""
    return Record(project=1, id=f"page-{number}", type="page", at=at, received=received or at, user=user)


async def test_an_idle_partition_that_was_claimed_meanwhile(tmp_path: Path) -> None:
    """Who gets a partition back before noticing that it was another's claims it again, though nothing arrives in it."""
    async with staging(tmp_path, [JOURNEY]) as world:
        first, second = await world.stager(), await world.stager()
        await first.settle()
        await second.round()
        before = second.clock

        async def rises() -> bool:
            await first.round()
            return first.clock > before + SECOND

        await eventually(rises, within=10)
