"""How a definition fits the names that a site sends: what no rule reads, what nothing has met, what to bind."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from shared.events import TYPES
from shared.journeys import document, roles
from shared.journeys.conditions.base import inside
from shared.journeys.conditions.touchpoint import Match
from shared.journeys.definition import load
from shared.journeys.matcher import Matcher
from shared.journeys.model import Definition
from shared.journeys.reading import Place
from shared.journeys.sentences import speaker
from shared.touch.text import fold

#: Unknown names that a role is looked for, the most frequent first; the share of words that two names have to have in
#: common, and how alike two words have to be, from 0 to 1.
GUESSED, ENOUGH, CLOSE = 100, 0.66, 0.8

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: Words that say of an event whose it is, which every event is of.
_WHO = frozenset(map(fold, ("user", "customer", "client", "event", "کاربر", "مشتری", "المستخدم", "العميل")))
_BETWEEN = re.compile(r"[\W_]+")


class Met(NamedTuple):
    """A name that a site has sent, under a type: `n` touchpoints between two instants (µs), both inclusive.

    An empty name stands for none. An empty type stands for all names beyond those that are counted one by one.
    """

    type: str
    name: str
    n: int
    first_at: int
    last_at: int


class Guess(NamedTuple):
    """The role that a name probably means: it is so much like a name `known` for it, up to 1."""

    role: str
    known: str
    alike: float


class Unread(NamedTuple):
    """A name that no rule of the journey reads."""

    met: Met
    guess: Guess | None


class Silent(NamedTuple):
    """A role, or the touchpoints that a rule asks for in words: met by none (`last_at` None), or by none any more."""

    said: str
    n: int
    last_at: int | None


class Fit(NamedTuple):
    """How a journey fits. `bindings` is YAML to paste into it, empty if nothing is suggested.

    `events` touchpoints were met, `unread` names by no rule; `others` touchpoints had names that are not counted one
    by one. `roles` and `conditions` are those that are silent.
    """

    events: int
    others: int
    unread: list[Unread]
    roles: list[Silent]
    conditions: list[Silent]
    bindings: str


def fit(text: str, met: Sequence[Met], since: int, language: str = "en") -> Fit:
    """How a definition's YAML fits the names met; what was not met from `since` on has fallen silent."""
    definition = load(text)
    fields, reading = document.read(text)
    own: Mapping[str, Any] = fields.get("roles") or {}
    bound = roles.bound(Place(own, reading) if own else None)
    named = [(one, fold(one.name) if one.name else None) for one in met if one.type in TYPES]
    rules = list(dict.fromkeys(_matchers(definition)))
    unread = _unread(definition, rules, named)
    used = sorted({role for matcher in rules for role in matcher.roles})
    guesser = _Guesser({role: bound.get(role, ()) for role in used})
    elsewhere = {fold(name) for role, names in bound.items() if role not in used for name in names}
    guessed = [
        Unread(one, guesser.guess(one.name) if i < GUESSED and fold(one.name) not in elsewhere else None)
        for i, one in enumerate(unread)
    ]
    speaks = speaker(definition, language)
    names = {role: frozenset(map(fold, bound[role])) for role in used}
    silent = [_silent(role, (one for one, name in named if name in names[role])) for role in used]
    asked = [
        _silent(speaks.say(matcher.asks()), (one for one, name in named if matcher.may(one.type, name)))
        for matcher in rules
    ]
    return Fit(
        sum(one.n for one in met),
        sum(one.n for one in met if not one.type),
        guessed,
        [one for one in silent if one.last_at is None or one.last_at < since],
        [one for one in asked if one.last_at is None or one.last_at < since],
        _bindings(guessed, own),
    )


def unread_names(definition: Definition, met: Iterable[Met]) -> int:
    """How many names no rule reads."""
    named = [(one, fold(one.name) if one.name else None) for one in met if one.type in TYPES]
    return len(_unread(definition, list(dict.fromkeys(_matchers(definition))), named))


