"""The journeys that come with Milepost, and the names they know."""

from collections import Counter

import pytest

from shared.events import DAY
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.conditions.base import inside
from shared.journeys.conditions.quiet import Quiet
from shared.journeys.definition import load
from shared.journeys.roles import known
from shared.touch.text import fold
from tests.support.journeys import setting, teller


@pytest.mark.parametrize("name", templates.names())
def test_what_a_team_would_plan(name: str) -> None:
    """Each stage before and after the conversion may be planned for, by kinds, channels and contents that there are."""
    definition = load(templates.text(name), teller())
    assert [stage for stage in definition.stages if stage.planned and stage.owner and stage.expected]
    pairs = [(one.source, one.target) for one in definition.conversions]
    converted = [stage.name for stage in definition.stages if stage.means == "converted"]
    assert [target for _, target in pairs if target in converted]
    assert all({"en", "fa", "ar"} <= set(one.title.texts) for one in definition.conversions)


def test_names() -> None:
    """The templates are the YAML files; the roles are none."""
    assert "lifecycle" in templates.names()
    assert "roles" not in templates.names()
    with pytest.raises(KeyError):
        templates.text("roles")


@pytest.mark.parametrize("name", templates.names())
def test_template(name: str) -> None:
    """A template is a journey of its file's name, and everything in it has a title in three languages."""
    definition = templates.load(name)
    compile_journey(definition, setting())
    assert definition.name == name
    for title in (definition.title, *(stage.title for stage in definition.stages)):
        assert {"en", "fa", "ar"} <= set(title.texts)


def test_lifecycle() -> None:
    """The lifecycle's stages in their order, and what they mean."""
    stages = templates.load("lifecycle").stages
    assert [(stage.name, stage.means) for stage in stages] == [
        ("awareness", None),
        ("acquisition", None),
        ("onboarding", "converted"),
        ("engagement", None),
        ("loyalty", None),
        ("retention", "at-risk"),
        ("churned", "churned"),
        ("lapsed", "lapsed"),
    ]


DAYS = {
    "lifecycle": (30, 90, 30),
    "value": (45, 120, 60),
    "b2b": (45, 180, 120),
    "retail": (60, 180, 30),
    "funnel": (30, 90, 60),
    "ownership": (90, 365, 60),
    "classic": (60, 180, 30),
}


@pytest.mark.parametrize("name", templates.names())
def test_silence(name: str) -> None:
    """Beside each stand at-risk and churned for whoever has converted, lapsed for the others; each after its days."""
    definition = templates.load(name)
    ordered, side = definition.stages[: definition.ordered], definition.stages[definition.ordered :]
    pair = [stage.means for stage in ordered].index("converted")
    leads, customers = {stage.name for stage in ordered[:pair]}, {stage.name for stage in ordered[pair:]}
    assert [stage.means for stage in side] == ["at-risk", "churned", "lapsed"]
    risk, churned, lapsed = (set(stage.origins or ()) for stage in side)
    exempt = {"loyalty"} if name == "lifecycle" else set()
    assert (risk, churned, lapsed) == (customers - exempt, customers - exempt | {side[0].name}, leads)
    quiet = [part.duration for stage in side for part in inside(stage.enter) if isinstance(part, Quiet)]
    assert tuple(duration // DAY for duration in quiet) == DAYS[name]


def test_no_name_has_two_roles() -> None:
    """A name stands for one role, and stands there once."""
    names = Counter(fold(name) for names in known().values() for name in names)
    assert [name for name, number in names.items() if number > 1] == []


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Order Completed", "purchase"),
        ("خريد", "purchase"),
        ("شراء", "purchase"),
        ("purchase", "purchase"),
        ("sign_up", "sign-up"),
        ("user signed up", "sign-up"),
        ("ثبت نام", "sign-up"),
        ("add_to_cart", "cart"),
        ("$pageview", "landing"),
    ],
)
def test_known_names(name: str, role: str) -> None:
    """The names that sites send already have their roles."""
    assert [found for found, names in known().items() if fold(name) in map(fold, names)] == [role]
