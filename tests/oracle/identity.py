"""Rules 37 to 43, and 58: whose touchpoint it is."""

from dataclasses import dataclass

from tests.oracle.history import Touchpoint, in_order, once, place

Identifier = tuple[str, str]  # ("user" | "anonymous", value)


@dataclass(frozen=True)
class Customer:
    """One customer: what it can be asked for by, and its history in order.

    A device that two people share is an identifier of both.
    """

    identifiers: frozenset[Identifier]
    touchpoints: list[Touchpoint]


@dataclass(frozen=True)
class Link:
    """This device belongs to that user, from here on."""

    place: tuple[int, bytes]
    anonymous: str
    user: str


def customers(
    touchpoints: list[Touchpoint], join: bool = False, unfollowed: frozenset[str] = frozenset()
) -> list[Customer]:
    """The customers whose touchpoints these are, as everything received shows them to be.

    With `join` the users of one device are one customer (rule 43). `unfollowed` are the ids of statements that would
    have made a customer of too many identifiers.
    """
    said = [one for one in statements(touchpoints) if one["id"] not in unfollowed]
    links = linked(said)
    joins = joined(said) + (sharing(links) if join else [])
    histories: dict[frozenset[Identifier], list[Touchpoint]] = {}
    for touchpoint in touchpoints:
        histories.setdefault(owner(touchpoint, joins, links), []).append(touchpoint)
    return [Customer(people | devices(people, links), in_order(history)) for people, history in histories.items()]


def statements(touchpoints: list[Touchpoint]) -> list[Touchpoint]:
    """Rule 37: every identify and alias that names a user, copies under that user (rule 4) left out.

    What was retracted is as if it had not been said.
    """
    found = []
    for user in {touchpoint["user"] for touchpoint in touchpoints} - {None}:
        own = once([touchpoint for touchpoint in touchpoints if touchpoint["user"] == user])
        found += [touchpoint for touchpoint in own if touchpoint["type"] in ("identify", "alias")]
    return [touchpoint for touchpoint in found if not touchpoint.get("retracted")]


def joined(said: list[Touchpoint]) -> list[set[str]]:
    """The pairs of user ids that aliases call one person; those of web pages do not (rule 42)."""
    aliases = [one for one in said if one["type"] == "alias" and one["previous"] and not one.get("guarded")]
    return [{one["user"], one["previous"]} for one in aliases]


def linked(said: list[Touchpoint]) -> list[Link]:
    """The links, in order."""
    links = []
    for one in said:
        device = one["anonymous"] if one["type"] == "identify" else one["previous"]
        if device:
            links.append(Link(place(one), device, one["user"]))
    return sorted(links, key=lambda link: link.place)


def sharing(links: list[Link]) -> list[set[str]]:
    """Rule 43: for each device, the user ids ever linked to it."""
    return [{link.user for link in links if link.anonymous == device} for device in {link.anonymous for link in links}]


def owner(touchpoint: Touchpoint, joins: list[set[str]], links: list[Link]) -> frozenset[Identifier]:
    """Rules 38 to 40: the user ids of the customer it belongs to, or its device alone."""
    if touchpoint["user"]:
        return together(touchpoint["user"], joins)
    own = [link for link in links if link.anonymous == touchpoint["anonymous"]]
    if not own:
        return frozenset({("anonymous", touchpoint["anonymous"])})
    earlier = [link for link in own if link.place[0] <= touchpoint["t"]]
    return together((earlier[-1] if earlier else own[0]).user, joins)


def together(user: str, joins: list[set[str]]) -> frozenset[Identifier]:
    """Rule 40: this user id and all that aliases join to it, through however many."""
    people = {user}
    while True:
        wider = people.union(*[pair for pair in joins if pair & people])
        if wider == people:
            return frozenset(("user", one) for one in people)
        people = wider


def devices(people: frozenset[Identifier], links: list[Link]) -> frozenset[Identifier]:
    """The devices ever linked to these people."""
    return frozenset(("anonymous", link.anonymous) for link in links if ("user", link.user) in people)
