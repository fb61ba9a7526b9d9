"""What is kept of one customer in one journey: all that later touchpoints and timers need, and no more."""

from typing import Any, NamedTuple

import msgspec

#: Stage numbers beside 0, 1, 2, … Both also index a list's end, which makes tables by stage plain lists.
NONE = -1
ABSENT = -2


class State(msgspec.Struct, array_like=True, gc=False):
    """A customer's place just after their last touchpoint or timer move.

    Instants are microseconds. Its size is bounded by the definition, and msgpack carries it exactly.
    """

    stage: int  #: the stage held
    entered: int  #: since when
    before: int  #: the stage held just before it
    base: int  #: the last stage held that was not a side stage
    highest: int  #: the highest ordered stage since last absent or exited
    visits: list[int]  #: how often each stage was entered; the last is `none`
    active: int | None  #: the last activity
    at: int  #: the last touchpoint or timer move
    slots: list[Any]  #: what each aggregate keeps
    traits: dict[str, Any]  #: the traits that the definition reads
    due: int | None  #: when the next timer move is due, as things stand


class Move(NamedTuple):
    """From one stage to another, by number, at an instant; `timer` if time alone did it."""

    at: int
    source: int
    target: int
    timer: bool
