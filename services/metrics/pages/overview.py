"""The first look: how many customers stand in each stage of every journey."""

from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse

from services.metrics.api.stages import StageCount, Stages
from services.metrics.pages.frame import Pages
from services.metrics.pages.words import Words
from shared.events import SECOND
from shared.store.reads import Project

#: Seconds after which the page is read again.
REFRESH = 15


def overview(
    pages: Pages, words: Words, project: Project, journeys: list[Stages], clock: int, behind: int
) -> HTMLResponse:
    """The page. `clock` is the store's, in microseconds (0: none yet); `behind` customers wait to be derived anew."""
    leave = (
        '<form method="post" action="/"><input type="hidden" name="token">'
        f'<button class="link">{escape(words.sign_out)}</button></form>'
    )
    notes = f"<p>{escape(_current(words, clock, ZoneInfo(project.time_zone)))}</p>"
    if behind:
        notes += f"<p>{escape(words.behind.format(words.number(behind)))}</p>"
    cards = "".join(_card(words, journey) for journey in journeys) or _nothing(words)
    links = (
        f'<footer><a href="/openapi.json">{escape(words.interface)}</a>'
        f'<a href="/metrics">{escape(words.metrics)}</a></footer>'
    )
    body = f'<h1>{escape(words.journeys)}</h1><div class="notes">{notes}</div>{cards}{links}'
    return pages.page(words, body, leave, refresh=REFRESH)


def _current(words: Words, clock: int, zone: ZoneInfo) -> str:
    if not clock:
        return words.never
    moment = datetime.fromtimestamp(clock // SECOND, UTC).astimezone(zone)
    recent = datetime.now(UTC) - moment < timedelta(hours=12)
    return words.current.format(words.digital(moment.strftime("%H:%M:%S" if recent else "%Y-%m-%d %H:%M")))


def _card(words: Words, journey: Stages) -> str:
    most = max([journey.none, *(stage.customers for stage in journey.stages)]) or 1
    ordered = "".join(_row(words, stage, most) for stage in journey.stages if not stage.side)
    none = _line(words, escape(words.none), escape(words.none_means), journey.none, most, "none")
    side = "".join(_row(words, stage, most) for stage in journey.stages if stage.side)
    if side:
        side = f'<tbody><tr><th colspan="3" scope="rowgroup" class="group">{escape(words.side)}</th></tr>{side}</tbody>'
    path = f"/v1/journeys/{quote(journey.journey, safe='')}"
    return (
        f'<section class="card"><h2>{escape(journey.title)}</h2><table>'
        f'<thead><tr><th colspan="2"></th><th scope="col">{escape(words.customers)}</th></tr></thead>'
        f"<tbody>{ordered}{none}</tbody>{side}"
        f'<tfoot><tr><th colspan="2" scope="row">{escape(words.total)}</th>'
        f"<td>{words.number(journey.total)}</td></tr></tfoot></table>"
        f'<p class="links"><a href="{path}/stages">{escape(words.as_data)}</a>'
        f'<a href="{path}/transitions">{escape(words.moves)}</a></p></section>'
    )


def _row(words: Words, stage: StageCount, most: int) -> str:
    means = words.means.get(stage.means or "", "")
    said = "" if means.casefold() == stage.title.casefold() else escape(means)
    return _line(words, escape(stage.title), said, stage.customers, most, "side" if stage.side else "")


def _line(words: Words, title: str, means: str, customers: int, most: int, kind: str) -> str:
    small = f"<small>{means}</small>" if means else ""
    bar = f'<svg aria-hidden="true"><rect width="{100 * max(customers, 0) / most:.1f}%" height="100%" rx="2"/></svg>'
    return (
        f'<tr class="{kind}"><th scope="row">{title}{small}</th><td>{bar}</td><td>{words.number(customers)}</td></tr>'
    )


def _nothing(words: Words) -> str:
    return f'<p class="card">{escape(words.empty)} <code dir="ltr">milepost journeys add FILE</code></p>'
