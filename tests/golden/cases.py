"""The golden cases of docs/semantics.md as data; the engine and the oracle are each held to them.

A file has `cases`, and may have `base` (the instant that offsets count from), `zone` (the project's time zone; a case
of moves or of a stage may have its own) and named `definitions`. The one key of a case's `expect` names its kind:

    moves      definition, touchpoints, now → every move, [at, from, to, touchpoint | timer]
    stage      definition, touchpoints, now → the stage held
    customers  touchpoints (definition and now where moves are expected) → the customers, in any order
    known      definition, touchpoints → rows [at, known_at, stage]
    ledger     definition, touchpoints, now → rows [known_at, moves known from then on]
    clock      received, sent, timestamp → t, and whether it was clamped
    recorded   received, in order of arrival → the recorded times
    same       left, right → whether they are the same text
    refused    definition → that it is refused (always true)

`absent` stands for no stage at all. In `known` a plain date is the end of that day in `zone`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.golden.reading import MistypedError, instant, keys, parse, touchpoint

FOLDER = Path(__file__).parent / "semantics"
BASE = "2026-01-01T00:00:00Z"
HISTORY = {"definition", "touchpoints", "now"}

Definition = dict[str, Any]
Touchpoint = dict[str, Any]
Stage = str | None  # None for absent


@dataclass(frozen=True)
class ExpectedMove:
    """A move at an instant (µs), by a touchpoint or a timer."""

    at: int
    source: Stage
    target: str
    timer: bool


@dataclass(frozen=True)
class Moves:
    """What one customer's touchpoints, in any order, come to."""

    definition: Definition
    touchpoints: list[Touchpoint]
    now: int
    zone: str
    moves: list[ExpectedMove]


@dataclass(frozen=True)
class StageNow:
    """Where one customer's touchpoints lead."""

    definition: Definition
    touchpoints: list[Touchpoint]
    now: int
    zone: str
    stage: Stage


@dataclass(frozen=True)
class ExpectedCustomer:
    """Ids of its touchpoints in order; identifiers and moves where the case is about them."""

    touchpoints: list[str]
    identifiers: frozenset[tuple[str, str]] | None
    moves: list[ExpectedMove] | None


@dataclass(frozen=True)
class Customers:
    """Who the touchpoints belong to; with `join`, in a project whose shared devices join their users."""

    definition: Definition | None
    touchpoints: list[Touchpoint]
    now: int | None
    customers: list[ExpectedCustomer]
    join: bool


@dataclass(frozen=True)
class Known:
    """Rows of (at, known at, stage); a date means the end of that day in the zone."""

    definition: Definition
    touchpoints: list[Touchpoint]
    zone: str
    rows: list[tuple[int | date, int | date, Stage]]


@dataclass(frozen=True)
class Ledger:
    """Rows of (known at, the moves known from then until the next row)."""

    definition: Definition
    touchpoints: list[Touchpoint]
    now: int
    rows: list[tuple[int, list[ExpectedMove]]]


@dataclass(frozen=True)
class Clock:
    """What the corrected time of a touchpoint is (µs)."""

    received: int
    sent: int | None
    timestamp: int | None
    t: int
    clamped: bool


@dataclass(frozen=True)
class Recorded:
    """What the recorded times of one customer's records are (µs), in order of arrival."""

    received: list[int]
    recorded: list[int]


@dataclass(frozen=True)
class Text:
    """Whether two texts are the same."""

    left: str
    right: str
    same: bool


@dataclass(frozen=True)
class Refused:
    """A definition that is refused."""

    definition: Definition


Body = Moves | StageNow | Customers | Known | Ledger | Clock | Recorded | Text | Refused


@dataclass(frozen=True)
class Case:
    """One fact of the page: its rule, its sentence, the file it stands in, and what it is about."""

    file: str
    rule: int
    name: str
    body: Body

    @property
    def id(self) -> str:
        """The name under which pytest shows the case."""
        return f"{self.rule}-{self.name}"


@dataclass(frozen=True)
class File:
    """What the cases of one file share."""

    base: int
    zone: str
    definitions: dict[str, Definition]

    def time(self, written: object) -> int:
        return instant(written, self.base)

    def optional_time(self, written: object) -> int | None:
        return None if written is None else self.time(written)

    def day_or_time(self, written: object) -> int | date:
        if isinstance(written, str) and len(written) == len("2026-01-01") and written[:4].isdigit():
            return date.fromisoformat(written)
        return self.time(written)

    def definition(self, written: object) -> Definition:
        if isinstance(written, str):
            if written not in self.definitions:
                raise MistypedError(f"no definition is named {written!r}")
            return self.definitions[written]
        if not isinstance(written, dict):
            raise MistypedError(f"{written!r} is not a definition")
        return written

    def touchpoints(self, written: list[object], default_user: str | None = "somebody") -> list[Touchpoint]:
        return [touchpoint(one, self.base, default_user) for one in written]

    def moves(self, written: list[list[str]]) -> list[ExpectedMove]:
        found = []
        for at, source, target, cause in written:
            if cause not in ("touchpoint", "timer"):
                raise MistypedError(f"a move is by touchpoint or timer, not {cause!r}")
            found.append(ExpectedMove(self.time(at), stage(source), target, cause == "timer"))
        return found

    def history(self, case: dict[str, Any]) -> tuple[Definition, list[Touchpoint], int]:
        definition = self.definition(case["definition"])
        return definition, self.touchpoints(case["touchpoints"]), self.time(case["now"])


