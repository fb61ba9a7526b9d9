"""Each built-in journey has golden customers enough, and a page in docs/journeys/ that says what its YAML does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared.journeys import templates
from shared.journeys.roles import known
from tests.golden.reading import instant, parse
from tests.golden.test_templates import CUSTOMERS, FOLDER, read
from tests.support.journeys import START
from tests.support.processes import ROOT

PAGES = ROOT / "docs" / "journeys"
FEWEST = 12
#: Of each template there is a customer who does this.
WAYS = ("walks", "skips", "loops", "leaves-and-returns", "lead-lapses-and-returns", "persian", "arabic")
#: Where another name says better how they leave and return, or go round.
CALLED = {
    ("value", "loops"): "takes-permission-back",
    ("retail", "lead-lapses-and-returns"): "cart-dies",
    ("ownership", "loops"): "round-again",
    ("ownership", "leaves-and-returns"): "silent-and-back",
}

every_template = pytest.mark.parametrize("template", templates.names())


def page(template: str) -> str:
    """A template's page."""
    return (PAGES / f"{template}.md").read_text("utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """The rows of the table under a heading of a page, without its head."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def roles(value: Any) -> Iterator[str]:
    """The roles that a definition's conditions speak in."""
    if isinstance(value, list):
        for member in value:
            yield from roles(member)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key == "role":
                yield from [member] if isinstance(member, str) else member
            else:
                yield from roles(member)


@every_template
def test_stages(template: str) -> None:
    """The page's tables list the stages, and those beside them, in the order of the YAML."""
    definition = templates.load(template)
    text = page(template)
    for heading, side in (("Stages", False), ("Beside them", True)):
        told = [row[0].strip("`") for row in rows(text, heading)]
        assert told == [stage.name for stage in definition.stages if stage.side is side]


@every_template
def test_roles(template: str) -> None:
    """The page lists just the roles that the stages are entered by, each with names that are bound to it."""
    definition = parse(templates.text(template))
    told = {row[0].strip("`"): row[1].split(", ") for row in rows(page(template), "Roles to bind")}
    assert set(told) == {*roles(definition["stages"]), *roles(definition["side"])}
    for role, names in told.items():
        assert set(names) <= set(known()[role]), role


@every_template
def test_example(template: str) -> None:
    """The page's example is the golden customer who walks: what they do, and the stage that they are in then."""
    touchpoints = parse((FOLDER / template / "walks.yaml").read_text("utf-8"))["touchpoints"]
    moves = read(FOLDER / template / "walks.yaml").moves
    expected = []
    for one in touchpoints:
        ((type_, name),) = [(key, one[key]) for key in ("track", "page", "identify") if key in one]
        at = instant(one["at"], START)
        stage = [target for when, _, target, _ in moves if when <= at][-1]
        did = type_ if isinstance(name, dict) else f"{type_} {name}"
        expected.append([one["at"].removeprefix("+").removesuffix("d"), did, str(stage)])
    assert rows(page(template), "An example") == expected


@every_template
def test_index(template: str) -> None:
    """The index links each page, with its number of ordered stages."""
    ordered = templates.load(template).ordered
    assert re.search(rf"^\| \[{template}\]\({template}\.md\) \| {ordered} \|", page("README"), re.MULTILINE)


@every_template
def test_customers(template: str) -> None:
    """There are at least twelve golden customers; among them those who walk, skip, go round, leave and come back."""
    names = [customer.name for customer in CUSTOMERS if customer.template == template]
    assert len(names) >= FEWEST
    assert {CALLED.get((template, way), way) for way in WAYS} <= set(names)


def test_nothing_is_left_over() -> None:
    """No page, and no folder of customers, is of a template that there is not."""
    pages = {path.stem for path in PAGES.glob("*.md") if rows(path.read_text("utf-8"), "Roles to bind")}
    assert pages == set(templates.names())
    assert {path.name for path in FOLDER.iterdir()} == set(templates.names())
