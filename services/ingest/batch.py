"""The events of one request: what it says once for all of them, and what becomes of each."""

import msgspec

from services.ingest.accept import Arrival, accept
from services.ingest.door import NOBODY, Door, Visitor
from services.ingest.keys import WriteKey
from services.ingest.protocols.port import Envelope
from services.ingest.protocols.reading import FAULTS, unfit
from services.ingest.refusals import Refusal, Refused, Unreadable
from services.ingest.times import instant
from shared.events import EMPTY
from shared.log.port import Entry
from shared.settings import Settings

#: The most that each event may get from its batch's common context, in bytes.
CONTEXT_BYTES = 4096

Raw = msgspec.Raw

_object = msgspec.json.Decoder(dict[str, Raw] | None).decode


def arrival_of(
    envelope: Envelope,
    key: WriteKey,
    received: int,
    settings: Settings,
    door: Door | None = None,
    visitor: Visitor = NOBODY,
) -> Arrival:
    """What the request says for all its events. Raises Unreadable."""
    try:
        sent = instant(envelope.sent_at, "sentAt") if envelope.sent_at else None
    except Refused as refused:
        raise Unreadable(400, refused.code, str(refused), refused.field) from None
    context = None if envelope.context is EMPTY else _common(envelope.context)
    guarded = key.kind == "browser" and not settings.browser_joins
    common = sent, context, False, door, visitor, guarded
    return Arrival(key.project, key.number, received, settings.event_bytes, *common)


def _common(context: Raw) -> dict[str, Raw] | None:
    if len(context) > CONTEXT_BYTES:
        raise Unreadable(
            400,
            "context_too_large",
            f"A batch's common context may have {CONTEXT_BYTES} bytes: send what is more with each event.",
            "context",
        )
    try:
        common: dict[str, Raw] | None = _object(context)
    except FAULTS as fault:
        wrong = unfit(fault, "context")
        raise Unreadable(400, wrong.code, str(wrong), wrong.field) from None
    return common


def decide(envelope: Envelope, arrival: Arrival, most: int) -> tuple[list[Entry], list[Refusal]]:
    """Takes or refuses each event; those past the `most` that a batch may have are refused."""
    entries: list[Entry] = []
    refused: list[Refusal] = []
    for index, event in enumerate(envelope.events):
        try:
            if index >= most:
                raise Refused("too_many_events", "", f"A batch takes {most} events: send this one in another.")
            if isinstance(event, Refused):
                raise event
            entries.append(accept(event, arrival))
        except Refused as fault:
            said = arrival.project, arrival.key, arrival.received, index, fault.code, fault.field, str(fault)
            refused.append(Refusal(*said))
    return entries, refused
