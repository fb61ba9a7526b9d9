"""Words, numbers, durations, instants and quotations in each language."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
import yaml

from shared.events import DAY, SECOND
from shared.journeys import roles
from shared.journeys.telling import (
    LANGUAGES,
    Instant,
    Quoted,
    Role,
    Said,
    Span,
    Speaker,
    Stage,
    Telling,
    language,
    listed,
)
from shared.journeys.telling.language import Phrase
from shared.journeys.telling.writing import PLURALS
from tests.support.processes import ROOT

GOLDEN = ROOT / "tests" / "golden" / "sentences"
HOUR = 3600 * SECOND
every_language = pytest.mark.parametrize("name", LANGUAGES)


def forms(phrase: Phrase) -> list[str]:
    """A phrase in all its plural forms."""
    return [phrase] if isinstance(phrase, str) else list(phrase.values())


def slots(phrase: Phrase) -> set[str]:
    """The slots of a phrase in any of its forms."""
    return {slot for form in forms(phrase) for slot in re.findall(r"\{(\w+)\}", form)}


def phrases(name: str) -> Iterator[tuple[str, Phrase]]:
    """Every phrase of a language, the units' too."""
    yield from language(name).phrases.items()
    yield from language(name).units.items()


def say(name: str, told: Said) -> str:
    """What is told, in a language, in a title for the stage `a`."""
    return Speaker(language(name), {"a": "Start"}, ZoneInfo("Asia/Tehran")).say(told)


@every_language
def test_languages_have_the_same_phrases(name: str) -> None:
    """Each language has a phrase for all that another has, with no slot that English does not fill."""
    english, other = dict(phrases("en")), dict(phrases(name))
    assert list(other) == list(english)
    assert [key for key, phrase in other.items() if not slots(phrase) <= slots(english[key]) | {"n"}] == []
    assert all(form.strip() for phrase in other.values() for form in forms(phrase))


@every_language
def test_plural_forms(name: str) -> None:
    """A phrase that depends on a number has every form that the language has."""
    needed = set(PLURALS[name][1])
    assert [key for key, phrase in phrases(name) if not isinstance(phrase, str) and not needed <= set(phrase)] == []


@every_language
def test_every_role_has_words(name: str) -> None:
    """Each role that comes with Milepost is called something in each language."""
    assert set(language(name).roles) == set(roles.known())


#: What is told, by the name that it has in tests/golden/sentences/writing.yaml.
TOLD: dict[str, Said] = {
    "number": 1234567.25,
    "30 days": Span(30 * DAY),
    "a day and more": Span(DAY + 90 * 60 * SECOND),
    "2 hours": Span(2 * HOUR),
    "4 days and more": Span(102 * HOUR),
    "100 days": Span(100 * DAY),
    "microsecond": Span(1),
    **{f"{n} times": Telling("times", {"n": n}) for n in (0, 1, 2, 3, 11, 100)},
    "stage": Stage("a"),
    "no stage": Stage("none"),
    "role": Role("purchase"),
    "Persian text": Quoted("خرید"),
    "text that would turn the line": Quoted("a\u202eb\nc"),
    "three": listed([1, 2, 3], "and"),
    "two": listed([1, 2], "or"),
    "instant": Instant(1795788300 * SECOND),
}


@pytest.mark.parametrize("name", TOLD)
def test_writing(name: str) -> None:
    """Numbers, durations, names and instants are written as each language writes them."""
    golden = yaml.safe_load((GOLDEN / "writing.yaml").read_text("utf-8"))
    assert {language: say(language, TOLD[name]) for language in LANGUAGES} == golden[name]
