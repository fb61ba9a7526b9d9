"""Everything that a definition says, and why a customer stands where they do, in sentences of several languages.

Conditions give tellings (`said`): phrases by key, with what stands in their slots. A `Speaker` puts them into words,
which are data: en.yaml, fa.yaml, ar.yaml. Another language is a file beside these, its plural rule in `writing` and its
name in `language.LANGUAGES`.
"""

from shared.journeys.telling.language import LANGUAGES, Language, Speaker, language
from shared.journeys.telling.said import Instant, Listed, Quoted, Role, Said, Span, Stage, Telling, Term, listed

__all__ = [
    "LANGUAGES",
    "Instant",
    "Language",
    "Listed",
    "Quoted",
    "Role",
    "Said",
    "Span",
    "Speaker",
    "Stage",
    "Telling",
    "Term",
    "language",
    "listed",
]
