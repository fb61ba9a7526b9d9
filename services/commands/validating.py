"""What ingest would make of events and the stager of what ingest made, put together for `POST /v1/validate`."""

import time

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.door import Door
from services.ingest.judging import Judge
from services.ingest.keys import WriteKey
from services.ingest.refusals import Refusal, Unreadable
from services.metrics.api.validate import Moved, Outcome, Outcomes
from services.metrics.errors import Refused, invalid
from services.stager.consumer import plans_of
from services.stager.rehearsal import Effect, Rehearsal
from shared.events import Record
from shared.journeys.engine import Journey
from shared.settings import Settings
from shared.store.admin import hashed, write_keys
from shared.store.engine import reading
from shared.store.port import Store
from shared.touch.told import Teller

#: The key that a body is judged by which names none.
NAMELESS = 0


async def front_keys(db: AsyncConnection) -> dict[bytes, WriteKey]:
    """The write keys in force by their hashes, as ingest needs them."""
    found = await write_keys(db)
    return {
        digest: WriteKey(key.number, key.project, key.name, key.kind, key.origins, key.rate)
        for digest, key in found.items()
    }


class Validator:
    """Works on what the store knows, and writes nothing."""

    def __init__(self, store: Store, database: AsyncEngine, settings: Settings, door: Door, teller: Teller) -> None:
        self._store, self._database, self._settings = store, database, settings
        self._judge = Judge(settings, door)
        self._compiled, self._teller = dict[int, Journey](), teller

    async def validate(self, project: int, body: bytes, path: str | None) -> Outcomes:
        """What would become of a body that is sent now. Raises Refused if nothing of it could be taken."""
        now = time.time_ns() // 1000
        async with reading(self._database) as db:
            keys = await front_keys(db)
        usual = WriteKey(NAMELESS, project, "", "server")
        try:
            judged = self._judge.judge(body, path, usual, lambda text: keys.get(hashed(text)), now)
        except Unreadable as refused:
            raise Refused(refused.status, refused.code, str(refused), refused.field or None) from None
        except LookupError as error:
            raise invalid("path", str(error)) from None
        async with self._store.session() as session:
            plans = plans_of(await session.catalog(), self._settings.merge_limit, self._compiled, self._teller)
            rehearsal = Rehearsal(session, plans, self._settings.rewind_limit, now)
            outcomes = [
                _refused(event) if isinstance(event, Refusal) else _taken(event, await rehearsal.stage(event))
                for event in judged.events
            ]
        return Outcomes(judged.path, judged.key.name or None, outcomes)


def _refused(refusal: Refusal) -> Outcome:
    return Outcome(refused=(refusal.code, refusal.field, refusal.message))


def _taken(record: Record, effect: Effect) -> Outcome:
    moved = [Moved(*change) for change in effect.changes]
    return Outcome(None, record, effect.customer, effect.duplicate, effect.behind, moved, effect.unfollowed)
