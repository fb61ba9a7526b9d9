"""Where questions about many touchpoints are asked: the newest snapshot, and a turn to compute."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.analytics.asking import Asking, Turn
from services.metrics.analytics.copy import Copy, Snapshot
from shared.settings import Settings
from shared.touch.told import Teller

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """A copy of the store, and the turns of those who ask it."""

    copy: Copy
    asking: Asking

    @classmethod
    def of(cls, database: AsyncEngine, teller: Teller, settings: Settings) -> "Desk":
        """As the settings say."""
        return cls(Copy(database, teller), Asking(settings.questions, settings.question_seconds))

    async def ask(self, project: int, question: str, answer: Callable[[Snapshot, Turn], T]) -> tuple[Snapshot, T]:
        """The newest snapshot and what `answer` makes of it; `question` is all that was asked, as text.

        Raises Refused if it takes too long, StoreUnavailable.
        """
        snapshot = await self.copy.asked(project)
        key = project, snapshot.mark, question
        return snapshot, await self.asking.ask(key, lambda turn: answer(snapshot, turn))

    async def close(self) -> None:
        """Ends what is being made and computed."""
        await self.copy.close()
        self.asking.close()
