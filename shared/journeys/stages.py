"""Reading a stage: what leads into it, and what a team has planned for it.

- stage: consideration
  title: Compares
  owner: Content team
  notes: Case studies work best here
  planned:
    - {kind: web site, content: case study, owner: Content team, cost: {amount: 400, currency: EUR}}
    - {kind: e-mail, channel: email}
  expected: {touchpoints: [3, 8]}
  persona: [owner, buyer]
  enter: {count: {of: {role: product-view}, at_least: 3}}
"""

import re
from decimal import Decimal

from shared.journeys import conditions, naming
from shared.journeys.conditions.base import Condition
from shared.journeys.conditions.logic import All, Any
from shared.journeys.conditions.persona import Persona
from shared.journeys.matcher import known
from shared.journeys.model import MEANINGS, Conversion, Cost, Exit, Planned, Stage
from shared.journeys.reading import Place, shown

#: Stands for a condition that could not be read.
NOTHING = Any(())

_RESERVED = ("none", "absent")
_CURRENCY = re.compile("[A-Z]{3}")
_TOLD = ("title", "description", "means", "owner", "notes", "planned", "expected", "persona")


def stage(place: Place, *, side: bool) -> Stage | None:
    """An ordered stage or a side stage; None if a problem was noted."""
    required = ("stage", "enter", "from") if side else ("stage", "enter")
    if (fields := place.fields(*required, optional=(*_TOLD, "return" if side else "from"))) is None:
        return None
    name = naming.name(fields.get("stage"))
    if name in _RESERVED:
        fields["stage"].problem(f"{name!r} is where customers are who are in no stage", "choose another name")
    return Stage(
        name=name,
        title=naming.title(fields, name),
        enter=_enter(fields),
        origins=_origins(fields["from"]) if "from" in fields else None,
        side=side,
        means=fields["means"].choice(*MEANINGS) if "means" in fields else None,
        back=_back(fields["return"]) if "return" in fields else None,
        description=naming.text(fields, "description"),
        owner=naming.text(fields, "owner"),
        notes=naming.text(fields, "notes"),
        planned=_all_planned(fields["planned"]) if "planned" in fields else (),
        expected=_expected(fields["expected"]) if "expected" in fields else None,
    )


def exit(place: Place) -> Exit | None:
    """What stands under `exit:`."""
    if (fields := place.fields("from", "enter")) is None:
        return None
    return Exit(_enter(fields), _origins(fields["from"]) if "from" in fields else frozenset[str]())


def conversions(place: Place) -> tuple[Conversion, ...]:
    """What stands under `conversions:`."""
    members = place.members("conversions, such as {from: lead, to: buyer}") or []
    return tuple(conversion for member in members if (conversion := _conversion(member)))


def _conversion(place: Place) -> Conversion | None:
    if (fields := place.fields("from", "to", optional=["title"])) is None:
        return None
    source = fields["from"].stage() if "from" in fields else None
    target = fields["to"].stage() if "to" in fields else None
    if target == "none":
        fields["to"].problem("nobody converts to no stage at all", "name one of the stages")
    elif source is not None and source == target:
        place.problem(f"it leads from {source} to itself", "name two stages")
    return Conversion(source or "", target or "", naming.title(fields, f"{source} → {target}"))


def _enter(fields: dict[str, Place]) -> Condition:
    enter = (conditions.read(fields["enter"]) if "enter" in fields else None) or NOTHING
    branch = Persona.parse(fields["persona"], conditions.read) if "persona" in fields else None
    return enter if branch is None else All((enter, branch))


def _back(place: Place) -> str | None:
    if (fields := place.fields("to", optional=["on"])) is None:
        return None
    if "on" in fields:
        fields["on"].choice("activity")
    return fields["to"].choice("previous", "highest") if "to" in fields else None


def _origins(place: Place) -> frozenset[str]:
    names = [member.stage() for member in place.one_or_more("stages") or []]
    return frozenset(name for name in names if name is not None)


def _all_planned(place: Place) -> tuple[Planned, ...]:
    members = place.members("touchpoints, such as {kind: e-mail}") or []
    return tuple(planned for member in members if (planned := _planned(member)))


def _planned(place: Place) -> Planned | None:
    if (fields := place.fields("kind", optional=("channel", "content", "owner", "cost"))) is None:
        return None
    facts = {key: fields[key].text() for key in ("kind", "channel", "content") if key in fields}
    for key, value in facts.items():
        if value is not None:
            known(fields[key], key, value)
    cost = _cost(fields["cost"]) if "cost" in fields else None
    return Planned(
        facts.get("kind") or "", facts.get("channel"), facts.get("content"), naming.text(fields, "owner"), cost
    )


def _cost(place: Place) -> Cost | None:
    if (fields := place.fields("amount", "currency")) is None:
        return None
    amount = fields["amount"].number() if "amount" in fields else None
    if amount is not None and amount < 0:
        fields["amount"].problem(f"{amount} is less than nothing", "write what it costs")
    currency = fields["currency"].text() if "currency" in fields else None
    if currency is not None and not _CURRENCY.fullmatch(currency):
        fields["currency"].problem(f"{shown(currency)} is not a currency", "write its three letters, such as EUR")
    return None if amount is None or currency is None else Cost(Decimal(str(amount)), currency)


def _expected(place: Place) -> tuple[int, int] | None:
    if (fields := place.fields("touchpoints")) is None or "touchpoints" not in fields:
        return None
    band = fields["touchpoints"]
    if not isinstance(band.value, list | tuple) or len(band.value) != 2:
        band.problem(f"{shown(band.value)} is not a band", "write the fewest and the most, such as [3, 8]")
        return None
    low, high = (member.whole() for member in band.members("numbers") or [])
    if low is None or high is None:
        return None
    if low > high:
        band.problem(f"{low} is more than {high}", "write the fewest first")
    return low, high
