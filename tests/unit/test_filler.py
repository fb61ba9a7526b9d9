"""When a stager goes on with back-fills."""

import pytest

from services.stager.filling import Filler
from shared.store.rows import Fill

ONE, OTHER = Fill(1, 2, 0, 0, 100, 0, None), Fill(1, 3, 1, 0, 100, 0, None)


@pytest.fixture
def filler() -> Filler:
    """One that may take a quarter of the time, with two fills to do."""
    made = Filler(0.25)
    made.learn([ONE, OTHER])
    return made


def test_a_step_is_followed_by_a_rest_while_there_is_other_work(filler: Filler) -> None:
    """After a step of an hour none for three hours, unless there is nothing else to do."""
    assert filler.turn(busy=True) == ONE
    after = ONE._replace(next=50)
    filler.done(ONE, after, seconds=3600)
    assert filler.turn(busy=True) is None
    assert filler.turn(busy=False) == after


def test_what_is_finished_makes_room_for_the_next(filler: Filler) -> None:
    """Versions are filled together; what is done is not done again."""
    assert filler.versions(1) == {2, 3}
    assert filler.versions(2) == set()
    filler.done(ONE, ONE._replace(next=100, finished=9), seconds=0)
    assert filler.turn(busy=True) == OTHER
    filler.done(OTHER, OTHER._replace(next=100, finished=9), seconds=0)
    assert filler.turn(busy=False) is None


def test_without_a_bound_there_is_no_rest() -> None:
    """A share of 1 lets a back-fill go on after every round."""
    filler = Filler(1.0)
    filler.learn([ONE])
    filler.done(ONE, ONE, seconds=3600)
    assert filler.turn(busy=True) == ONE
