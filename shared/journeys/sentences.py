"""Sentences about a journey: its stages by their titles, instants in a time zone."""

from datetime import UTC, tzinfo

from shared.journeys.conditions.base import Condition
from shared.journeys.model import Definition
from shared.journeys.telling import Said, Speaker, language


def speaker(definition: Definition, name: str = "en", zone: tzinfo = UTC) -> Speaker:
    """Who tells of a journey in one of telling.LANGUAGES."""
    return Speaker(language(name), {stage.name: stage.title.text(name) for stage in definition.stages}, zone)


def sentence(told: Condition | Said, definition: Definition, name: str = "en", zone: tzinfo = UTC) -> str:
    """What a condition asks, or what *why* tells, as one sentence."""
    return speaker(definition, name, zone).sentence(told.asks() if isinstance(told, Condition) else told)
