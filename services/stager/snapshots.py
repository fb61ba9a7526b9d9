"""Which snapshots of a customer's tracks are taken and kept. They thin out with age, so that a rewind folds a small
multiple of what it displaces while a customer keeps few."""

#: Snapshots are taken at multiples of this many touchpoints.
EVERY = 64


def kept(n: int) -> set[int]:
    """The touchpoint numbers whose snapshots are kept once there are `n`: for every k,
    the last two multiples of EVERY·4^k."""
    numbers, step = set[int](), EVERY
    while step <= n:
        last = n - n % step
        numbers |= {last, last - step}
        step *= 4
    return numbers - {0}


def thinned(n: int) -> set[int]:
    """Those that go when the snapshot of the `n`-th touchpoint is taken."""
    return kept(n - EVERY) - kept(n)
