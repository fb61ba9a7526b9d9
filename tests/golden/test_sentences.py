"""Every construct's sentence in every language is the golden one, and docs/journeys/language.md shows it."""

import pytest

from shared.journeys import conditions
from shared.journeys.facts import FACTS
from shared.journeys.matcher import PARTS
from shared.journeys.predicates import KEYS
from shared.journeys.telling import LANGUAGES
from tests.golden.sentences import CONSTRUCTS, PAGE, parsed, read, reasons, sentence, with_tables


@pytest.mark.parametrize("name", LANGUAGES)
def test_sentences(name: str) -> None:
    """Every construct is told by the sentence that was found good."""
    told = {key: sentence(name, text) for key, text in CONSTRUCTS.items()}
    golden = read(name)
    assert told == {(section, key): said for section, found in golden.items() for key, said in found.items()}


@pytest.mark.parametrize("kind", conditions.CONDITIONS)
def test_every_condition_has_sentences(kind: str) -> None:
    """A condition that is registered has an example, and a golden sentence in each language."""
    examples = [key for key, text in CONSTRUCTS.items() if kind in parsed(text)]
    assert examples, f"{kind} has no example in tests/golden/sentences/constructs.yaml"
    missing = [name for name in LANGUAGES if not any(key in read(name).get(section, {}) for section, key in examples)]
    assert missing == [], f"{kind} has no sentence in {missing}"


@pytest.mark.parametrize("key", ["type", "name", "role", *PARTS, *FACTS, *KEYS])
def test_every_key_has_an_example(key: str) -> None:
    """What may be asked of a touchpoint or of a value stands in an example."""
    assert any(f"{key}:" in text for text in CONSTRUCTS.values()), f"{key} has no example"


@pytest.mark.parametrize("name", LANGUAGES)
def test_why(name: str) -> None:
    """*Why* tells of each customer in the sentences that were found good."""
    assert dict(reasons.told(name)) == read("why")[name]


def test_the_page_shows_them() -> None:
    """docs/journeys/language.md has every example with its sentences: `python -m tests.golden.sentences` writes it."""
    page = PAGE.read_text("utf-8")
    assert page == with_tables(page)
