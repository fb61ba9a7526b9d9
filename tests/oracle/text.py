"""Rule 5: when two texts are the same text."""

import unicodedata

LETTERS = {"ي": "ی", "ك": "ک", "\N{ARABIC TATWEEL}": "", "\N{ZERO WIDTH NON-JOINER}": ""}
PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"


def fold(text: str) -> str:
    """The form in which texts are compared; the steps are taken in the order in which rule 5 names them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    for letter, other in LETTERS.items():
        folded = folded.replace(letter, other)
    for digits in (PERSIAN_DIGITS, ARABIC_DIGITS):
        for value, digit in enumerate(digits):
            folded = folded.replace(digit, str(value))
    return " ".join(folded.split())
