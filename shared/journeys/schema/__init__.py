"""The JSON Schema of a definition, for editors: journey.yaml and conditions.yaml, with the lists that the code knows.

docs/journeys/journey.schema.json is made of it by `python -m services.metrics.reference`. What the parts of a
definition say to each other is beyond a schema; the parser tells it.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import yaml

from shared.events import TYPES
from shared.journeys import roles
from shared.journeys.calendar import KINDS, PERIODS, WEEKDAYS
from shared.journeys.conditions.window import WINDOWS
from shared.journeys.model import MEANINGS

Schema = dict[str, Any]


@cache
def schema() -> Schema:
    """The whole schema, by JSON Schema's draft 7, which editors know best."""
    source = _read("journey") | _read("conditions")
    parts: Mapping[str, Schema] = source["parts"]
    definitions = {
        **source["definitions"],
        "matcher": _matcher(source["matcher"]),
        "predicate": _predicate(source["predicate"]),
        "condition": {
            "title": "A condition",
            "description": "True or false at every instant; several stand under all or any.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {key: _condition(found) for key, found in source["conditions"].items()},
        },
    }
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:milepost:journey",
        **source["root"],
        "definitions": definitions,
    }
    finished: Schema = _finished(whole, parts)
    return finished


def _read(name: str) -> Schema:
    text = resources.files(__package__).joinpath(f"{name}.yaml").read_text("utf-8")
    found: Schema = yaml.safe_load(text)
    return found


def spelt() -> str:
    """The schema as JSON text."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def _condition(given: Schema) -> Schema:
    if "$ref" in given:
        return given
    return {"type": "object", "additionalProperties": False, **given}


def _matcher(properties: Mapping[str, Schema]) -> Schema:
    return {
        "title": "A matcher",
        "description": "Which touchpoints are meant: all that is given must hold; {} means every one.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "examples": [{"role": "purchase"}],
    }


def _predicate(properties: Mapping[str, Schema]) -> Schema:
    scalar = {"$ref": "#/definitions/scalar"}
    clauses = {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": properties}
    return {
        "description": "A value, a list of which any will do, or what is asked of it.",
        "anyOf": [scalar, {"type": "array", "minItems": 1, "items": scalar}, clauses],
        "examples": ["pro", ["pro", "max"], {"at_least": 5}],
    }


def _finished(node: Any, parts: Mapping[str, Schema]) -> Any:
    """With parts taken in, the code's lists in place, and whatever stands beside a reference where it counts."""
    if isinstance(node, list):
        return [_finished(member, parts) for member in node]
    if not isinstance(node, dict):
        return node
    found: Schema = dict(node)
    if isinstance(found.get("enum"), str):
        found["enum"] = list(_lists()[found["enum"]])
    if isinstance(found.get("any_of"), str):
        found["anyOf"] = _one_or_more(_lists()[found.pop("any_of")], open=found.pop("open", False))
    taken = found.pop("with", [])
    if isinstance(taken, list) and taken:
        found = _with(found, taken, parts)
    if "$ref" in found and len(found) > 1:
        found = {**{key: value for key, value in found.items() if key != "$ref"}, "allOf": [{"$ref": found["$ref"]}]}
    return {
        key: value if key == "examples" and isinstance(value, list) else _finished(value, parts)
        for key, value in found.items()
    }


def _with(found: Schema, taken: Sequence[str], parts: Mapping[str, Schema]) -> Schema:
    properties: Schema = {}
    rules: list[Schema] = []
    for name in taken:
        properties |= parts[name]
        if name == "window":
            pairs = [[one, two] for number, one in enumerate(WINDOWS) for two in WINDOWS[number + 1 :]]
            rules.append({"not": {"anyOf": [{"required": pair} for pair in pairs]}})
        elif name in ("count", "amount", "inexact"):
            rules.append({"oneOf": [{"required": [key]} for key in parts[name]]})
    found["properties"] = {**properties, **found.get("properties", {})}
    return {**found, "allOf": rules} if rules else found


def _lists() -> Mapping[str, Sequence[str]]:
    return {
        "calendars": KINDS,
        "meanings": MEANINGS,
        "periods": PERIODS,
        "roles": tuple(roles.known()),
        "types": TYPES,
        "weekdays": WEEKDAYS,
    }


def _one_or_more(values: Sequence[str], *, open: bool) -> list[Schema]:
    """One of these or a list of them; `open`: others, too, which editors do not suggest."""
    one: Schema = {"enum": list(values)}
    if open:
        one = {"anyOf": [one, {"type": "string", "minLength": 1}]}
    return [one, {"type": "array", "minItems": 1, "items": one}]
