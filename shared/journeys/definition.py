"""Reading a journey's definition. A definition with faults is refused with all of them at once.

journey: shop
title: {en: Shop, fa: فروشگاه}
roles: {purchase: [Order Completed], sign-up: {also: [Joined]}}
activity: [{type: [page, track]}]
except: [{name: Email Delivered}]
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, means: converted, enter: {touchpoint: {role: purchase}}}
side:
  - {stage: churned, means: churned, from: buyer, enter: {quiet: 90d}, return: {to: highest}}
exit: {from: [visitor, buyer], enter: {touchpoint: {name: Account Deleted}}}
"""

from shared.journeys import document, examples, naming, personas, roles, stages
from shared.journeys.conditions import window
from shared.journeys.layout import MOST_NUMBERS, lay_out, numbers
from shared.journeys.matcher import Matcher
from shared.journeys.model import Definition, Exit, Stage, Title
from shared.journeys.reading import DefinitionError, Place, Problem, Reading
from shared.journeys.setting import nowhere
from shared.journeys.timers import circle
from shared.touch.told import Teller

__all__ = ["Definition", "DefinitionError", "Exit", "Problem", "Stage", "Title", "load", "parse"]

MOST_STAGES = 100

#: What a definition may have beside its name and its stages.
_OPTIONAL = (
    *("title", "description", "calendar", "roles", "personas", "activity", "except"),
    *("side", "exit", "conversions", "examples"),
)

_OPEN = (Matcher(types=("page", "screen", "track")),)


def load(text: str, teller: Teller | None = None) -> Definition:
    """The definition that a YAML text gives; raises DefinitionError.

    With a teller, what it asks of channels, kinds, directions and contents must stand in the tables. A definition that
    is in force is read without: the tables may have changed since.
    """
    value, reading = document.read(text)
    return _definition(Place(value, reading), teller)


def parse(data: object, teller: Teller | None = None) -> Definition:
    """The same from YAML or JSON that is parsed already; problems then have no lines."""
    return _definition(Place(data, Reading({})), teller)


def _definition(place: Place, teller: Teller | None) -> Definition:
    reading = place.reading
    reading.known = {} if teller is None else teller.known
    fields = place.fields("journey", "stages", optional=_OPTIONAL) or {}
    ordered = _members(fields.get("stages"))
    side = _members(fields.get("side"))
    reading.stages = naming.names([*ordered, *side], "stage")
    reading.roles = dict(roles.bound(fields.get("roles")))
    reading.calendar = window.read_calendar(fields.get("calendar"))
    people = personas.read(fields["personas"]) if "personas" in fields else ()
    name = naming.name(fields.get("journey"))
    found = [stages.stage(member, side=number >= len(ordered)) for number, member in enumerate([*ordered, *side])]
    definition = Definition(
        name=name,
        title=naming.title(fields, name),
        stages=tuple(stage for stage in found if stage is not None),
        ordered=len(ordered),
        exit=stages.exit(fields["exit"]) if "exit" in fields else None,
        activity=_matchers(fields["activity"]) if "activity" in fields else _OPEN,
        excepted=_matchers(fields["except"]) if "except" in fields else (),
        description=naming.text(fields, "description"),
        examples=examples.read(fields["examples"]) if "examples" in fields else (),
        personas=people,
        conversions=stages.conversions(fields["conversions"]) if "conversions" in fields else (),
    )
    if not reading.problems:
        _whole(place, definition)
    if reading.problems:
        raise DefinitionError(reading.problems)
    return definition


def _whole(place: Place, definition: Definition) -> None:
    """What can only be said of all of its conditions together."""
    layout = lay_out(definition, nowhere())
    if stuck := circle(definition, layout):
        names = ["none" if number < 0 else definition.stages[number].name for number in [*stuck, stuck[0]]]
        remedy = "let one of these moves need a touchpoint, or take a stage out of its from:"
        place.problem(f"time alone goes round: {' → '.join(names)}", remedy)
    if (kept := numbers(layout)) > MOST_NUMBERS:
        message = f"it would keep up to {kept:,} numbers of each customer, and {MOST_NUMBERS:,} are allowed"
        place.problem(message, "count to smaller numbers within windows, compare fewer values, or split the journey")


def _members(place: Place | None) -> list[Place]:
    members = (place and place.members("stages")) or []
    if place is not None and len(members) > MOST_STAGES:
        place.problem(f"it has {len(members)} stages, and {MOST_STAGES} are allowed", "split the journey")
    return members


def _matchers(place: Place) -> tuple[Matcher, ...]:
    matchers = [Matcher.parse(member) for member in place.members("matchers") or []]
    return tuple(matcher for matcher in matchers if matcher is not None)
