"""What is different between two definitions, stage by stage: in words, not in lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from shared.journeys import document, roles
from shared.journeys.conditions.base import Condition
from shared.journeys.definition import load
from shared.journeys.explanation import speaker
from shared.journeys.matcher import Matcher
from shared.journeys.model import Definition, Stage
from shared.journeys.reading import Place
from shared.journeys.telling import listed


class Difference(NamedTuple):
    """One thing that is different.

    `kind` is added, removed, renamed or changed; `stage` the stage that it is about, by its new name where it has one
    (None: the whole journey); `what` the part that changed; `before` and `after` say it in words, None where there is
    nothing.
    """

    kind: str
    stage: str | None
    what: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        whose = f"{self.stage}: " if self.stage else ""
        if self.kind == "renamed":
            return f"{self.before} is now called {self.after}"
        if self.kind in ("added", "removed"):
            return f"{self.stage} is {self.kind}: {self.after or self.before}"
        return f"{whose}{self.what}: {self.before or 'nothing'} → {self.after or 'nothing'}"


def differences(before: str, after: str, language: str = "en") -> list[Difference]:
    """What is different in the YAML text `after`. Raises DefinitionError if one of the two is no journey."""
    old, new = _Written(before, language), _Written(after, language)
    renamed = _renamed(old.definition, new.definition)
    return [*_stages(old, new, renamed), *_journey(old, new, renamed), *_roles(old, new)]


class _Written:
    """A definition beside the plain values that it was written as, and in whose words its conditions are said."""

    def __init__(self, text: str, language: str) -> None:
        self.definition = load(text)
        self._speaker = speaker(self.definition, language)
        self.fields, reading = document.read(text)
        listed = [*(self.fields.get("stages") or []), *(self.fields.get("side") or [])]
        self.stages: dict[str, Mapping[str, Any]] = {member["stage"]: member for member in listed}
        self.roles = roles.bound(Place(self.fields["roles"], reading) if "roles" in self.fields else None)

    def says(self, condition: Condition) -> str:
        """A condition as a sentence."""
        return self._speaker.sentence(condition.asks())

    def means(self, matchers: Sequence[Matcher]) -> str | None:
        """Touchpoints in words."""
        return self._speaker.say(listed([matcher.asks() for matcher in matchers], "or")) or None


def _renamed(old: Definition, new: Definition) -> dict[str, str]:
    """The new names of stages by their old ones: what left and what came say the same and stand alike."""
    gone = [one for one in old.stages if one.name not in new.numbers()]
    found: dict[str, str] = {}
    for stage in (one for one in new.stages if one.name not in old.numbers()):
        alike = (one for one in gone if (one.enter, one.side) == (stage.enter, stage.side))
        if (same := next(alike, None)) is not None:
            gone.remove(same)
            found[same.name] = stage.name
    return found


def _stages(old: _Written, new: _Written, renamed: Mapping[str, str]) -> Iterator[Difference]:
    left = {renamed.get(stage.name, stage.name): stage for stage in old.definition.stages}
    order = [name for name in left if name in new.stages]
    for stage in new.definition.stages:
        was = left.pop(stage.name, None)
        if was is None:
            yield Difference("added", stage.name, "stage", None, new.says(stage.enter))
            continue
        if was.name != stage.name:
            yield Difference("renamed", stage.name, "stage", was.name, stage.name)
        sentences = old.says(was.enter), new.says(stage.enter)
        if was.enter != stage.enter and sentences[0] != sentences[1]:  # else a role's names changed, told of the role
            yield Difference("changed", stage.name, "is entered when", *sentences)
        yield from _parts(was, stage, renamed)
        plain = ("stage", "enter", "from")
        yield from _values(old.stages[was.name], new.stages[stage.name], plain, stage.name)
    for stage in left.values():
        yield Difference("removed", stage.name, "stage", old.says(stage.enter), None)
    now = [name for name in new.stages if name in order]
    if order != now:
        yield Difference("changed", None, "order of stages", ", ".join(order), ", ".join(now))


def _parts(was: Stage, stage: Stage, renamed: Mapping[str, str]) -> Iterator[Difference]:
    before, after = _names(was.origins, renamed), _names(stage.origins, {})
    if before != after:
        yield Difference("changed", stage.name, "can be entered from", before or "anywhere", after or "anywhere")
    if was.side != stage.side:
        places = {False: "in the order", True: "beside the order"}
        yield Difference("changed", stage.name, "stands", places[was.side], places[stage.side])


def _journey(old: _Written, new: _Written, renamed: Mapping[str, str]) -> Iterator[Difference]:
    was, now = old.definition, new.definition
    parts = {
        "activity": (old.means(was.activity), new.means(now.activity)),
        "never activity": (old.means(was.excepted), new.means(now.excepted)),
        "is left when": (_exit(old, renamed), _exit(new, {})),
        "examples": (_count(was), _count(now)),
    }
    for what, (before, after) in parts.items():
        if before != after:
            yield Difference("changed", None, what, before, after)
    told = ("stages", "side", "roles", "activity", "except", "exit", "examples")
    yield from _values(old.fields, new.fields, told, None)


def _roles(old: _Written, new: _Written) -> Iterator[Difference]:
    for role in sorted(old.roles.keys() | new.roles.keys()):
        before, after = old.roles.get(role, ()), new.roles.get(role, ())
        if set(before) != set(after):
            gone = ", ".join(name for name in before if name not in after)
            came = ", ".join(name for name in after if name not in before)
            yield Difference("changed", None, f"names of the role {role}", gone or None, came or None)


def _values(
    before: Mapping[str, Any], after: Mapping[str, Any], told: Sequence[str], stage: str | None
) -> Iterator[Difference]:
    """What is different under the keys that are said as they are written."""
    for key in dict.fromkeys([*before, *after]):
        if key not in told and before.get(key) != after.get(key):
            yield Difference("changed", stage, key, _plain(before.get(key)), _plain(after.get(key)))


def _plain(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    written: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    return written.removesuffix("\n").removesuffix("\n...")


def _names(origins: frozenset[str] | None, renamed: Mapping[str, str]) -> str:
    return ", ".join(sorted(renamed.get(name, name) for name in origins or ()))


def _exit(written: _Written, renamed: Mapping[str, str]) -> str | None:
    if (exit := written.definition.exit) is None:
        return None
    return f"{written.says(exit.enter)} (from {_names(exit.origins, renamed)})"


def _count(definition: Definition) -> str | None:
    return str(len(definition.examples)) if definition.examples else None
