"""A definition in words: what leads into each of its stages, without anybody's history."""

from typing import NamedTuple

from shared.journeys.model import Definition, Stage
from shared.journeys.sentences import speaker
from shared.journeys.telling import LANGUAGES, Quoted, Said, Speaker, Telling, listed
from shared.journeys.telling import Stage as Named

__all__ = ["LANGUAGES", "StageInWords", "explain_stages", "speaker"]


class StageInWords(NamedTuple):
    """A stage, `none` for what leads out: `enter` says what leads into it, `rules` whence, and what follows."""

    stage: str
    title: str
    side: bool
    means: str | None
    enter: str
    rules: tuple[str, ...]


def explain_stages(definition: Definition, language: str = "en") -> list[StageInWords]:
    """Every stage in order, those beside it, and what leads out of the journey."""
    speaks = speaker(definition, language)
    told = [_stage(definition, stage, speaks) for stage in definition.stages]
    if (exit := definition.exit) is not None:
        rules = (speaks.sentence(_from(definition, exit.origins)),)
        title = speaks.say(Telling("exit"))
        told.append(StageInWords("none", title, False, None, speaks.sentence(exit.enter.asks()), rules))
    return told


def _stage(definition: Definition, stage: Stage, speaks: Speaker) -> StageInWords:
    rules: list[Said] = [Telling("rule.side")] if stage.side else []
    if stage.origins is not None:
        rules.append(_from(definition, stage.origins))
    if stage.back is not None:
        rules.append(Telling(f"rule.{stage.back}"))
    if stage.means is not None:
        rules.append(Telling("rule.means", {"means": Quoted(speaks.say(Telling(f"means.{stage.means}")))}))
    enter = speaks.sentence(stage.enter.asks())
    title = speaks.titles[stage.name]
    return StageInWords(stage.name, title, stage.side, stage.means, enter, tuple(map(speaks.sentence, rules)))


def _from(definition: Definition, origins: frozenset[str]) -> Said:
    return Telling(
        "rule.from", {"stages": listed([Named(name) for name in definition.numbers() if name in origins], "or")}
    )
