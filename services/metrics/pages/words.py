"""The words of the pages, and how each language writes numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import yaml

from services.metrics.language import preferred

_WESTERN = "0123456789,"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's: see words.yaml, whose keys these are."""

    language: str
    direction: str
    digits: str
    journeys: str
    current: str
    never: str
    behind: str
    none: str
    none_means: str
    side: str
    customers: str
    total: str
    empty: str
    as_data: str
    moves: str
    metrics: str
    interface: str
    sign_out: str
    sign_in: str
    token: str
    how: str
    unknown: str
    means: Mapping[str, str]

    def number(self, number: int) -> str:
        """A whole number as this language writes it."""
        return self.digital(f"{number:,}")

    def digital(self, text: str) -> str:
        """A text with this language's digits."""
        return text.translate(str.maketrans(_WESTERN, self.digits))


class Languages:
    """All languages that the pages speak."""

    def __init__(self) -> None:
        text = resources.files(__package__).joinpath("words.yaml").read_text("utf-8")
        self.spoken = {language: Words(language, **words) for language, words in yaml.safe_load(text).items()}

    def words(self, accept: str | None) -> Words:
        """The words for a browser with this Accept-Language header."""
        return self.spoken[preferred(accept, tuple(self.spoken))]
