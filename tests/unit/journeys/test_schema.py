"""The JSON Schema of definitions: it takes what the parser takes, and knows the keys that the parser knows."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator

from services.metrics import reference
from shared.journeys import templates
from shared.journeys.conditions import CONDITIONS
from shared.journeys.definition import DefinitionError, load, parse
from shared.journeys.facts import FACTS
from shared.journeys.matcher import PARTS
from shared.journeys.predicates import KEYS
from shared.journeys.reading import Place, Steps
from shared.journeys.schema import Schema, schema, spelt
from tests.golden import cases
from tests.golden.sentences import CONSTRUCTS, journey, parsed
from tests.support import strategies
from tests.support.processes import ROOT

VALID = Draft7Validator(schema())

#: Definitions that stand in the documents.
DOCUMENTED = [
    (document.relative_to(ROOT), text)
    for document in sorted((ROOT / "docs").rglob("*.md"))
    for text in re.findall(r"^```yaml\n(journey:.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]


def faults(text: str) -> list[str]:
    """What the schema finds wrong with a definition."""
    return [f"{fault.json_path}: {fault.message}" for fault in VALID.iter_errors(parsed(text))]


def test_the_file_is_made_from_the_code() -> None:
    """docs/journeys/journey.schema.json is the schema, which is a schema."""
    assert reference.SCHEMA.read_text("utf-8") == spelt(), "run: python -m services.metrics.reference"
    Draft7Validator.check_schema(schema())


@pytest.mark.parametrize("name", templates.names())
def test_templates_are_taken(name: str) -> None:
    """Every template meets the schema."""
    assert faults(templates.text(name)) == []


@pytest.mark.parametrize("text", [text for _, text in DOCUMENTED], ids=[str(name) for name, _ in DOCUMENTED])
def test_documented_definitions_are_taken(text: str) -> None:
    """Every whole definition of the documents meets the schema, and the parser takes it."""
    assert faults(text) == []
    load(text)


@pytest.mark.parametrize("key", CONSTRUCTS, ids=str)
def test_constructs_are_taken(key: tuple[str, str]) -> None:
    """Every example of the language meets the schema."""
    assert faults(journey(CONSTRUCTS[key])) == []


def test_golden_definitions_are_taken() -> None:
    """Every definition of a golden case that the parser takes meets the schema."""
    found = [getattr(case.body, "definition", None) for case in cases.load()]
    taken = [definition for definition in found if definition is not None and takes(definition)]
    assert len(taken) > 100
    assert [fault.message for definition in taken for fault in VALID.iter_errors(definition)] == []


def takes(definition: Any) -> bool:
    """Does the parser take it?"""
    try:
        parse(definition)
    except DefinitionError:
        return False
    return True


@settings(max_examples=50)
@given(strategies.definitions())
def test_random_definitions_are_taken(definition: dict[str, Any]) -> None:
    """Every definition that the parser takes meets the schema."""
    assert [fault.message for fault in VALID.iter_errors(definition)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "journey: x",
        "journey: x\nstages: []",
        "journey: x y\nstages: [{stage: a, enter: {quiet: 1d}}]",
        "journey: x\ncolour: red\nstages: [{stage: a, enter: {quiet: 1d}}]",
        "journey: x\nstages: [{stage: none, enter: {quiet: 1d}}]",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}, means: great}]",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}, return: {to: previous}}]",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}}]\nside: [{stage: b, enter: {quiet: 2d}}]",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}, expected: {touchpoints: [1, 2, 3]}}]",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}, planned: [{channel: email}]}]",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}}]\ncalendar: {week: sometimes}",
        "journey: x\nstages: [{stage: a, enter: {quiet: 1d}}]\nexamples: [{example: y, given: [], expect: {stage: a}}]",
        *(
            f"journey: x\nstages: [{{stage: a, enter: {enter}}}]"
            for enter in (
                "{}",
                "{quiet: 1 day}",
                "{quiet: 3d, touchpoint: {}}",
                "{loud: 3d}",
                "{touchpoint: {type: web}}",
                "{touchpoint: {colour: red}}",
                "{touchpoint: {properties: {}}}",
                "{touchpoint: {properties: {a: {around: 3}}}}",
                "{touchpoint: {properties: {a: {at_least: soon}}}}",
                "{count: {of: {}}}",
                "{count: {at_least: 1}}",
                "{count: {of: {}, at_least: 1, at_most: 2}}",
                "{count: {of: {}, at_least: 1.5}}",
                "{count: {of: {}, at_least: 1, within: 1d, during: day}}",
                "{count: {of: {}, at_least: 1, during: moon}}",
                "{sum: {of: {}, at_least: 1}}",
                "{trend: {of: {}, within: 1d, exactly: 1}}",
                "{sequence: {steps: [{}]}}",
                "{score: {at_least: 1}}",
                "{score: {of: [{touchpoint: {}}], at_least: 1}}",
                "{stay: {}}",
                "{visits: {of: a}}",
                "{trait: {}}",
                "{all: []}",
                "{some: {of: [{quiet: 1d}], at_least: 0}}",
            )
        ),
    ],
)
def test_what_is_wrong_is_not_taken(wrong: str) -> None:
    """What cannot be meant is found by the schema as by the parser."""
    assert faults(wrong) != []
    with pytest.raises(DefinitionError):
        load(wrong)


def test_the_schema_has_the_keys_of_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a definition may have keys, the schema knows those that the parser knows, and no others."""
    asked: dict[Steps, set[str]] = {}
    fields = Place.fields

    def recorded(place: Place, *required: str, **more: Any) -> dict[str, Place] | None:
        asked[place.steps] = {*required, *more.get("optional", ())}
        return fields(place, *required, **more)

    monkeypatch.setattr(Place, "fields", recorded)
    reached = list[Schema]()
    for text in [*(text for _, text in DOCUMENTED), *(journey(text) for text in CONSTRUCTS.values())]:
        asked.clear()
        load(text)
        for steps, keys in asked.items():
            found = [node for node in nodes(steps) if "properties" in node]
            reached += found
            assert {key for node in found for key in node["properties"]} == keys, steps
    whole = schema()["definitions"]
    assert set(whole["condition"]["properties"]) == set(CONDITIONS)
    assert set(whole["matcher"]["properties"]) == {"type", "name", "role", *PARTS, *FACTS}
    (clauses,) = (one for one in whole["predicate"]["anyOf"] if "properties" in one)
    assert set(clauses["properties"]) == set(KEYS)
    elsewhere = [*reached, whole["condition"], clauses]
    missed = [sorted(node["properties"]) for node in objects(schema()) if node not in elsewhere]
    assert missed == [], "no example of the documents or of the language has these keys"


def nodes(steps: Steps) -> list[Schema]:
    """The parts of the schema that tell of a place in a definition."""
    found = [*alternatives(schema())]
    for step in steps:
        inner = []
        for node in found:
            if isinstance(step, int):
                inner += [node["items"]] if isinstance(node.get("items"), dict) else []
            elif step in node.get("properties", {}):
                inner.append(node["properties"][step])
            elif isinstance(node.get("additionalProperties"), dict):
                inner.append(node["additionalProperties"])
        found = [one for node in inner for one in alternatives(node)]
    return found


def alternatives(node: Schema) -> Iterator[Schema]:
    """A part and whatever it refers to."""
    yield node
    if "$ref" in node:
        yield from alternatives(schema()["definitions"][node["$ref"].rpartition("/")[2]])
    for key in ("allOf", "anyOf", "oneOf"):
        for inner in node.get(key, []):
            yield from alternatives(inner)


def objects(node: Any) -> Iterator[Schema]:
    """Every part that lists the keys of a mapping."""
    if isinstance(node, list):
        for member in node:
            yield from objects(member)
    elif isinstance(node, dict):
        if node.get("additionalProperties") is False:
            yield node
        for key, member in node.items():
            if key not in ("examples", "enum", "const"):
                yield from objects(member)
