"""What customers had told of themselves by an instant (semantics 15, 55): traits, and the personas that they make."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from services.metrics.analytics.columns import MISSING, Codes, Columns, Ints
from services.metrics.analytics.feed import TRAITS
from shared.journeys.model import Persona

#: Stands for a text that does not speak of a trait, and so leaves it as it was.
_SILENT = -2

_object = msgspec.json.Decoder(dict[str, Any]).decode


class Valued(NamedTuple):
    """For each customer the number of their value in `values`, MISSING for none."""

    codes: Ints
    values: Sequence[Any]


def trait(columns: Columns, name: str, until: int) -> Valued:
    """One trait as of an instant, inclusive: the last touchpoint that speaks of it wins, and null takes it away."""
    said, values = _said(columns.words.get(TRAITS, ()), name)
    rows = np.flatnonzero(columns.at <= until)
    codes = said[columns.codes[TRAITS][rows]]
    speaks = codes != _SILENT
    found = np.full(len(columns.customers), MISSING, dtype=np.int64)
    found[columns.owner[rows[speaks]]] = codes[speaks]  # of what is written twice the last stays
    return Valued(found, values)


def words(found: Valued) -> Valued:
    """The same with values as texts; an object or a list is nothing to count by, and so none."""
    numbers = dict[str, int]()
    told = [_word(value) for value in found.values]
    table = [MISSING if one is None else numbers.setdefault(one, len(numbers)) for one in told]
    return Valued(np.array([*table, MISSING], dtype=np.int64)[found.codes], tuple(numbers))


def persona(columns: Columns, personas: Sequence[Persona], until: int) -> Valued:
    """The first persona whose traits each customer had at an instant."""
    names = sorted({name for one in personas for name, _ in one.when.asked})
    held = [trait(columns, name, until) for name in names]
    tests = [[(names.index(name), predicate.compile()) for name, predicate in one.when.asked] for one in personas]
    # As many are tried as there are different people.
    kinds, of = np.unique(np.stack([one.codes for one in held], axis=1), axis=0, return_inverse=True)
    found = np.full(len(kinds), MISSING, dtype=np.int64)
    for kind, codes in enumerate(kinds.tolist()):
        having = [None if code < 0 else one.values[code] for one, code in zip(held, codes, strict=True)]
        met = (i for i, asked in enumerate(tests) if all(test(having[place]) for place, test in asked))
        found[kind] = next(met, MISSING)
    return Valued(found[of.reshape(-1)], tuple(one.name for one in personas))


def _said(texts: Sequence[str], name: str) -> tuple[Codes, list[Any]]:
    """What each text says of a trait: the value's number, MISSING for null; the last place is of no text at all."""
    numbers, values = dict[str, int](), list[Any]()
    said = np.full(len(texts) + 1, _SILENT, dtype=np.int32)
    for place, text in enumerate(texts):
        if name not in text and "\\" not in text:
            continue
        try:
            traits = _object(text)
        except msgspec.DecodeError:  # ingest takes no such traits, but others may write to the log
            continue
        if name not in traits:
            continue
        value = traits[name]
        key = "" if value is None else json.dumps(value, sort_keys=True)
        if value is not None and key not in numbers:
            numbers[key] = len(values)
            values.append(value)
        said[place] = numbers.get(key, MISSING)
    return said, values


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # 1 and 1.0 are one number
    return str(value) if isinstance(value, str | int | float) else None
