"""Random conditions of every construct that an `enter` can have, of few names and values, so that they often come true.

They are plain data as YAML gives them, so that the engine and the oracle can each read them in their own way. Functions
that draw, not strategies made of strategies: those take Hypothesis several times as long.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]
Draw = st.DrawFn

#: Longer than the texts that a state keeps whole.
LONG = ["x" * 70, "x" * 70 + "b", "X" * 71]
TEXTS = ["a", "A ", "b", "كي", "کی", "\u06f1", "1", "a  b", *LONG]
DATES = ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T03:30:00.0000004+03:30", "2025-12-31T23:59:59.999999Z"]
NO_DATES = ["2026-02-30", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "2026-01-01Z"]
NAMES = ["View", "view", "Buy", "خريد", "خرید"]
ROLES = {"look": ["View"], "buy": ["BUY", "خرید"]}
PERSONAS = ["pupil", "elder"]
COMPARISONS = ["at_least", "at_most", "more_than", "fewer_than", "exactly"]

#: What is told of touchpoints with the contexts of `CONTEXTS`, and of what the door saw in `SEEN`.
PAGE = "https://shop.example/"
AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)
CONTEXTS: list[Data] = [
    {},
    {"c": {"d": "a"}},
    {"page": {"url": PAGE}},
    {"page": {"url": PAGE, "referrer": "https://www.google.com/"}},
    {"page": {"url": PAGE, "referrer": f"{PAGE}b"}, "userAgent": AGENT},
    {"campaign": {"name": "a", "source": "news", "medium": "Email", "term": "b"}},
]
SEEN: list[Data] = [{}, {}, {"country": "IR"}, {"country": "IR", "city": "a", "region": "IR-23"}, {"agent": AGENT}]
TOLD = {
    "channel": ["organic search", "Email", "direct"],
    "kind": ["search result", "e-mail", "web site"],
    "direction": ["by", "to"],
    "content": ["post", "podcast"],
    "campaign": ["a", "b"],
    "source": ["google", "news"],
    "medium": ["email", "organic"],
    "term": ["b"],
    "country": ["ir", "IQ"],
    "region": ["IR-23"],
    "city": ["A"],
    "device": ["smartphone", "desktop"],
    "system": ["ios"],
    "browser": ["Mobile Safari"],
}

#: What values mostly are, so that two are often the same.
FEW = ["a", 1, 2]
SCALARS = [*FEW, *FEW, *FEW, *TEXTS, *DATES, 0, 1, 1.0, 2, 2.5, -1, 0.1, 0.2, 0.0000005, 0.0000015, True, False]
VALUES = [*SCALARS, *NO_DATES, None, None, None, [], ["a"], {}, {"a": 1}]
NUMBERS = [-1, 0, 1, 2, 2.5, 0.3, 0.000001]
SHORT = ["1s", "2s"]
DURATIONS = ["1s", "2s", "3s", "1m", "1d"]
TYPES = ["track", "page", "track", "identify", "screen", "group", "alias"]
PATHS = ["p", "p", "o.q"]
SIMPLE: list[Data] = [{"name": "View"}, {"name": "Buy"}, {"role": "buy"}, {"type": ["page", "track"]}, {}]
BETWEEN: list[Data] = [{"name": "View"}, {"name": "Buy"}, {"type": "screen"}, {"type": "page"}]
MEASURED = ["sum", "average", "least", "greatest"]
POINTS = [-1.5, -1, 0.001, 1, 2, 2.5]


def number(draw: Draw, least: int, most: int) -> int:
    """A whole number from one to another, both included."""
    return draw(st.integers(least, most))


def pick(draw: Draw, options: Sequence[Any]) -> Any:
    """One of several."""
    return options[number(draw, 0, len(options) - 1)]


def chance(draw: Draw, one_in: int) -> bool:
    """Whether something that is so once in so many times is so; shrinks to False."""
    return number(draw, 0, one_in - 1) == one_in - 1


def one_or_two(draw: Draw, options: Sequence[Any]) -> Any:
    """One of several, or a list of one or two."""
    one = pick(draw, options)
    if chance(draw, 3):
        return [one, pick(draw, options)][: number(draw, 1, 2)]
    return one


def several(draw: Draw, most: int, make: Callable[[], Any], least: int = 1) -> list[Any]:
    """A list of a few of what is made."""
    return [make() for _ in range(number(draw, least, most))]


def predicate(draw: Draw, named: Sequence[Any], parts: Sequence[Any]) -> Any:
    """What may be asked of a value: these are named whole, and those are parts of texts."""
    if chance(draw, 3):
        return pick(draw, named)
    if chance(draw, 4):
        return several(draw, 2, lambda: pick(draw, named))
    clauses = [clause(draw, named, parts) for _ in range(pick(draw, [1, 1, 2]))]
    return {key: asked for one in clauses for key, asked in one.items()}


def clause(draw: Draw, named: Sequence[Any], parts: Sequence[Any]) -> Data:
    """One key of a predicate."""
    match number(draw, 0, 7):
        case 0:
            return {"equals": pick(draw, named)}
        case 1:
            return {"in": several(draw, 3, lambda: pick(draw, named))}
        case 2:
            return {"exists": chance(draw, 2)}
        case 3 | 4:
            limits = DATES if chance(draw, 3) else NUMBERS
            return {pick(draw, COMPARISONS[:4]): pick(draw, limits)}
        case 5 | 6:
            return {pick(draw, ["starts_with", "ends_with", "contains"]): one_or_two(draw, parts)}
    return {"not": predicate(draw, named, parts)}


def asked(draw: Draw) -> Any:
    """A predicate on a property or a trait."""
    return predicate(draw, SCALARS, TEXTS)


def traits(draw: Draw) -> Data:
    """What is asked of one trait or two."""
    return {name: asked(draw) for name in pick(draw, [["k"], ["k"], ["l"], ["k", "l"]])}


def matcher(draw: Draw, odd: int = 9) -> Data:
    """Mostly a simple one; the larger `odd`, the more often."""
    match number(draw, 0, odd):
        case 9:
            key = pick(draw, sorted(TOLD))
            return {key: predicate(draw, TOLD[key], ["a", "o", "IR", "e"])}
        case 8:
            return {"properties": {path: asked(draw) for path in pick(draw, [["p"], ["o.q"], ["p", "p.q"]])}}
        case 7:
            made = {pick(draw, ["type"]): one_or_two(draw, TYPES), "name": one_or_two(draw, NAMES)}
            made |= {"role": one_or_two(draw, list(ROLES))} if chance(draw, 2) else {}
            return {key: made[key] for key in made if chance(draw, 2)}
        case 6:
            return {"traits": traits(draw)} if chance(draw, 2) else {"context": {"c.d": asked(draw)}}
    return dict(pick(draw, SIMPLE))


def window(draw: Draw, least: int = 0) -> Data:
    """Over what an aggregate is: over all there is only if `least` is 0."""
    match number(draw, least, 5):
        case 1 | 2:
            return {"within": pick(draw, DURATIONS)}
        case 3 | 5:
            return {"during": pick(draw, ["day", "week", "month", "quarter", "year"])}
        case 4:
            return {"since": "entry"}
    return {}


def compared(draw: Draw, amounts: Sequence[Any], comparisons: Sequence[str] = COMPARISONS) -> Data:
    """One comparison."""
    return {pick(draw, comparisons): pick(draw, amounts)}


def aggregate(draw: Draw) -> Data:
    """Any aggregate, or a trend."""
    kind = pick(draw, ["count", "count", "distinct", *MEASURED, "trend", "trend"])
    body: Data = {"of": matcher(draw)}
    if kind not in ("count", "trend") or (kind == "trend" and chance(draw, 2)):
        body["property"] = pick(draw, PATHS)
    if kind == "trend":
        body |= {"within": pick(draw, DURATIONS), **compared(draw, [0, 0.5, 1, 1.5, 2, 0.3], COMPARISONS[:4])}
    else:
        counts = [999, 1000, 1001] if chance(draw, 40) else range(4)
        body |= {**window(draw), **compared(draw, counts if kind in ("count", "distinct") else NUMBERS)}
    return {kind: body}


def sequence(draw: Draw) -> Data:
    """One touchpoint after another."""
    body: Data = {"steps": several(draw, pick(draw, [2, 2, 3, 4]), lambda: matcher(draw, 16), least=2)}
    options = {"within": DURATIONS, "by": PATHS, "since": ["entry"], "held": DURATIONS}
    body |= {key: pick(draw, options[key]) for key in options if chance(draw, 3)}
    if chance(draw, 3):
        body["without"] = one_or_two(draw, BETWEEN)
    return {"sequence": body}


def score(draw: Draw) -> Data:
    """Points for touchpoints and traits."""

    def entry() -> Data:
        cap = {"cap": pick(draw, [1, 2, 3.5])} if chance(draw, 2) else {}
        return {"touchpoint": matcher(draw), "points": pick(draw, POINTS), **cap}

    body: Data = {"of": several(draw, 2, entry)}
    if chance(draw, 3):
        body["traits"] = several(draw, 2, lambda: {"trait": traits(draw), "points": pick(draw, POINTS)})
        if chance(draw, 3):
            del body["of"]
    if chance(draw, 2):
        body["half_life"] = pick(draw, DURATIONS)
    return {"score": body | compared(draw, [0, 0.5, 1, 1.5, 2, 3.5, -1, 0.840896, 0.0078125], COMPARISONS[:4])}


def stay(draw: Draw, stages: Sequence[str]) -> Data:
    """How long a stage has been held, or which one is."""
    body = {"for": pick(draw, DURATIONS)} if chance(draw, 2) else {}
    if not body or chance(draw, 2):
        body["in"] = pick(draw, stages)
    return {"stay": body}


def focus(draw: Draw) -> Data:
    """A condition of touchpoints that many match, and of numbers that are often reached."""
    of: Data = dict(pick(draw, [{}, {}, {"name": "View"}, {"type": "track"}]))
    kind = pick(draw, ["sequence", "sequence", "score", "trend", "count", "count", "distinct", *MEASURED])
    body: Data = {"of": of, "property": "p"}
    if kind == "sequence":
        body = {"steps": several(draw, 3, lambda: pick(draw, [of, *BETWEEN]), least=2)}
        edges: Data = {
            "within": ["1s", "2s"],
            "since": ["entry"],
            "held": ["1s", "2s"],
            "without": BETWEEN,
            "by": ["p"],
        }
        body |= {key: pick(draw, edges[key]) for key in edges if chance(draw, 3)}
    elif kind == "score":
        entry = {"touchpoint": of, "points": pick(draw, [1, 2, -1])} | ({"cap": 2} if chance(draw, 3) else {})
        fades = {"half_life": pick(draw, DURATIONS)} if chance(draw, 2) else {}
        body = {"of": [entry], **fades, **compared(draw, [-2, 0, 0.5, 1, 2, 3], COMPARISONS[:4])}
    elif kind == "trend":
        body |= {"within": pick(draw, SHORT), **compared(draw, [0.5, 1, 2], COMPARISONS[:4])}
    else:
        body |= {**window(draw, 1), **compared(draw, [1, 2, 3])}
    if kind == "count" or (kind == "trend" and chance(draw, 2)):
        del body["property"]
    return {kind: body}


def leaf(draw: Draw, stages: Sequence[str]) -> Data:
    """Any condition that is not made of others."""
    match number(draw, 0, 15):
        case 0 | 1 | 2:
            return {"touchpoint": matcher(draw)}
        case 3:
            return {"quiet": pick(draw, DURATIONS)}
        case 4:
            return stay(draw, stages)
        case 5:
            return {"visits": {"of": pick(draw, stages), **compared(draw, range(4))}}
        case 6:
            return {"came_from": pick(draw, stages)}
        case 7:
            return {"trait": traits(draw)}
        case 8:
            return {"persona": one_or_two(draw, PERSONAS)}
        case 9 | 10:
            return sequence(draw)
        case 11:
            return score(draw)
    return aggregate(draw)


def condition(draw: Draw, stages: Sequence[str], depth: int = 2) -> Data:
    """Any construct, alone or in another; `stages` may be named in it."""
    if depth == 0 or not chance(draw, 3):
        return leaf(draw, stages)

    def inner() -> Data:
        return condition(draw, stages, depth - 1)

    match number(draw, 0, 3):
        case 0:
            return {"all": several(draw, 3, inner)}
        case 1:
            return {"any": several(draw, 3, inner)}
        case 2:
            parts = several(draw, 3, inner)
            return {"some": {"of": parts, "at_least": number(draw, 1, len(parts))}}
    return {"not": inner()}
