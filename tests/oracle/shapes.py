"""What the page refuses in a condition, a matcher or a predicate, mistyped keys among it."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tests.oracle.aggregates import AGGREGATES, COMPARISONS, COUNTED, MEASURED
from tests.oracle.facts import FACTS, TOLD, values
from tests.oracle.matching import MATCHER_KEYS
from tests.oracle.periods import PERIODS
from tests.oracle.predicates import ORDER_KEYS, PREDICATE_KEYS, TEXT_KEYS, is_number, listed
from tests.oracle.text import fold
from tests.oracle.times import microseconds, written_instant

WINDOWS = ("within", "during", "since")
BODY_KEYS = {
    "count": {"of", *WINDOWS, *COMPARISONS},
    "trend": {"of", "property", "within", *COMPARISONS},
    "visits": {"of", *COMPARISONS},
    "stay": {"for", "in"},
    "sequence": {"steps", "within", "without", "by", "since", "held"},
    "score": {"of", "traits", "half_life", *COMPARISONS},
    **{kind: {"of", "property", *WINDOWS, *COMPARISONS} for kind in ("distinct", *MEASURED)},
}
PLAIN = {"touchpoint", "quiet", "came_from", "trait", "persona"}
COMPARED = {*AGGREGATES, "trend", "visits", "score"}
WHOLE = {*COUNTED, "visits"}
INEXACT = {"trend", "score"}
MOST = 1000


def unknown(given: dict[str, Any], allowed: set[str], where: str) -> Iterator[str]:
    """A sentence for every key that is not one of those allowed."""
    yield from (f"unknown key {key!r} in {where}" for key in given if key not in allowed)


def shape_faults(condition: dict[str, Any]) -> Iterator[str]:
    """Conditions that are not one known key, and combinations of nothing."""
    if len(condition) != 1:
        yield f"a condition has one key, not {sorted(condition)}"
        return
    ((kind, body),) = condition.items()
    if kind == "some":
        yield from unknown(body, {"of", "at_least"}, "some")
        if not 1 <= body["at_least"] <= len(body["of"]):
            yield f"some cannot need {body['at_least']} of {len(body['of'])}"
        body = body["of"]
    if kind in ("all", "any", "some"):
        if not body and kind != "some":
            yield f"{kind} needs at least one condition"
        for part in body:
            yield from shape_faults(part)
    elif kind == "not":
        yield from shape_faults(body)
    elif kind not in BODY_KEYS and kind not in PLAIN:
        yield f"unknown condition {kind!r}"


def leaf_faults(definition: dict[str, Any], kind: str, body: Any) -> Iterator[str]:
    """What is wrong with one condition that is not a combination."""
    if kind in BODY_KEYS:
        yield from unknown(body, BODY_KEYS[kind], kind)
        durations = [body[key] for key in ("within", "for", "held", "half_life") if key in body]
    else:
        durations = [body] if kind == "quiet" else []
    for duration in durations:
        try:
            microseconds(duration)
        except ValueError as refusal:
            yield str(refusal)
    if kind in COMPARED:
        yield from comparison_faults(kind, body)
    if kind in AGGREGATES:
        yield from window_faults(body)
    if kind in (*AGGREGATES, "trend"):
        yield from matcher_faults(definition, body["of"])
    elif kind == "touchpoint":
        yield from matcher_faults(definition, body)
    elif kind == "trait":
        for predicate in body.values():
            yield from predicate_faults(predicate)
    elif kind == "sequence":
        yield from sequence_faults(definition, body)
    elif kind == "score":
        yield from score_faults(definition, body)
    elif kind == "persona":
        yield from persona_faults(definition, body)


def comparison_faults(kind: str, body: dict[str, Any]) -> Iterator[str]:
    """Rules 9 and following: how many comparisons, and with what."""
    limits = [body[key] for key in COMPARISONS if key in body]
    if len(limits) != 1:
        yield f"{kind} needs exactly one comparison"
    if not all(is_number(limit) and (kind not in WHOLE or isinstance(limit, int)) for limit in limits):
        yield f"{kind} compares with a number, and a number of touchpoints with a whole one"
    if (kind == "distinct" or (kind == "count" and "within" in body)) and max(limits, default=0) > MOST:
        yield f"{kind} compares with {MOST} at most"
    if kind in INEXACT and "exactly" in body:
        yield f"{kind} is never exactly a number"


def window_faults(body: dict[str, Any]) -> Iterator[str]:
    """Rules 50 and 51: one window at most."""
    if len([key for key in WINDOWS if key in body]) > 1:
        yield "an aggregate has one of within, during and since"
    if "during" in body and body["during"] not in PERIODS:
        yield f"no period {body['during']!r}"
    if body.get("since", "entry") != "entry":
        yield f"nothing is since {body['since']!r}"


def sequence_faults(definition: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    """Rule 53."""
    if not 2 <= len(body["steps"]) <= 10:
        yield "a sequence has 2 to 10 steps"
    if body.get("since", "entry") != "entry":
        yield f"nothing is since {body['since']!r}"
    for matcher in [*body["steps"], *listed(body.get("without", []))]:
        yield from matcher_faults(definition, matcher)


def score_faults(definition: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    """Rule 54."""
    of, traits = body.get("of", []), body.get("traits", [])
    if not of and not traits:
        yield "a score has an entry"
    if len(of) > 20 or len(traits) > 20:
        yield "a score has at most 20 entries of each kind"
    for one in of:
        yield from unknown(one, {"touchpoint", "points", "cap"}, "a score")
        yield from matcher_faults(definition, one["touchpoint"])
        if "cap" in one and one["cap"] <= 0:
            yield "a cap is more than 0"
    for one in traits:
        yield from unknown(one, {"trait", "points"}, "a score")
        for predicate in one["trait"].values():
            yield from predicate_faults(predicate)
    for number in (one[key] for one in [*of, *traits] for key in ("points", "cap") if key in one):
        if (Fraction(str(number)) * 1000).denominator != 1:
            yield f"{number} has more than three places"


def persona_faults(definition: dict[str, Any], named: Any) -> Iterator[str]:
    """Rule 55: personas that are named but not listed."""
    listed_ones = {one["persona"] for one in definition.get("personas", [])}
    yield from (f"no persona {name!r}" for name in listed(named) if name not in listed_ones)


def matcher_faults(definition: dict[str, Any], matcher: dict[str, Any]) -> Iterator[str]:
    """Mistyped keys in a matcher, roles that nothing is bound to, and values that no table has."""
    yield from unknown(matcher, MATCHER_KEYS, "a matcher")
    for role in listed(matcher.get("role", [])):
        if role not in definition.get("roles", {}):
            yield f"no role {role!r}"
    for key in ("properties", "context", "traits"):
        for predicate in matcher.get(key, {}).values():
            yield from predicate_faults(predicate)
    for key in FACTS:
        if key in matcher:
            yield from predicate_faults(matcher[key])
    for key in TOLD:
        known = {fold(value) for value in values(key)}
        for name in named(matcher.get(key, [])):
            if not isinstance(name, str) or fold(name) not in known:
                yield f"no {key} {name!r}"


def named(predicate: Any) -> Iterator[Any]:
    """Rule 47: the values that a predicate names, bare, in a list, by `equals` or by `in`; those it denies, too."""
    if isinstance(predicate, dict):
        yield from listed(predicate.get("equals", []))
        yield from predicate.get("in", [])
        yield from named(predicate.get("not", []))
    else:
        yield from listed(predicate)


def predicate_faults(predicate: Any) -> Iterator[str]:
    """Mistyped keys in a predicate, and operands of another kind than it takes."""
    if not isinstance(predicate, dict):
        return
    yield from unknown(predicate, PREDICATE_KEYS, "a predicate")
    for key in ORDER_KEYS:
        limit = predicate.get(key, 0)
        if not is_number(limit) and (not isinstance(limit, str) or written_instant(limit) is None):
            yield f"{limit!r} is neither a number nor a date"
    for key in TEXT_KEYS:
        parts = listed(predicate.get(key, ""))
        if not parts or not all(isinstance(part, str) for part in parts):
            yield f"{key} takes text"
    if "not" in predicate:
        yield from predicate_faults(predicate["not"])
