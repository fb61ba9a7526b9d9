"""A language at work: what is told, put into its words, which are data (en.yaml and its like)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import Any

import yaml

from shared.events import DAY, SECOND
from shared.journeys.calendar import civil
from shared.journeys.telling.said import Instant, Listed, Quoted, Role, Said, Span, Stage, Telling, Term
from shared.journeys.telling.writing import PLURALS, Writing

LANGUAGES = ("en", "fa", "ar")

#: A phrase, or one for each plural form.
Phrase = str | Mapping[str, str]

#: Which of these stand in brackets inside others, so that it is clear what belongs together.
_GROUPS = ("all", "any", "some")
_UNITS = (("day", DAY), ("hour", 3600 * SECOND), ("minute", 60 * SECOND), ("second", SECOND))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language and how it is written."""

    name: str
    writing: Writing
    phrases: Mapping[str, Phrase]
    units: Mapping[str, Phrase]
    calendar: Mapping[str, Any]
    stages: Mapping[str, str]
    roles: Mapping[str, str]

    def phrase(self, phrase: Phrase, number: int = 0) -> str:
        """The form of a phrase that goes with a number."""
        if isinstance(phrase, str):
            return phrase
        return phrase["zero"] if number == 0 and "zero" in phrase else phrase[PLURALS[self.name][0](abs(number))]

    def span(self, duration: int) -> str:
        """`30 days`, `1 hour 30 minutes`: microseconds in their two largest units, what is smaller left out."""
        parts: list[str] = []
        for unit, size in _UNITS:
            number, duration = divmod(duration, size)
            if number:
                form = self.phrase(self.units[unit], number)
                parts.append(form.format(n=self.writing.number(number)))
        if not parts:
            return self.phrase(self.units["moment"])
        return parts[0] if len(parts) == 1 else self.pair("and", *parts[:2])

    def pair(self, by: str, a: str, b: str, form: str = "two") -> str:
        return str(self.phrases[f"{by}.{form}"]).format(a=a, b=b)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Tells in a language; `titles` are what the stages are called in it, instants are told in `zone`."""

    language: Language
    titles: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC

    def sentence(self, told: Said) -> str:
        """One sentence, with its full stop."""
        text = self.say(Telling("sentence", {"it": told}))
        start = 1 if text.startswith("(") else 0
        return text[:start] + text[start : start + 1].upper() + text[start + 1 :]

    def say(self, told: Said) -> str:
        """The words for what is told, as they stand inside a sentence."""
        writing = self.language.writing
        match told:
            case None:
                return ""
            case Quoted(text):
                return writing.quoted(text)
            case Term(text):
                return writing.isolated(text)
            case Role(name):
                return self.language.roles.get(name) or writing.quoted(name)
            case Stage(name):
                return self.language.stages.get(name) or writing.quoted(self.titles.get(name, name))
            case Span(duration):
                return self.language.span(duration)
            case Instant(at):
                return self._instant(at)
            case Listed():
                return self._listed(told)
            case Telling():
                return self._told(told)
            case _:
                return writing.number(told)

    def _told(self, told: Telling) -> str:
        key, slots = told.key, told.slots
        inner = slots.get("it")
        if key == "not" and isinstance(inner, Telling):
            if inner.key == "not":
                return self.say(inner.slots["it"])
            if inner.key.endswith(".not"):
                key, slots = inner.key.removesuffix(".not"), inner.slots
            elif f"{inner.key}.not" in self.language.phrases:
                key, slots = f"{inner.key}.not", inner.slots
            elif isinstance(asked := inner.slots.get("is"), Telling):
                key, slots = inner.key, {**inner.slots, "is": Telling("not", {"it": asked})}
        number = slots.get("n")
        phrase = self.language.phrase(self.language.phrases[key], number if isinstance(number, int) else 0)
        for name in [name for name, slot in slots.items() if slot is None]:
            phrase = phrase.replace(f" {{{name}}}", "").replace(f"{{{name}}}", "")
        inside = self._member if key == "not" else self.say
        return phrase.format_map({name: inside(slot) for name, slot in slots.items()})

    def _listed(self, told: Listed) -> str:
        texts = [self._member(member) for member in told.members]
        if len(texts) <= 2:
            return self.language.pair(told.by, *texts) if len(texts) == 2 else "".join(texts)
        text = texts[0]
        for member in texts[1:-1]:
            text = self.language.pair(told.by, text, member, "more")
        return self.language.pair(told.by, text, texts[-1], "last")

    def _member(self, told: Said) -> str:
        grouped = isinstance(told, Listed) or (isinstance(told, Telling) and told.key in _GROUPS)
        return self.say(Telling("group", {"it": told})) if grouped else self.say(told)

    def _instant(self, at: int) -> str:
        calendar, writing = self.language.calendar, self.language.writing
        moment = (_EPOCH + timedelta(microseconds=at)).astimezone(self.zone)
        year, month, day = civil((moment.date() - _EPOCH.date()).days, calendar["kind"])
        text: str = calendar["instant"].format(
            weekday=calendar["weekdays"][moment.weekday()],
            day=day,
            month=calendar["months"][month - 1],
            year=year,
            time=f"{moment:%H:%M}",
        )
        return text.translate(str.maketrans("0123456789", writing.digits[:10]))


@cache
def language(name: str) -> Language:
    """The language of this name, one of LANGUAGES, read from its words."""
    text = resources.files(__package__).joinpath(f"{name}.yaml").read_text("utf-8")
    words = yaml.load(text, yaml.CSafeLoader)  # the quick safe loader
    writing = Writing(words.pop("direction"), words.pop("digits"), words.pop("quotes"))
    return Language(name, writing, **words)