def stage(written: str) -> Stage:
    """A stage's name; None for absent."""
    return None if written == "absent" else written


def read_moves(file: File, case: dict[str, Any], expect: Any) -> Moves:
    """A case of the kind `moves`."""
    return Moves(*file.history(case), case.get("zone", file.zone), file.moves(expect))


def read_stage(file: File, case: dict[str, Any], expect: Any) -> StageNow:
    """A case of the kind `stage`."""
    return StageNow(*file.history(case), case.get("zone", file.zone), stage(expect))


def read_customers(file: File, case: dict[str, Any], expect: Any) -> Customers:
    """A case of the kind `customers`."""
    found = []
    for one in expect:
        keys(one, {"touchpoints"}, {"user", "anonymous", "moves"}, "an expected customer")
        pairs = frozenset((kind, value) for kind in ("user", "anonymous") for value in one.get(kind, []))
        moves = file.moves(one["moves"]) if "moves" in one else None
        found.append(ExpectedCustomer(one["touchpoints"], pairs or None, moves))
    definition = file.definition(case["definition"]) if "definition" in case else None
    touchpoints = file.touchpoints(case["touchpoints"], default_user=None)
    devices = case.get("devices", "split")
    if devices not in ("split", "join"):
        raise MistypedError(f"devices split or join, not {devices!r}")
    return Customers(definition, touchpoints, file.optional_time(case.get("now")), found, devices == "join")


def read_known(file: File, case: dict[str, Any], expect: Any) -> Known:
    """A case of the kind `known`."""
    rows = [(file.day_or_time(at), file.day_or_time(known), stage(held)) for at, known, held in expect]
    touchpoints = file.touchpoints(case["touchpoints"])
    return Known(file.definition(case["definition"]), touchpoints, file.zone, rows)


def read_ledger(file: File, case: dict[str, Any], expect: Any) -> Ledger:
    """A case of the kind `ledger`."""
    return Ledger(*file.history(case), [(file.time(known), file.moves(moves)) for known, moves in expect])


def read_clock(file: File, case: dict[str, Any], expect: Any) -> Clock:
    """A case of the kind `clock`."""
    keys(expect, {"t", "clamped"}, set(), "an expected clock")
    sent, timestamp = file.optional_time(case.get("sent")), file.optional_time(case.get("timestamp"))
    return Clock(file.time(case["received"]), sent, timestamp, file.time(expect["t"]), expect["clamped"])


def read_recorded(file: File, case: dict[str, Any], expect: Any) -> Recorded:
    """A case of the kind `recorded`."""
    return Recorded([file.time(one) for one in case["received"]], [file.time(one) for one in expect])


def read_text(file: File, case: dict[str, Any], expect: Any) -> Text:
    """A case of the kind `same`."""
    return Text(case["left"], case["right"], expect)


def read_refused(file: File, case: dict[str, Any], expect: Any) -> Refused:
    """A case of the kind `refused`."""
    if expect is not True:
        raise MistypedError("a definition is refused: true, or the case is of another kind")
    return Refused(file.definition(case["definition"]))


# Kind: (how it is read, the keys it needs, the keys it may have).
Reader = Callable[[File, dict[str, Any], Any], Body]
KINDS: dict[str, tuple[Reader, set[str], set[str]]] = {
    "moves": (read_moves, HISTORY, {"zone"}),
    "stage": (read_stage, HISTORY, {"zone"}),
    "customers": (read_customers, {"touchpoints"}, {"definition", "now", "devices"}),
    "known": (read_known, {"definition", "touchpoints"}, set()),
    "ledger": (read_ledger, HISTORY, set()),
    "clock": (read_clock, {"received"}, {"sent", "timestamp"}),
    "recorded": (read_recorded, {"received"}, set()),
    "same": (read_text, {"left", "right"}, set()),
    "refused": (read_refused, {"definition"}, set()),
}


def load() -> list[Case]:
    """Every golden case; a MistypedError names the file and the fault."""
    return [case for path in sorted(FOLDER.glob("*.yaml")) for case in read(path.name, path.read_text("utf-8"))]


def read(name: str, text: str) -> list[Case]:
    """The cases of one file."""
    try:
        content = keys(parse(text), {"cases"}, {"base", "zone", "definitions"}, "the file")
        base = instant(content.get("base", BASE), 0)
        file = File(base, content.get("zone", "UTC"), content.get("definitions", {}))
        return [read_case(name, file, case) for case in content["cases"]]
    except MistypedError as fault:
        raise MistypedError(f"{name}: {fault}") from fault


def read_case(name: str, file: File, case: Any) -> Case:
    """One case; its faults name it."""
    try:
        ((kind, expect),) = case["expect"].items()
        reader, required, optional = KINDS[kind]
        keys(case, {"name", "rule", "expect"} | required, optional, "the case")
        return Case(name, case["rule"], case["name"], reader(file, case, expect))
    except (KeyError, TypeError, ValueError, AttributeError, MistypedError) as fault:
        said = case.get("name", case) if isinstance(case, dict) else case
        raise MistypedError(f"{said!r}: {type(fault).__name__}: {fault}") from fault
