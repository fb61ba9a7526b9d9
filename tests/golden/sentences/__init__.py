"""Examples of all constructs and their sentences: see constructs.yaml beside this file."""

import json
import re
import textwrap
from typing import Any

import yaml

from shared.journeys import document
from shared.journeys.conditions.base import Condition
from shared.journeys.definition import load
from shared.journeys.telling import LANGUAGES, Speaker, language
from tests.support.processes import ROOT

FOLDER = ROOT / "tests" / "golden" / "sentences"
PAGE = ROOT / "docs" / "journeys" / "language.md"

#: The journey whose condition each example is.
JOURNEY = """
journey: examples
personas:
  - {{persona: explorer, when: {{tried: {{at_least: 3}}}}}}
  - {{persona: saver, when: {{plan: free}}}}
stages:
  - {{stage: trial, enter: {{touchpoint: {{role: trial}}}}}}
  - {{stage: paying, enter: {{touchpoint: {{role: purchase}}}}}}
side:
  - {{stage: at-risk, from: [paying], enter: {{touchpoint: {{role: exit-survey}}}}}}
exit:
  from: [trial]
  enter: {{all: [{{touchpoint: {{}}}}, {{{condition}}}]}}
"""
#: What its stages are called.
TITLES = {
    "en": {"trial": "Trial", "paying": "Paying", "at-risk": "At risk"},
    "fa": {"trial": "دوره‌ی آزمایشی", "paying": "مشتری پولی", "at-risk": "در خطر ریزش"},
    "ar": {"trial": "الفترة التجريبية", "paying": "عميل دافع", "at-risk": "معرض للمغادرة"},
}


def read(name: str) -> dict[str, dict[str, Any]]:
    """A file of this folder: sections, and in each what stands under a name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return found


#: The examples by section and name.
CONSTRUCTS: dict[tuple[str, str], str] = {
    (section, name): text for section, examples in read("constructs").items() for name, text in examples.items()
}


def journey(text: str) -> str:
    """A journey that has an example."""
    return JOURNEY.format(condition=text)


def parsed(text: str) -> Any:
    """A YAML text as plain values, as a definition has them."""
    value, _ = document.read(text)
    return value


def condition(text: str) -> Condition:
    """The condition of an example."""
    exit = load(journey(text)).exit
    assert exit is not None
    return exit.enter.parts()[1]


def sentence(name: str, text: str) -> str:
    """An example's sentence in a language."""
    return Speaker(language(name), TITLES[name]).sentence(condition(text).asks())


def quoted(text: str, indent: int = 4) -> str:
    """A text as YAML has it, with what cannot be seen spelt out, on lines that are not too long."""
    escaped = json.dumps(text, ensure_ascii=False).replace("\u2068", r"\u2068").replace("\u2069", r"\u2069")
    return f"\n{' ' * indent}".join(textwrap.wrap(escaped, 110, break_long_words=False, break_on_hyphens=False))


def table(section: str) -> str:
    """The table of a section of the page: each example beside its sentences."""
    rows = ["| written | reads |", "| --- | --- |"]
    for (of, _), text in CONSTRUCTS.items():
        if of == section:
            told = [sentence("en", text)]
            told += [f'<bdi dir="rtl" lang="{name}">{sentence(name, text)}</bdi>' for name in LANGUAGES[1:]]
            rows.append(f"| `{text}` | {'<br>'.join(told)} |")
    return "\n".join(rows)


def why_table() -> str:
    """What *why* tells of one customer of why.yaml, by the fields of its answer."""
    rows = ["| field | tells |", "| --- | --- |"]
    told = {name: customers["entered"] for name, customers in read("why").items()}
    for key in told["en"]:
        texts = [told["en"][key]]
        texts += [f'<bdi dir="rtl" lang="{name}">{told[name][key]}</bdi>' for name in LANGUAGES[1:]]
        rows.append(f"| `{'ahead' if key.startswith('for ') else key}` | {'<br>'.join(texts)} |")
    return "\n".join(rows)


def with_tables(page: str) -> str:
    """The page with the table of every section as it should be."""
    for section in read("constructs"):
        rows = table(section) + "\n"
        heading = rf"(^## {section.capitalize()}\n[\s\S]*?^)\| written \| reads \|\n(?:\|.*\n)*"
        found = re.search(heading, page, re.MULTILINE)
        assert found, f"docs/journeys/language.md has no section {section} with a table"
        page = page[: found.start()] + found[1] + rows + page[found.end() :]
    at = page.index("| field | tells |")
    return page[:at] + why_table() + "\n"
