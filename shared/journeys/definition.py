"""Reading a journey's definition. A definition with faults is refused with all of them at once.

name: shop
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

import re

from shared.journeys import conditions, document, examples, roles
from shared.journeys.conditions import window
from shared.journeys.conditions.logic import Any
from shared.journeys.layout import lay_out
from shared.journeys.matcher import Matcher
from shared.journeys.model import MEANINGS, Definition, Exit, Stage, Title
from shared.journeys.reading import DefinitionError, Place, Problem, Reading, shown
from shared.journeys.setting import nowhere
from shared.journeys.timers import circle

__all__ = ["Definition", "DefinitionError", "Exit", "Problem", "Stage", "Title", "load", "parse"]

MOST_STAGES = 100

_NAME = re.compile(r"\w[\w.-]{0,63}")
_RESERVED = ("none", "absent")
_NOTHING = Any(())
_OPEN = (Matcher(types=("page", "screen", "track")),)


def load(text: str) -> Definition:
    """The definition that a YAML text gives; raises DefinitionError."""
    value, reading = document.read(text)
    return _definition(Place(value, reading))


def parse(data: object) -> Definition:
    """The same from YAML or JSON that is parsed already; problems then have no lines."""
    return _definition(Place(data, Reading({})))


def _definition(place: Place) -> Definition:
    reading = place.reading
    optional = ("title", "description", "roles", "activity", "except", "side", "exit", "examples", "calendar")
    fields = place.fields("journey", "stages", optional=optional) or {}
    ordered = _members(fields.get("stages"))
    side = _members(fields.get("side"))
    reading.stages = _stage_names([*ordered, *side])
    reading.roles = dict(roles.bound(fields.get("roles")))
    reading.calendar = window.read_calendar(fields.get("calendar"))
    name = _name(fields.get("journey"))
    stages = [_stage(member, side=number >= len(ordered)) for number, member in enumerate([*ordered, *side])]
    definition = Definition(
        name=name,
        title=_title(fields.get("title"), name),
        stages=tuple(stage for stage in stages if stage is not None),
        ordered=len(ordered),
        exit=_exit(fields["exit"]) if "exit" in fields else None,
        activity=_matchers(fields["activity"]) if "activity" in fields else _OPEN,
        excepted=_matchers(fields["except"]) if "except" in fields else (),
        description=_description(fields),
        examples=examples.read(fields["examples"]) if "examples" in fields else (),
    )
    if not reading.problems and (stuck := circle(definition, lay_out(definition, nowhere()))):
        names = ["none" if number < 0 else definition.stages[number].name for number in [*stuck, stuck[0]]]
        remedy = "let one of these moves need a touchpoint, or take a stage out of its from:"
        place.problem(f"time alone goes round: {' → '.join(names)}", remedy)
    if reading.problems:
        raise DefinitionError(reading.problems)
    return definition


def _members(place: Place | None) -> list[Place]:
    members = (place and place.members("stages")) or []
    if place is not None and len(members) > MOST_STAGES:
        place.problem(f"there are more than {MOST_STAGES} stages", "split the journey")
    return members


def _stage_names(members: list[Place]) -> list[str]:
    """The names first, since conditions may refer to any stage."""
    names: list[str] = []
    for member in members:
        name = member.value.get("stage") if isinstance(member.value, dict) else None
        if isinstance(name, str):
            if name in names:
                member.child("stage").problem(f"there are two stages {name!r}", "give each a name of its own")
            names.append(name)
    return names


def _stage(place: Place, *, side: bool) -> Stage | None:
    required = ("stage", "enter", "from") if side else ("stage", "enter")
    optional = ("title", "description", "means", "return" if side else "from")
    if (fields := place.fields(*required, optional=optional)) is None:
        return None
    name = _name(fields.get("stage"))
    enter = conditions.read(fields["enter"]) if "enter" in fields else None
    stage = Stage(
        name=name,
        title=_title(fields.get("title"), name),
        enter=enter or _NOTHING,
        origins=_origins(fields["from"]) if "from" in fields else None,
        side=side,
        means=fields["means"].choice(*MEANINGS) if "means" in fields else None,
        back=_back(fields["return"]) if "return" in fields else None,
        description=_description(fields),
    )
    if name in _RESERVED:
        fields["stage"].problem(f"{name!r} is where customers are who are in no stage", "choose another name")
    return stage


def _exit(place: Place) -> Exit | None:
    if (fields := place.fields("from", "enter")) is None:
        return None
    enter = conditions.read(fields["enter"]) if "enter" in fields else None
    origins = _origins(fields["from"]) if "from" in fields else frozenset[str]()
    return Exit(enter or _NOTHING, origins)


def _back(place: Place) -> str | None:
    if (fields := place.fields("to", optional=["on"])) is None:
        return None
    if "on" in fields:
        fields["on"].choice("activity")
    return fields["to"].choice("previous", "highest") if "to" in fields else None


def _origins(place: Place) -> frozenset[str]:
    names = [member.stage() for member in place.one_or_more("stages") or []]
    return frozenset(name for name in names if name is not None)


def _matchers(place: Place) -> tuple[Matcher, ...]:
    matchers = [Matcher.parse(member) for member in place.members("matchers") or []]
    return tuple(matcher for matcher in matchers if matcher is not None)


def _name(place: Place | None) -> str:
    if place is None or (name := place.text("a name")) is None:
        return ""
    if not _NAME.fullmatch(name):
        place.problem(f"{shown(name)} is not a name", "use up to 64 letters, digits, - and _; put the rest in title:")
    return name


def _title(place: Place | None, name: str) -> Title:
    if place is None:
        return Title({"": name})
    if not isinstance(place.value, dict):
        return Title({"": place.text() or name})
    if place.value == {}:
        place.problem("it is empty", "write a text, or one for each language")
    texts = {language: text.text() for language, text in (place.entries() or {}).items()}
    return Title({language: text for language, text in texts.items() if text} or {"": name})


def _description(fields: dict[str, Place]) -> str:
    return (fields["description"].text() or "") if "description" in fields else ""
