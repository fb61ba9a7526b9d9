"""The sweep over due times: writes the ledger entries that time alone has made."""

from services.stager.work import Work
from shared.identity import FOREVER
from shared.journeys.ledger import fire
from shared.store.rows import CURRENT, TIMER


async def sweep(work: Work, until: int, limit: int) -> int:
    """Fires the timers of this home partition due at or before `until`, at most `limit` customers; returns how many.

    A timer may have moved on since it was registered: then its customer is only registered anew.
    """
    due = await work.session.due(work.claim.partition, until, limit)
    await work.load_people(due)
    for _, customer in due:
        person = work.people[customer]
        person.dirty = True
        person.due = FOREVER
        if person.status != CURRENT:
            continue
        journeys = dict(work.plans.journeys(person.project))
        before = person.recorded
        for version in person.tracks.keys() & journeys.keys():
            try:
                entries = fire(journeys[version], person.tracks[version], until, before)
            except Exception as error:  # noqa: BLE001 - a fault of one journey must not stop the customer's others
                work.quarantine(person, version, error)
                continue
            person.entries += [(version, entry, TIMER) for entry in entries]
            person.recorded = max([person.recorded, *(entry.recorded for entry in entries)])
    return len(due)
