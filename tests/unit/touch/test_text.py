"""How texts compare."""

import pytest

from shared.touch.text import fold


@pytest.mark.parametrize(
    ("sent", "folded"),
    [
        ("Order Completed", "order completed"),
        ("  Order \t\n Completed ", "order completed"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("\uff2f\uff4b", "ok"),  # full-width letters
        ("\u0643\u064a", "\u06a9\u06cc"),  # Arabic keyboards' kaf and yeh
        ("\u062e\u0640\u0640\u0631\u064a\u062f", "\u062e\u0631\u06cc\u062f"),  # tatweel
        ("\u062b\u0628\u062a\u200c\u0646\u0627\u0645", "\u062b\u0628\u062a\u0646\u0627\u0645"),  # ZWNJ
        ("\u06f1\u0661 x", "11 x"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_fold(sent: str, folded: str) -> None:
    """What people type differently and mean alike becomes one text."""
    assert fold(sent) == folded
    assert fold(folded) == folded
