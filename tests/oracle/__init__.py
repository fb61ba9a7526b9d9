"""The slow oracle: docs/semantics.md in plain Python, by brute force, sharing no code with the engine.

It takes a definition as the mapping that its YAML parses to, and touchpoints as mappings with the keys
`id`, `type`, `name`, `t`, `recorded`, `user`, `anonymous`, `previous`, `properties`, `context` and `traits`
(`t` and `recorded` in microseconds since 1970, UTC; `name`, `user`, `anonymous` and `previous` may be None), a
placement with `journey` and `stage`; where they matter, with `seen` (what the door saw: `agent`, `country`, `region`
and `city`) and the flags `excluded`, `guarded` and `retracted`. Only what a touchpoint is told to be (rule 47) is asked
of the tables' readers.
Numbers in the comments are the numbered decisions of that page.
"""

from tests.oracle.grammar import faults
from tests.oracle.history import in_order
from tests.oracle.identity import Customer, customers
from tests.oracle.journey import derive, stage
from tests.oracle.ledger import end_of_day, known, known_moves, ledger, recorded
from tests.oracle.reading import Move
from tests.oracle.text import fold
from tests.oracle.times import corrected, microseconds

__all__ = [
    "Customer",
    "Move",
    "corrected",
    "customers",
    "derive",
    "end_of_day",
    "faults",
    "fold",
    "in_order",
    "known",
    "known_moves",
    "ledger",
    "microseconds",
    "recorded",
    "stage",
]
