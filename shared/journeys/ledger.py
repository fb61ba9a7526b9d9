"""From moves to ledger entries: what one record adds, and what it takes back. Pure; see docs/semantics.md, section 7.

A *track* is one customer's state in one journey version as it is kept: the state just after the last touchpoint, and
the timer moves since then that are already in the ledger. The fast path, `follow`, folds a record that comes in its
order. Everything else (a late record, a merge, a timer that ran ahead of a record) refolds from an earlier state
and writes the difference: `refold`, then `correct`.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from shared.journeys.engine import Journey, Move, State
from shared.journeys.touchpoint import Touchpoint


class Track(msgspec.Struct, array_like=True, gc=False):
    """One customer in one journey version; `written` are the timer moves after the state that the ledger holds."""

    state: State
    written: list[Move] = []


class Entry(NamedTuple):
    """A ledger entry of one customer in one journey version: a move (sign 1) or the reversal of one (sign −1)."""

    at: int
    source: int
    target: int
    timer: bool
    late: bool
    recorded: int
    sign: int


Fact = tuple[int, int, int]
"""What makes two moves the same: at, source, target."""


def fact(move: Move | Entry) -> Fact:
    """The identity of a move, whatever caused it."""
    return move.at, move.source, move.target


def pending(journey: Journey, track: Track, until: int) -> list[Move]:
    """The timer moves due at or before `until` that the ledger does not hold yet. The track stays as it is."""
    due = journey.due(track.state)
    if due is None or due > until:
        return []
    made = journey.advance(journey.copy(track.state), until)
    return made[len(track.written) :]


def fire(journey: Journey, track: Track, until: int, recorded: int) -> list[Entry]:
    """Writes the timers due at or before `until`: recorded when due, or at the customer's last `recorded` if later."""
    moves = pending(journey, track, until)
    track.written.extend(moves)
    return [_timer(move, recorded) for move in moves]


def next_due(journey: Journey, track: Track) -> int | None:
    """When the next timer that the ledger does not hold is due, as things stand."""
    if not track.written:
        return journey.due(track.state)
    state = journey.copy(track.state)
    journey.advance(state, track.written[-1].at)
    return journey.due(state)


def follow(journey: Journey, track: Track, touchpoint: Touchpoint, before: int, recorded: int) -> list[Entry]:
    """Folds a record that comes after all others in event time: the hot path.

    `before` is the customer's highest recorded time so far, `recorded` this record's (not lower). Timers that were due
    before this record was known are entered as they were known then; those that its arrival makes untrue are reversed.
    """
    state = track.state
    entries: list[Entry] = []
    if (due := state.due) is not None:
        if due < recorded and before < recorded:
            entries = fire(journey, track, recorded - 1, before)
        if track.written and track.written[-1].at >= touchpoint.at:
            return entries + _overtake(journey, track, touchpoint, recorded)
        if due < touchpoint.at:
            made = journey.advance(state, touchpoint.at - 1)
            entries += [_timer(move, before) for move in made[len(track.written) :]]
        if track.written:
            track.written = []
    move = journey.touch(state, touchpoint)
    if move is not None:
        entries.append(Entry(move.at, move.source, move.target, False, False, recorded, 1))
    return entries


def _overtake(journey: Journey, track: Track, touchpoint: Touchpoint, recorded: int) -> list[Entry]:
    """A record in its order, but older than timers that the ledger already holds."""
    held = [fact(move) for move in track.written]
    moves = refold(journey, track, [touchpoint]) + catch_up(journey, track, recorded)
    entries = correct(held, moves, recorded)
    return [entry._replace(late=False) if entry.sign > 0 and not entry.timer else entry for entry in entries]


def refold(journey: Journey, track: Track, touchpoints: Iterable[Touchpoint]) -> list[Move]:
    """Folds touchpoints (in order, all after the track's state) and the timers between them; returns every move made.

    What the ledger held after the state (`written`) is forgotten: the caller compares. `catch_up` goes on from here.
    """
    state, moves = track.state, list[Move]()
    track.written = []
    for touchpoint in touchpoints:
        due = journey.due(state)
        if due is not None and due < touchpoint.at:
            moves += journey.advance(state, touchpoint.at - 1)
        move = journey.touch(state, touchpoint)
        if move is not None:
            moves.append(move)
    return moves


