"""The simulated shop: a seed and the present instant in, a history of messages out. Pure: no clock, no I/O.

Messages are those of Segment's HTTP API, in the order in which a server would have received them: a few come late
(a phone was offline), a few come twice. The same seed, months and customer give the same message ids whatever
else differs, so a shop sent twice changes nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from random import Random
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from services.demo.people import (
    CHANNELS,
    COUNTRIES,
    LAPTOP,
    PERSONAS,
    PHONE,
    PRODUCTS,
    Product,
)
from shared.events import DAY, SECOND

Message = dict[str, Any]
T = TypeVar("T")

#: So many customers' histories are mixed into one stream of messages, and held in memory, at a time.
CROWD = 500
MONTH = 30 * DAY

OFFLINE, TWICE = 0.02, 0.004  # shares of the visits that come late, and of the messages that come twice


class Arrival(NamedTuple):
    """A message and when it came, in microseconds."""

    at: int
    message: Message


def shop(seed: int, now: int, customers: int, months: int) -> Iterator[Message]:
    """Everything that the shop's customers did in the months before `now`."""
    for _, messages in crowds(seed, now, customers, months):
        yield from messages


def crowds(seed: int, now: int, customers: int, months: int) -> Iterator[tuple[int, list[Message]]]:
    """The same, cut into crowds: how many customers, and what they did."""
    for first in range(0, customers, CROWD):
        crowd = range(first, min(first + CROWD, customers))
        arrivals = [arrival for number in crowd for arrival in history(seed, now, months, number)]
        arrivals.sort(key=lambda arrival: arrival.at)
        yield len(crowd), [arrival.message for arrival in arrivals]


def history(seed: int, now: int, months: int, number: int) -> list[Arrival]:
    """What one customer did, in the order in which it was received; customers are numbered from 0."""
    customer = _Customer(f"{seed}:{months}", number, now)
    customer.live(months * MONTH)
    return sorted(customer.arrivals, key=lambda arrival: arrival.at)


@cache
def _name(text: str) -> str:
    return blake2b(text.encode(), digest_size=2).hexdigest()


