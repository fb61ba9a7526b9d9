"""A touchpoint, as it was understood."""

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.api.answers import Instant
from shared.events import Record
from shared.touch.told import Teller


class Touchpoint(BaseModel):
    """A touchpoint, as it was understood."""

    id: Annotated[str, Field(description="its message id", examples=["ajs-next-1712-4f"])]
    type: Annotated[str, Field(examples=["track"])]
    name: Annotated[str | None, Field(examples=["Order Completed"])]
    user_id: Annotated[str | None, Field(examples=["u-1042"])]
    anonymous_id: Annotated[str | None, Field(examples=["7c1f0a52-…"])]
    previous_id: Annotated[str | None, Field(description="of an alias", examples=[None])]
    group_id: Annotated[str | None, Field(description="of a group", examples=[None])]
    at: Annotated[Instant, Field(description="when it happened, the sender's clock set right")]
    clamped: Annotated[bool, Field(description="it said that it lies in the future", examples=[False])]
    received_at: Annotated[Instant, Field(description="when it was received")]
    bot: Annotated[bool, Field(description="a bot did it, by its user agent", examples=[False])]
    excluded: Annotated[bool, Field(description="so it counts for nothing", examples=[False])]
    kind: Annotated[str | None, Field(description="of touchpoint, by the tables", examples=["website visit"])]
    direction: Annotated[str | None, Field(description="who acts: `by` or `to` the customer", examples=["by"])]
    content: Annotated[str | None, Field(description="what kind of content it is about", examples=["product page"])]
    channel: Annotated[
        str | None, Field(description="how somebody came; null: it does not say", examples=["paid search"])
    ]
    source: Annotated[str | None, Field(description="of that visit", examples=["google"])]
    medium: Annotated[str | None, Field(examples=["cpc"])]
    campaign: Annotated[str | None, Field(examples=["spring"])]
    properties: Annotated[dict[str, Any], Field(examples=[{"revenue": 49.9}])]
    traits: Annotated[dict[str, Any], Field(examples=[{}])]
    context: Annotated[dict[str, Any], Field(examples=[{"campaign": {"source": "newsletter"}}])]


_object = msgspec.json.Decoder(dict[str, Any]).decode


def understood(record: Record, teller: Teller) -> Touchpoint:
    """The record as it is shown, with what the tables say of it."""
    told = teller.tell(record)
    origin = told.origin
    return Touchpoint(
        id=record.id,
        type=record.type,
        name=record.name,
        user_id=record.user,
        anonymous_id=record.anonymous,
        previous_id=record.previous,
        group_id=record.group,
        at=instants.spell(record.at),
        clamped=record.clamped,
        received_at=instants.spell(record.received),
        bot=record.seen is not None and record.seen.bot,
        excluded=record.excluded,
        kind=told.kind,
        direction=told.direction,
        content=told.content,
        channel=told.channel,
        source=(origin and origin.source) or None,
        medium=(origin and origin.medium) or None,
        campaign=(origin and origin.campaign) or None,
        properties=_object(record.properties),
        traits=_object(record.traits),
        context=_object(record.context),
    )