def catch_up(journey: Journey, track: Track, known: int) -> list[Move]:
    """The timers due after the track's last touchpoint and at or before `known`; the ledger is to hold them."""
    track.written = pending(journey, track, known)
    return list(track.written)


def correct(held: Iterable[Fact], moves: Iterable[Move], recorded: int) -> list[Entry]:
    """The entries that turn what the ledger holds into the moves as they are now known, all recorded at `recorded`.

    A timer that is due only later is recorded when it is due.
    """
    surplus = Counter(held)
    entries = list[Entry]()
    for move in moves:
        if surplus[fact(move)] > 0:
            surplus[fact(move)] -= 1
        else:
            due = move.at if move.timer else recorded
            entries.append(Entry(*move, True, max(due, recorded), 1))
    return [Entry(*gone, False, True, recorded, -1) for gone in sorted(surplus.elements())] + entries


def net(entries: Iterable[tuple[Fact, int]]) -> list[Fact]:
    """What a ledger's entries (fact, sign) come to: each move as often as it stands."""
    total: Counter[Fact] = Counter()
    for key, sign in entries:
        total[key] += sign
    return sorted(total.elements())


def _timer(move: Move, recorded: int) -> Entry:
    return Entry(move.at, move.source, move.target, True, False, max(move.at, recorded), 1)


#: Touchpoints between two states that `replay` keeps to go back to.
_CHECKPOINT = 64


class _Checkpoint(NamedTuple):
    n: int
    at: int
    state: State


def replay(
    journey: Journey, history: Iterable[tuple[Touchpoint, int]], held: Iterable[Fact] = (), known: int = 0
) -> tuple[Track, list[Entry]]:
    """The entries of a whole history of (touchpoint, recorded time) as they would have been written record by record.

    `held` is what the ledger holds already, as known at `known`: what was recorded by then is corrected at once, the
    rest follows record by record. Recorded times are raised to keep their order (semantics 31). Ids must be unique.
    """
    told = sorted(history, key=lambda one: (one[1], one[0].at, one[0].id.encode()))
    track, moves, before = Track(journey.start()), list[Move](), known
    folded = [(_key(touchpoint), touchpoint) for touchpoint, recorded in told if recorded <= known]
    folded.sort(key=lambda one: one[0])
    checkpoints = [_Checkpoint(0, -(1 << 62), journey.start())]
    for start in range(0, len(folded), _CHECKPOINT):
        moves += refold(journey, track, [touchpoint for _, touchpoint in folded[start : start + _CHECKPOINT]])
        if start + _CHECKPOINT <= len(folded):
            last = folded[start + _CHECKPOINT - 1][1]
            checkpoints.append(_Checkpoint(start + _CHECKPOINT, last.at, journey.copy(track.state)))
    moves += catch_up(journey, track, known)
    entries = correct(held, moves, known)
    facts = [(fact(move), 1) for move in moves]
    for touchpoint, received in told[len(folded) :]:
        recorded, key = max(received, before), _key(touchpoint)
        if not folded or key > folded[-1][0]:
            made = follow(journey, track, touchpoint, before, recorded)
            folded.append((key, touchpoint))
            if len(folded) % _CHECKPOINT == 0:
                checkpoints.append(_Checkpoint(len(folded), touchpoint.at, journey.copy(track.state)))
        else:
            insort(folded, (key, touchpoint), key=lambda one: one[0])
            while checkpoints[-1].at >= touchpoint.at:
                checkpoints.pop()
            base = checkpoints[-1]
            made = fire(journey, track, recorded - 1, before) if before < recorded else []
            stood = net([*facts, *((fact(entry), entry.sign) for entry in made)])
            track = Track(journey.copy(base.state))
            moves = refold(journey, track, [one for _, one in folded[base.n :]]) + catch_up(journey, track, recorded)
            later = [move for move in moves if move.at > base.at]
            made += correct([one for one in stood if one[0] > base.at], later, recorded)
        entries += made
        facts += [(fact(entry), entry.sign) for entry in made]
        before = recorded
    return track, entries


def _key(touchpoint: Touchpoint) -> tuple[int, bytes]:
    return touchpoint.at, touchpoint.id.encode()
