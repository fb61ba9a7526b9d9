"""Reading `personas:` (rule 55): who a journey's customers are, by their traits and in words.

personas:
  - persona: owner
    title: {en: Owners, fa: صاحبان کسب‌وکار}
    when: {role: [owner, founder]}
    goals: Sell more with the people they have
    frustrations: No time to try things out
    decides: Alone, within a week
"""

from shared.journeys import naming
from shared.journeys.conditions.trait import Trait
from shared.journeys.model import Persona
from shared.journeys.predicates import clauses
from shared.journeys.reading import Place

#: Far more than a team can tell apart.
MOST = 50


def read(place: Place) -> tuple[Persona, ...]:
    """The personas in their order; the conditions read after it may refer to them by name."""
    members = place.members("personas") or []
    if len(members) > MOST:
        remedy = "leave out those that no rule needs"
        place.problem(f"there are {len(members)} personas, and {MOST} are allowed", remedy)
    listed = naming.names(members, "persona")
    personas = [persona for member in members if (persona := _persona(member))]
    nobody = Trait(())  # of one that has a problem
    place.reading.personas = dict.fromkeys(listed, nobody) | {persona.name: persona.when for persona in personas}
    return tuple(personas)


def _persona(place: Place) -> Persona | None:
    optional = ("title", "goals", "frustrations", "decides")
    if (fields := place.fields("persona", "when", optional=optional)) is None:
        return None
    name = naming.name(fields.get("persona"))
    when = clauses(fields["when"], "name a trait and what is asked of it") if "when" in fields else None
    return Persona(
        name=name,
        title=naming.title(fields, name),
        when=Trait(when or ()),
        goals=naming.text(fields, "goals"),
        frustrations=naming.text(fields, "frustrations"),
        decides=naming.text(fields, "decides"),
    )