def _matchers(definition: Definition) -> Iterator[Matcher]:
    """What the rules ask for: those of the stages and of the exit."""
    for enter in definition.conditions():
        for part in inside(enter):
            if isinstance(part, Match):
                yield part.matcher
            for slot, _ in part.slots():
                yield from slot.matchers()


def _unread(definition: Definition, rules: Sequence[Matcher], named: Iterable[tuple[Met, str | None]]) -> list[Met]:
    # What counts as activity by its type alone says nothing of a name; what is named there is known.
    known = [one for one in (*definition.activity, *definition.excepted) if _by_name(one)]
    reads = [one for one in rules if _by_name(one) or not _by_content(one)] + known
    found = [one for one, name in named if name and not any(matcher.may(one.type, name) for matcher in reads)]
    return sorted(found, key=lambda one: (-one.n, one.type, one.name))


def _by_name(matcher: Matcher) -> bool:
    return matcher.names is not None or matcher.bound is not None


def _by_content(matcher: Matcher) -> bool:
    return bool(matcher.properties or matcher.context or matcher.traits or matcher.facts)


def _silent(said: str, met: Iterable[Met]) -> Silent:
    found = list(met)
    return Silent(said, sum(one.n for one in found), max((one.last_at for one in found), default=None))


class _Guesser:
    """Looks for what unknown names mean among the names known for roles; a role's own name is one of them."""

    def __init__(self, bound: roles.Roles) -> None:
        known = [(role, name) for role, names in bound.items() for name in (role, *names)]
        self._known = [(role, name, frozenset(_words(name)), _joined(name)) for role, name in known]
        self._vocabulary = sorted({word for _, _, words, _ in self._known for word in words})
        self._alike: dict[str, frozenset[str]] = {}

    def guess(self, name: str) -> Guess | None:
        """The role of the name that is most alike, of those that have enough words in common with this one."""
        words, joined, best = _words(name), _joined(name), None
        alike = [self._close(word) for word in words]
        for role, known, others, other in self._known:
            common = sum(not others.isdisjoint(close) for close in alike)
            if joined == other or common >= ENOUGH * max(len(words), len(others)):
                ratio = round(difflib.SequenceMatcher(None, joined, other, autojunk=False).ratio(), 3)
                if best is None or ratio > best.alike:
                    best = Guess(role, known, ratio)
        return best

    def _close(self, word: str) -> frozenset[str]:
        if word not in self._alike:
            close = difflib.get_close_matches(word, self._vocabulary, 9, CLOSE)
            self._alike[word] = frozenset(one for one in close if one[:2] == word[:2])  # viewed is not reviewed
        return self._alike[word]


def _words(name: str) -> list[str]:
    """`orderCompleted` and `user completed_order` have the same."""
    words = fold(_BETWEEN.sub(" ", _HUMP.sub(" ", name))).split()
    return [word for word in words if word not in _WHO] or words


def _joined(name: str) -> str:
    return "".join(_words(name))


def _bindings(unread: Sequence[Unread], own: Mapping[str, Any]) -> str:
    """What to write under `roles:`; the names that are bound there already stay."""
    found: dict[str, list[str]] = {}
    for met, guess in unread:
        if guess is not None:
            found.setdefault(guess.role, []).append(met.name)
    lines = [f"  {role}: {_flow(_with(own.get(role), list(dict.fromkeys(names))))}" for role, names in found.items()]
    return "\n".join(["roles:", *lines, ""]) if lines else ""


def _with(own: Any, names: list[str]) -> Any:
    if isinstance(own, list | str):
        return [*(own if isinstance(own, list) else [own]), *names]
    also = own.get("also", []) if isinstance(own, dict) else []
    return {"also": [*(also if isinstance(also, list) else [also]), *names]}


def _flow(value: Any) -> str:
    written: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return written.strip()
