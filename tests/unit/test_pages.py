"""The words and languages of the pages."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.language import preferred, ranked, titled
from services.metrics.pages.words import Languages, Words
from shared.journeys.model import MEANINGS, Title

TITLE = Title({"en": "Shop", "fa": "فروشگاه"})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fa", "fa"),
        ("fa-IR,fa;q=0.9,en;q=0.5", "fa"),
        ("en;q=0.5, ar-EG ; q=0.8", "ar"),
        ("de, fr;q=0.9", "en"),
        ("de, ar;q=0.1", "ar"),
        ("fa;q=0, ar;q=0.000", "en"),
        ("*", "en"),
    ],
)
def test_a_browser_is_answered_in_its_language(header: str | None, language: str) -> None:
    """The most preferred language that is spoken here, whatever its region; else English."""
    assert preferred(header, ("en", "fa", "ar")) == language


@given(st.text(alphabet=string.printable))
def test_no_header_is_too_odd(header: str) -> None:
    """Whatever a client sends for a language, there is one."""
    assert preferred(header, ("en", "fa")) in ("en", "fa")
    assert all(language.isalpha() for language in ranked(header))


def test_a_title_falls_back_to_what_it_is_written_in() -> None:
    """A title is shown in the first language asked for that it has, else in English, else as it is."""
    assert titled(TITLE, "ar, fa;q=0.5") == "فروشگاه"
    assert titled(TITLE, "ar") == "Shop"
    assert titled(Title({"": "x"}), "fa") == "x"


@pytest.mark.parametrize("words", Languages().spoken.values(), ids=lambda words: str(words.language))
def test_every_language_has_all_words(words: Words) -> None:
    """Each language says everything, has a place for each value, and names every meaning of a stage."""
    assert words.direction in ("ltr", "rtl")
    assert len(set(words.digits)) == 11
    assert set(words.means) == set(MEANINGS)
    assert words.current.count("{}") == words.behind.count("{}") == 1
    texts = [getattr(words, name) for name in Words.__slots__ if name != "means"]
    assert all(isinstance(text, str) and text.strip() for text in texts)


def test_numbers_are_written_in_the_languages_digits() -> None:
    """Persian and Arabic pages use their own digits and separator."""
    spoken = Languages().spoken
    assert spoken["en"].number(2345678) == "2,345,678"
    assert spoken["fa"].number(2345678) == "۲٬۳۴۵٬۶۷۸"
    assert spoken["ar"].number(2345678) == "٢٬٣٤٥٬٦٧٨"
