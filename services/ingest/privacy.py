"""Privacy at the door: who has not consented is refused, what is denied goes no further, what is named is hashed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from services.ingest.refusals import Refused
from shared.events import EMPTY
from shared.hashing import hashed
from shared.settings import Settings, listed

Raw = msgspec.Raw
Parts = tuple[Raw, Raw, Raw]
"""Properties, traits and context."""

PARTS = ("properties", "traits", "context")

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Named(NamedTuple):
    """Names anywhere in an event, and paths from a part on, in lower case."""

    names: frozenset[str]
    paths: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Named":
        """`email` is a name, `traits.email` a path; an identify's traits are also at `context.traits`."""
        names, paths = set[str](), set[tuple[str, ...]]()
        for text in texts:
            steps = tuple(text.lower().split("."))
            if len(steps) > 1 and steps[0] in PARTS:
                paths.add(steps)
                if steps[0] == "traits":
                    paths.add(("context", *steps))
            else:
                names.add(text.lower())
        return cls(frozenset(names), frozenset(paths))

    def has(self, path: tuple[str, ...]) -> bool:
        """Whether what stands at this path is named."""
        return path[-1] in self.names or path in self.paths


class Privacy:
    """The rules of the settings."""

    def __init__(self, consent: Iterable[str], denied: Iterable[str], hashes: Iterable[str], secret: str) -> None:
        self._consent, self._secret = tuple(consent), secret
        self._denied, self._hashed = Named.of(denied), Named.of(hashes)
        words = {*self._denied.names, *self._hashed.names}
        words |= {path[-1] for path in self._denied.paths | self._hashed.paths}
        self._words = tuple(word.encode() for word in words)
        self._ascii = all(word.isascii() for word in words)

    @classmethod
    def of(cls, settings: Settings) -> "Privacy | None":
        """None if the settings ask for nothing."""
        asked = listed(settings.consent), listed(settings.deny), listed(settings.hash_fields)
        return cls(*asked, settings.hash_secret.get_secret_value()) if any(asked) else None

    def apply(self, properties: Raw, traits: Raw, context: Raw) -> Parts:
        """The parts as they may be kept. Raises Refused."""
        if self._consent:
            self._check(_decode(context))
        if not self._words:
            return properties, traits, context
        return (
            self._rewritten(properties, "properties"),
            self._rewritten(traits, "traits"),
            self._rewritten(context, "context"),
        )

    def _check(self, context: Mapping[str, Any]) -> None:
        """Segment's consent manager tells categories and whether each was consented to; RudderStack's lists them."""
        segment, rudder = context.get("consent"), context.get("consentManagement")
        given = segment.get("categoryPreferences") if isinstance(segment, dict) else None
        allowed = rudder.get("allowedConsentIds") if isinstance(rudder, dict) else None
        for category in self._consent:
            if isinstance(given, dict) and given.get(category) is True:
                continue
            if isinstance(allowed, list) and category in allowed:
                continue
            raise Refused(
                "no_consent",
                "context.consent",
                f"No consent to {category!r} came with the event: it is taken with "
                f'context.consent.categoryPreferences = {{"{category}": true}}.',
            )

    def _rewritten(self, part: Raw, name: str) -> Raw:
        if part is EMPTY:
            return part
        raw = bytes(part)
        if self._ascii and b"\\" not in raw:  # no name is written with escapes: each stands there as it is
            lower = raw.lower()
            if not any(word in lower for word in self._words):
                return part
        return Raw(_encode(self._walked(_decode(raw), (name,))))

    def _walked(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [self._walked(one, path) for one in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for key, inner in value.items():
            step = (*path, key.lower())
            if not self._denied.has(step):
                kept[key] = self._concealed(inner) if self._hashed.has(step) else self._walked(inner, step)
        return kept

    def _concealed(self, value: Any) -> Any:
        """Every text and number within, hashed."""
        if isinstance(value, dict):
            return {key: self._concealed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._concealed(inner) for inner in value]
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return hashed(str(value), self._secret)
        return value
