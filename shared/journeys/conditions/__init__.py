"""The conditions that a definition can be made of. A new one is a file here and a line in CONDITIONS."""

from shared.journeys.conditions.aggregate import Count, Distinct
from shared.journeys.conditions.base import Condition
from shared.journeys.conditions.logic import All, Any, Not, Some
from shared.journeys.conditions.persona import Persona
from shared.journeys.conditions.quiet import Quiet
from shared.journeys.conditions.reckoned import Average, Greatest, Least, Sum
from shared.journeys.conditions.score import Score
from shared.journeys.conditions.sequence import Sequence
from shared.journeys.conditions.stay import CameFrom, Stay, Visits
from shared.journeys.conditions.touchpoint import Match
from shared.journeys.conditions.trait import Trait
from shared.journeys.conditions.trend import Trend
from shared.journeys.reading import Place, nearest

CONDITIONS: dict[str, type[Condition]] = {
    "touchpoint": Match,
    "count": Count,
    "distinct": Distinct,
    "sum": Sum,
    "average": Average,
    "least": Least,
    "greatest": Greatest,
    "trend": Trend,
    "sequence": Sequence,
    "score": Score,
    "quiet": Quiet,
    "stay": Stay,
    "visits": Visits,
    "came_from": CameFrom,
    "trait": Trait,
    "persona": Persona,
    "all": All,
    "any": Any,
    "some": Some,
    "not": Not,
}


def read(place: Place) -> Condition | None:
    """The condition that stands at a place: a mapping of one key; None if a problem was noted."""
    entries = place.entries("a condition")
    if entries is None:
        return None
    if len(entries) != 1:
        message = "a condition is missing" if not entries else "several conditions stand side by side"
        place.problem(message, "write one condition; list several under all: or any:")
        return None
    ((key, inner),) = entries.items()
    if key not in CONDITIONS:
        place.problem(f"there is no condition {key!r}", nearest(key, CONDITIONS), key)
        return None
    return CONDITIONS[key].parse(inner, read)
