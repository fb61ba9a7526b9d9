"""What `sum`, `average`, `least`, `greatest` and `trend` keep: what the values of a property come to, in millionths."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import reduce
from itertools import accumulate
from typing import Any, NamedTuple

from shared.journeys.conditions.slots import LARGEST, Kept, Update
from shared.journeys.matcher import Reads, value_at
from shared.journeys.setting import Setting
from shared.journeys.touchpoint import Touchpoint

#: A window is kept in this many buckets; amounts are whole millionths.
BUCKETS, MILLION = 30, 1_000_000

_MILLIONTH = Decimal("0.000001")
_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)


class Tally(NamedTuple):
    """How amounts come to one thing: something that msgpack carries and that is never changed in place.

    None stands for that of no amounts. `join` makes one of several; `tails` gives those of all but the first, all but
    the first two, and so on down to that of none. `weight` is how many numbers one holds.
    """

    plus: Callable[[Any, int], Any]
    join: Callable[[Collection[Any]], Any]
    tails: Callable[[Sequence[Any]], Sequence[Any]]
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Amounts(Kept):
    """The tally of a property, or of ones without a path. Within a window: by buckets of a thirtieth of it, for so many
    `windows`. In a calendar period: its end, and the tally; else that alone.
    """

    path: str
    tally: Tally
    windows: int = 1

    @property
    def width(self) -> int:
        """A bucket's width in microseconds."""
        return -(-(self.window.within or BUCKETS) // BUCKETS)

    @property
    def items(self) -> int:
        """How many numbers are kept at most."""
        return self.windows * BUCKETS * self.tally.weight if self.window.within else 1 + self.tally.weight

    def empty(self) -> dict[int, Any] | None:
        return None if self.window.within is None else {}

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test, path, width, plus = self.of.compile(setting.teller), self.path, self.width, self.tally.plus
        span, during, zone = self.windows * BUCKETS, self.window.during, setting.zone

        def alone(slots: list[Any], touchpoint: Touchpoint) -> None:
            if (amount := added(touchpoint, test, path)) is not None:
                slots[index] = plus(slots[index], amount)

        def buckets(slots: list[Any], touchpoint: Touchpoint) -> None:
            if (amount := added(touchpoint, test, path)) is not None:
                kept: dict[int, Any] = slots[index]
                bucket = touchpoint.at // width
                kept[bucket] = plus(kept.get(bucket), amount)
                while (oldest := next(iter(kept))) <= bucket - span:
                    del kept[oldest]

        if during is None:
            return alone if self.window.within is None else buckets
        period = during

        def in_period(slots: list[Any], touchpoint: Touchpoint) -> None:
            if (amount := added(touchpoint, test, path)) is not None:
                if (kept := slots[index]) is None or kept[0] <= touchpoint.at:
                    slots[index] = [period.bounds(touchpoint.at, zone)[1], plus(None, amount)]
                else:
                    kept[1] = plus(kept[1], amount)

        return in_period

    def reading(self) -> Callable[[Any, int], Any]:
        """The tally of what is kept, at an instant not before the last touchpoint."""
        width, join = self.width, self.tally.join

        def within(kept: dict[int, Any], now: int) -> Any:
            gone = now // width - BUCKETS
            if not kept or next(iter(kept)) > gone:
                return join(kept.values())
            return join([one for bucket, one in kept.items() if bucket > gone])

        if self.window.within is not None:
            return within
        if self.window.during is not None:
            return lambda kept, now: kept[1] if kept is not None and now < kept[0] else None
        return lambda kept, now: kept

    def later(self) -> Callable[[Any], tuple[list[int], Sequence[Any]]]:
        """The instants at which time changes the tally of what is kept, as some leave; and what it then is."""
        width, tails = self.width, self.tally.tails

        def leaving(kept: dict[int, Any]) -> tuple[list[int], Sequence[Any]]:
            return [(bucket + BUCKETS) * width for bucket in kept], tails(list(kept.values()))

        def ending(kept: list[Any] | None) -> tuple[list[int], Sequence[Any]]:
            return ([], []) if kept is None else ([kept[0]], [None])

        return ending if self.window.within is None else leaving

    def among(self, touchpoints: Iterable[Touchpoint], now: int) -> list[Touchpoint]:
        """Those in the buckets of a window that count now."""
        span = self.windows * BUCKETS
        return [one for one in touchpoints if now // self.width - one.at // self.width < span]

    def told(self, touchpoints: Iterable[Touchpoint]) -> Any:
        """The tally of these touchpoints, which match."""
        tally = None
        for one in touchpoints:
            if (amount := added(one, None, self.path)) is not None:
                tally = self.tally.plus(tally, amount)
        return tally


def added(touchpoint: Touchpoint, test: Reads | None, path: str) -> int | None:
    """The amount of a touchpoint in millionths, or a whole one without a path; None if it has none."""
    if test is not None and not test(touchpoint):
        return None
    if not path:
        return MILLION
    value = value_at(touchpoint.properties, path)
    if type(value) is int:
        return value * MILLION if abs(value) < LARGEST else None
    if type(value) is not float:
        return None
    return int(_EXACT.scaleb(_EXACT.quantize(Decimal(repr(value)), _MILLIONTH), 6))


def decimal(amount: int, over: int = 1) -> Decimal:
    """An amount, divided, as it is told: in ones, to a millionth."""
    return _EXACT.quantize(_EXACT.divide(Decimal(amount), Decimal(over * MILLION)), _MILLIONTH)


def carried(amount: int) -> int | str:
    """An amount as msgpack carries it: what is beyond 64 bits as text."""
    return amount if -(2**63) <= amount < 2**63 else str(amount)


def _more(tally: Any, amount: int) -> int | str:
    return carried(int(tally or 0) + amount)


def _total(tallies: Collection[Any]) -> int:
    return sum(map(int, tallies))


def _totals(tallies: Sequence[Any]) -> list[int]:
    return [*accumulate(map(int, tallies[:0:-1]), initial=0)][::-1]


def _mean(tally: Any, amount: int) -> list[int | str]:
    return [carried(amount), 1] if tally is None else [carried(int(tally[0]) + amount), tally[1] + 1]


def _means(tallies: Collection[Any]) -> tuple[int, int] | None:
    return (sum([int(one[0]) for one in tallies]), sum([one[1] for one in tallies])) if tallies else None


def _all_means(tallies: Sequence[Any]) -> list[tuple[int, int] | None]:
    sums, numbers = _totals([one[0] for one in tallies]), _totals([one[1] for one in tallies])
    return [*zip(sums[:-1], numbers, strict=False), None]


def _extreme(better: Callable[[int, int], int]) -> Tally:
    """That of the better of any two amounts."""

    def plus(tally: Any, amount: int) -> int | str:
        return carried(amount if tally is None else better(int(tally), amount))

    def join(tallies: Collection[Any]) -> int | None:
        return reduce(better, map(int, tallies)) if tallies else None

    def tails(tallies: Sequence[Any]) -> list[int | None]:
        return [*[*accumulate(map(int, tallies[:0:-1]), better)][::-1], None]

    return Tally(plus, join, tails)


TOTAL = Tally(_more, _total, _totals)
#: The sum, and of how many.
MEAN = Tally(_mean, _means, _all_means, 2)
LEAST, GREATEST = _extreme(min), _extreme(max)