class _Customer:
    """One person, living through visits; `at` is the instant they have come to."""

    def __init__(self, shop: str, number: int, now: int) -> None:
        self.rng = Random(f"{shop}:{number}")  # noqa: S311 - a simulation, nothing is kept secret with it
        self.now = now
        self.at = now
        self.arrivals: list[Arrival] = []
        self.persona = self._one_of(PERSONAS, [persona.share for persona in PERSONAS])
        self.country = self._one_of(COUNTRIES, [country.share for country in COUNTRIES])
        self.user = f"shop-{_name(shop)}-{number:04}"
        self.anonymous = {agent: str(UUID(int=self.rng.getrandbits(128), version=4)) for agent in (PHONE, LAPTOP)}
        self.member = False
        self.signed_in: set[str] = set()
        self.orders = 0
        self.delay = 0
        self.page: dict[str, str] = {}
        self.agent = LAPTOP
        self.campaign: dict[str, str] = {}

    def live(self, period: int) -> None:
        """From a first visit somewhere in the period to now, with silences; some come back from one."""
        rng, persona = self.rng, self.persona
        self.at = self.now - int(period * rng.random())
        stays = persona.stays
        while self.at < self.now:
            silent = self.at + self._days(stays)
            while self.at < min(silent, self.now):
                self._visit()
                self.at += self._days(persona.gap) + 3600 * SECOND
            if rng.random() > persona.returns:
                return
            self.at += 45 * DAY + self._days(30)
            stays /= 2

    def _visit(self) -> None:
        rng, persona = self.rng, self.persona
        self.agent = PHONE if rng.random() < persona.phone else LAPTOP
        self.delay = rng.randrange(3600, 72 * 3600) * SECOND if rng.random() < OFFLINE else 0
        channel = self._one_of(list(persona.channels), list(persona.channels.values()))
        campaigns = CHANNELS[channel].campaigns
        self.campaign = dict(zip(("name", "source", "medium"), rng.choice(campaigns), strict=True)) if campaigns else {}
        self._open("/", "Home", referrer=CHANNELS[channel].referrer)
        if self.member and rng.random() < 0.8:
            self._sign_in()
        products = rng.sample(PRODUCTS, rng.randint(*persona.views))
        for product in products:
            self._open(f"/products/{product.sku.lower()}", product.name)
            self._track("Product Viewed", **_item(product))
        if not self.member and rng.random() < persona.signs_up:
            self._sign_up()
        if rng.random() < persona.carts:
            self._shop(products[: rng.randint(1, 2)])
        elif self.orders and rng.random() < persona.reviews:
            self._track("Product Reviewed", **_item(products[0]), rating=rng.choice((3, 4, 5, 5)))

    def _shop(self, products: list[Product]) -> None:
        """Fills the cart; pays or leaves it. An order may be followed by a review, an invitation, a refund."""
        rng, persona = self.rng, self.persona
        for product in products:
            self._track("Product Added", **_item(product), quantity=1)
        self._open("/cart", "Cart")
        if rng.random() > persona.buys:
            return
        self._track("Checkout Started")
        if self.member:
            self._sign_in()
        else:
            self._sign_up()
        self.orders += 1
        order = {"order_id": f"{self.user}-{self.orders}", "currency": "EUR"}
        total = round(sum(product.price for product in products), 2)
        self._track("Order Completed", **order, total=total, products=[_item(product) for product in products])
        if self.orders == 1 and rng.random() < 0.6:
            self._track("Profile Completed")
        if rng.random() < persona.refers:
            self._track("Invite Sent", channel=rng.choice(("messenger", "email")))
        if rng.random() < persona.refunds:
            self._from_server(self._days(4) + DAY, "Order Refunded", **order, total=total)

    def _sign_up(self) -> None:
        self._open("/sign-up", "Sign up")
        self.member = True
        self._identify()
        self._track("Signed Up", method=self.rng.choice(("email", "phone", "google")))

    def _sign_in(self) -> None:
        """On a device where they are not signed in yet; nothing otherwise."""
        if self.agent not in self.signed_in:
            self._track("Signed In")
            self._identify()

    def _identify(self) -> None:
        self.signed_in.add(self.agent)
        rng = Random(self.user)  # noqa: S311 - a simulation; of its own, for a person is called the same each time
        which = rng.randrange(len(self.country.given))
        self._send(
            "identify",
            traits={
                "firstName": self.country.given[which],
                "lastName": rng.choice(self.country.family),
                "email": f"{self.country.latin[which]}.{self.user}@mail.example",
                "city": rng.choice(self.country.cities),
                "country": self.country.code,
                "language": self.country.locale[:2],
                "persona": self.persona.name,
            },
        )

    def _open(self, path: str, title: str, referrer: str | None = None) -> None:
        before = self.page.get("url", "") if referrer is None else referrer
        self.page = {
            "path": path,
            "url": f"https://shop.example{path}",
            "title": title,
            "referrer": before,
        }
        self._send("page", name=title, properties=self.page)

    def _track(self, event: str, **properties: object) -> None:
        self._send("track", event=event, properties=properties)

    def _send(self, kind: str, **fields: object) -> None:
        """A message from the visitor's device, some seconds after the one before."""
        self.at += int((2 + self.rng.expovariate(1 / 25)) * SECOND)
        known = {"userId": self.user} if self.agent in self.signed_in else {}
        context = {
            "userAgent": self.agent,
            "locale": self.country.locale,
            "location": {"country": self.country.code},
            "page": self.page,
            "library": {"name": "shop.js", "version": "1.0.0"},
        }
        if self.campaign:
            context["campaign"] = self.campaign
        identifiers = {"anonymousId": self.anonymous[self.agent]} | known
        self._arrive(self.at, self.delay, {"type": kind} | identifiers | fields | {"context": context})

    def _from_server(self, after: int, event: str, **properties: object) -> None:
        """A message from the shop's own server, some days later."""
        message = {"type": "track", "userId": self.user, "event": event, "properties": properties}
        self._arrive(self.at + after, 0, message | {"context": {"library": {"name": "shop", "version": "1.0.0"}}})

    def _arrive(self, at: int, delay: int, message: Message) -> None:
        stamp = datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds")
        message |= {
            "messageId": f"{self.user}-{len(self.arrivals):05}",
            "timestamp": stamp.replace("+00:00", "Z"),
        }
        for late in (delay, delay + 60 * SECOND) if self.rng.random() < TWICE else (delay,):
            if at <= self.now:
                self.arrivals.append(Arrival(min(at + late, self.now), message))

    def _days(self, mean: float) -> int:
        return int(self.rng.expovariate(1 / mean) * DAY)

    def _one_of(self, choices: Sequence[T], weights: list[float]) -> T:
        return self.rng.choices(choices, weights)[0]


def _item(product: Product) -> dict[str, object]:
    return {
        "product_id": product.sku,
        "name": product.name,
        "category": product.category,
        "price": product.price,
    }
