"""A definition in words: what leads into each of its stages, without anybody's history."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.journeys.model import Definition, Stage
from shared.journeys.telling import LANGUAGES, Speaker
from shared.journeys.telling import language as words_of

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
    words, speaks = _WORDS[language], speaker(definition, language)
    titles = {**speaks.titles, "none": words["none"]}
    told = [_stage(stage, titles, words, speaks) for stage in definition.stages]
    if (exit := definition.exit) is not None:
        rules = (words["from"].format(_listed(exit.origins, titles, words)),)
        told.append(StageInWords("none", words["exit"], False, None, speaks.sentence(exit.enter.asks()), rules))
    return told


def speaker(definition: Definition, language: str = "en") -> Speaker:
    """Whoever says a definition's conditions in this language, one of LANGUAGES: stages are called by their titles."""
    titles = {stage.name: stage.title.text(language) for stage in definition.stages}
    return Speaker(words_of(language), titles)


def _stage(stage: Stage, titles: Mapping[str, str], words: Mapping[str, str], speaks: Speaker) -> StageInWords:
    rules = [words["side"]] if stage.side else []
    if stage.origins is not None:
        rules.append(words["from"].format(_listed(stage.origins, titles, words)))
    if stage.back is not None:
        rules.append(words[stage.back])
    if stage.means is not None:
        rules.append(words["means"].format(words[stage.means]))
    title = titles[stage.name]
    return StageInWords(stage.name, title, stage.side, stage.means, speaks.sentence(stage.enter.asks()), tuple(rules))


def _listed(origins: frozenset[str], titles: Mapping[str, str], words: Mapping[str, str]) -> str:
    return words["or"].join(title for name, title in titles.items() if name in origins)


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "none": "no stage",
        "exit": "Leaving the journey",
        "or": " or ",
        "side": "It stands beside the order of the stages.",
        "from": "Only from: {}.",
        "previous": "The next act of their own leads back to the stage held before.",
        "highest": "The next act of their own leads back to the highest stage held.",
        "means": "Whoever is here counts as {}.",
        "converted": "converted",
        "at-risk": "at risk",
        "churned": "gone",
        "lapsed": "lapsed",
    },
    "fa": {
        "none": "هیچ مرحله‌ای",
        "exit": "خروج از سفر",
        "or": " یا ",
        "side": "این مرحله کنار ترتیب مراحل است.",
        "from": "فقط از: {}.",
        "previous": "اقدام بعدی خود مشتری او را به مرحلهٔ پیشین بازمی‌گرداند.",
        "highest": "اقدام بعدی خود مشتری او را به بالاترین مرحله‌ای که داشته بازمی‌گرداند.",
        "means": "هر که اینجاست «{}» شمرده می‌شود.",
        "converted": "تبدیل‌شده",
        "at-risk": "در خطر ریزش",
        "churned": "از دست رفته",
        "lapsed": "بازمانده",
    },
    "ar": {
        "none": "لا مرحلة",
        "exit": "مغادرة الرحلة",
        "or": " أو ",
        "side": "هذه المرحلة بجانب ترتيب المراحل.",
        "from": "فقط من: {}.",
        "previous": "أول فعل يقوم به العميل بنفسه يعيده إلى المرحلة السابقة.",
        "highest": "أول فعل يقوم به العميل بنفسه يعيده إلى أعلى مرحلة بلغها.",
        "means": "كل من هنا يُعد «{}».",
        "converted": "متحوّلًا",
        "at-risk": "معرّضًا للفقد",
        "churned": "مفقودًا",
        "lapsed": "منقطعًا",
    },
}
