"""Matchers over columns: which rows a question means. A touchpoint's properties are not in the columns."""

from collections.abc import Callable

import numpy as np

from services.metrics.analytics.columns import Columns, Mask
from services.metrics.errors import invalid
from shared.journeys import roles
from shared.journeys.matcher import Matcher
from shared.journeys.reading import DefinitionError, Place, Reading
from shared.touch.text import fold


def matcher(asked: object, field: str) -> Matcher:
    """A matcher as journeys write it (rule 6), from JSON. Raises Refused, naming the field."""
    reading = Reading({})
    reading.roles = dict(roles.known())
    found = Matcher.parse(Place(asked, reading))
    if found is None or reading.problems:
        raise invalid(field, str(DefinitionError(reading.problems)))
    if found.properties or found.context or found.traits:
        remedy = "ask by type, name, role or a fact such as channel; a journey's rules can read the rest"
        raise invalid(field, f"properties, context and traits cannot be asked here: {remedy}")
    return found


def selected(columns: Columns, asked: Matcher) -> Mask:
    """The rows that match."""
    mask = np.ones(len(columns), dtype=np.bool_)
    if asked.types is not None:
        types = asked.types
        mask &= _where(columns, "type", lambda word: word in types)
    for names in (asked.names, asked.bound):
        if names is not None:
            mask &= _where(columns, "name", _named(names))
    for fact, predicate in asked.facts:
        mask &= _where(columns, fact, predicate.compile())
    return mask


def _named(names: frozenset[str]) -> Callable[[str | None], bool]:
    return lambda word: word is not None and fold(word) in names


def _where(columns: Columns, dimension: str, test: Callable[[str | None], bool]) -> Mask:
    """Tries each value once: the last place stands for MISSING, whose number is −1."""
    words = columns.words.get(dimension, ())
    true = np.array([*(test(word) for word in words), test(None)], dtype=np.bool_)
    found: Mask = true[columns.codes[dimension]]
    return found
