"""How an answer about many is sent: JSON or CSV, whichever is asked for, with an ETag."""

import csv
import io
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from pydantic.main import IncEx

from services.metrics.analytics.copy import Snapshot
from services.metrics.api.answers import Answer, spelt_clock
from services.metrics.service import Asker

#: What may be asked for instead of an Accept header, for those who only have a link.
Format = Annotated[Literal["json", "csv"] | None, Query(alias="format", description="left out: as Accept says")]

VARY = "Accept, Accept-Language, Authorization, Cookie"

CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "The answer, as JSON or (Accept: text/csv, or format=csv) as lines.",
    },
    304: {"description": "Nothing has changed since the answer with this ETag."},
}


class Share(BaseModel):
    """A share, with its 95% interval where it is of fewer than 1,000."""

    part: Annotated[int, Field(examples=[120])]
    whole: Annotated[int, Field(examples=[480])]
    share: Annotated[float | None, Field(description="null: of nothing", examples=[0.25])]
    low: Annotated[float | None, Field(examples=[0.213])] = None
    high: Annotated[float | None, Field(examples=[0.291])] = None


class Counted(Answer):
    """What every answer from the analytical copy says of how it was counted."""

    time_zone: Annotated[str, Field(description="of days, weeks and months", examples=["Asia/Tehran"])]
    touchpoints: Annotated[int, Field(description="counted, over all time", examples=[182031])]
    customers: Annotated[int, Field(description="who have any", examples=[9120])]
    excluded: Annotated[int, Field(description="touchpoints left out: bots, and what was excluded", examples=[412])]


def counted(asker: Asker, snapshot: Snapshot) -> dict[str, Any]:
    """The fields of Counted."""
    return {
        "freshness": spelt_clock(snapshot.freshness),
        "time_zone": asker.project.time_zone,
        "touchpoints": len(snapshot.touchpoints),
        "customers": snapshot.acting,
        "excluded": snapshot.excluded,
    }


def send(
    request: Request,
    answer: BaseModel,
    lines: Sequence[dict[str, Any]],
    form: Literal["json", "csv"] | None,
    asked_now: IncEx | None = None,
    following: str | None = None,
) -> Response:
    """The answer as JSON, or `lines` as CSV; 304 if it is what the client has already.

    `asked_now` are the answer's fields that only say when it was asked: one that differs in them alone is the same,
    and its ETag is a weak one (as `exclude` of pydantic's `model_dump`). `following` is the next page's cursor, for
    which a CSV has no place: a Link header tells.
    """
    wanted = request.headers.get("accept", "")
    if form == "csv" or (form is None and "text/csv" in wanted and "application/json" not in wanted):
        body, kind = _csv(lines).encode(), "text/csv; charset=utf-8"
    else:
        body, kind = answer.model_dump_json(by_alias=True).encode(), "application/json"
    lasting = body if not asked_now else answer.model_dump_json(exclude=asked_now).encode() + kind.encode()
    tag = f'"{blake2b(lasting, digest_size=12).hexdigest()}"'
    headers = {"ETag": f"W/{tag}" if asked_now else tag, "Vary": VARY, "Cache-Control": "private, no-cache"}
    if following is not None:
        there = request.url.include_query_params(cursor=following)
        headers["Link"] = f'<{there.path}?{there.query}>; rel="next"'
    if tag in {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


def _csv(lines: Sequence[dict[str, Any]]) -> str:
    """RFC 4180, with a head. A text that a spreadsheet would compute is led by an apostrophe."""
    text = io.StringIO()
    if lines:
        writer = csv.DictWriter(text, list(lines[0]))
        writer.writeheader()
        writer.writerows({key: _harmless(value) for key, value in line.items()} for line in lines)
    return text.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
