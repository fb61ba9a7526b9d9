"""Reading a definition so that every problem in it is reported at once, each with its place, path and remedy."""

import difflib
import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from shared.journeys import duration
from shared.journeys.calendar import Calendar

Steps = tuple[str | int, ...]


class Mark(NamedTuple):
    """Where something stands in a text: a key, or a member of a list. Lines and columns count from 1."""

    line: int | None = None
    column: int | None = None


class Problem(NamedTuple):
    """What is wrong at `path`, and what to do; where it stands, if it was read from a text."""

    path: str
    message: str
    remedy: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = [f"line {self.line}, column {self.column}"] if self.line else []
        where += [self.path] if self.path else []
        said = f"{self.message} — {self.remedy}"
        return f"{', '.join(where)}: {said}" if where else said


class DefinitionError(ValueError):
    """A definition that cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Reading:
    """One definition being read: what it may refer to, and the problems found so far."""

    def __init__(self, marks: dict[Steps, Mark]) -> None:
        self.marks = marks
        self.problems: list[Problem] = []
        self.stages: list[str] = []
        self.personas: Mapping[str, Any] = {}
        self.known: Mapping[str, Collection[str]] = {}
        self.roles: dict[str, tuple[str, ...]] = {}
        self.calendar = Calendar()


class Place:
    """One value of a definition, where it stands. A reader that finds a fault notes it and gives None."""

    def __init__(self, value: Any, reading: Reading, steps: Steps = ()) -> None:
        self.value = value
        self.reading = reading
        self.steps = steps

    @property
    def path(self) -> str:
        """Such as `stages[2].enter.count`."""
        return spelt(self.steps)

    def problem(self, message: str, remedy: str, key: str | None = None) -> None:
        """Notes a fault at this place, or at one of its keys if it is the key's."""
        self.reading.problems.append(Problem(self.path, message, remedy, *self.mark(key)))

    def mark(self, key: str | None = None) -> Mark:
        """Where it stands, or one of its keys; nowhere if it was not read from a text."""
        steps = self.steps if key is None else (*self.steps, key)
        while steps and steps not in self.reading.marks:
            steps = steps[:-1]
        return self.reading.marks.get(steps, Mark())

    def child(self, step: str | int) -> "Place":
        return Place(self.value[step], self.reading, (*self.steps, step))

    def entries(self, what: str = "a mapping") -> "dict[str, Place] | None":
        """The values of a mapping with texts as keys."""
        if not isinstance(self.value, Mapping):
            self.problem(f"{shown(self.value)} is not {what}", "write it as keys and values")
            return None
        if odd := [key for key in self.value if not isinstance(key, str)]:
            self.problem(f"the key {shown(odd[0])} is not a text", "put it in quotes")
            return None
        return {key: self.child(key) for key in self.value}

    def fields(self, *required: str, optional: Collection[str] = ()) -> "dict[str, Place] | None":
        """The values of a mapping that has all of `required`, some of `optional` and nothing else."""
        if (entries := self.entries()) is None:
            return None
        known = [*required, *optional]
        for key in entries:
            if key not in known:
                self.problem(f"unknown key {key!r}", nearest(key, known), key)
        for key in required:
            if key not in entries:
                self.problem(f"{key!r} is missing", f"add {key}:")
        return {key: place for key, place in entries.items() if key in known}

    def members(self, what: str) -> "list[Place] | None":
        """The values of a list that is not empty."""
        if not isinstance(self.value, list | tuple):
            self.problem(f"{shown(self.value)} is not a list", f"write a list of {what}")
            return None
        if not self.value:
            self.problem("the list is empty", f"list at least one of {what}")
            return None
        return [self.child(number) for number in range(len(self.value))]

    def one_or_more(self, what: str) -> "list[Place] | None":
        """The values of a list, or the one value that stands in its place."""
        return self.members(what) if isinstance(self.value, list | tuple) else [self]

    def text(self, what: str = "a text") -> str | None:
        if isinstance(self.value, str) and self.value.strip():
            return self.value
        self.problem(f"{shown(self.value)} is not {what}", f"write {what}, in quotes if need be")
        return None

    def choice(self, *choices: str) -> str | None:
        if isinstance(self.value, str) and self.value in choices:
            return self.value
        self.problem(f"unknown value {shown(self.value)}", nearest(str(self.value), choices))
        return None

    def duration(self) -> int | None:
        """A duration in microseconds."""
        found = duration.parse(self.value) if isinstance(self.value, str) else None
        if found is None:
            self.problem(f"{shown(self.value)} is not a duration", "write one such as 90s, 15m, 12h, 30d or 4w")
        return found

    def number(self) -> int | float | None:
        value = self.value
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        self.problem(f"{shown(value)} is not a number", "write a number, without quotes")
        return None

    def whole(self) -> int | None:
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= 0:
            return self.value
        self.problem(f"{shown(self.value)} is not a whole number", "write 0, 1, 2, …")
        return None

    def stage(self) -> str | None:
        """The name of one of the journey's stages, or `none`."""
        known = [*self.reading.stages, "none"]
        if isinstance(self.value, str) and self.value in known:
            return self.value
        self.problem(f"there is no stage {shown(self.value)}", nearest(str(self.value), known))
        return None


def nearest(word: str, known: Collection[str]) -> str:
    """The remedy for a misspelt word."""
    if close := difflib.get_close_matches(word, known, 1):
        return f"did you mean {close[0]}?"
    return f"use {'one of ' if len(known) > 1 else ''}{', '.join(known)}"


def shown(value: object) -> str:
    """A value in a message, short enough to read."""
    kinds: dict[type, str] = {dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing"}
    return kinds.get(type(value)) or (repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}…")


def spelt(steps: Steps) -> str:
    """A path such as `stages[2].enter.count`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path
