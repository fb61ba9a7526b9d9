"""How texts compare (rule 5)."""

import unicodedata

TATWEEL, ZWNJ = "\u0640", "\u200c"

# One Persian form for the letters that Arabic keyboards type differently, ASCII digits for both scripts' digits.
_FOLDED = str.maketrans(
    {
        "\u064a": "\u06cc",
        "\u0643": "\u06a9",
        TATWEEL: None,
        ZWNJ: None,
        **{chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0) for digit in range(10)},
    }
)


def fold(text: str) -> str:
    """`text` in the form in which texts are compared; what is stored stays as it was sent."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_FOLDED)
    return " ".join(folded.split())
