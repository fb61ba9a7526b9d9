"""A site's own tables: before ours, and every fault in them told at once with its line and a remedy."""

import re
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from shared.events import Record
from shared.touch.agent import Bots, Device, Devices, locale
from shared.touch.reading import TablesError
from shared.touch.tables import Click, Source, Tables, load
from shared.touch.told import Teller
from tests.golden.test_touch import tell
from tests.support.processes import ROOT

SITE = """
sources:
  social: {clubnama: [clubnama.example, کلوپ]}
  search: {aparat: [aparat.com]}
clicks:
  mq: {source: clubnama, medium: cpc}
  gclid: {source: own, medium: affiliate}
own: [pay.example]
channels:
  - {channel: influencers, medium: influencer}
kinds:
  - {kind: fair, properties.place: /^hall/}
directions:
  - {direction: to, name: Gift Sent}
contents:
  - {content: quiz, type: page, path: "/quiz/"}
roles:
  store-visit: [Dropped By]
heard: [traits.آشنایی]
bots: [^watcher/]
never: [ourbot]
"""


@pytest.fixture
def site(tmp_path: Path) -> Tables:
    """Our tables under those of a site."""
    (tmp_path / "own.yaml").write_text(SITE, "utf-8")
    return load(tmp_path / "own.yaml", {"store-visit": ["Store Visited"]})


def page(query: str = "", referrer: str = "") -> dict[str, object]:
    """A page's context."""
    return {"page": {"url": f"https://shop.example/{query}", "referrer": referrer}}


def test_a_sites_entries_stand_before_ours(site: Tables) -> None:
    """What a site names differently is as the site says; the rest is as it was."""
    assert site.hosts["clubnama.example"] == Source("social", "clubnama")
    assert site.hosts["aparat.com"] == Source("search", "aparat")
    assert site.hosts["namasha.com"] == Source("video", "namasha")
    assert site.clicks["gclid"] == Click("own", "affiliate")
    assert list(site.clicks)[:2] == ["mq", "gclid"]
    teller = Teller(site)
    assert tell(teller, "page", None, {"context": page("?utm_medium=influencer")}, []).channel == "influencers"
    assert tell(teller, "page", None, {"context": page("?mq=1")}, []).channel == "paid social"
    assert tell(teller, "page", None, {"context": page("?utm_source=كلوپ&utm_medium=cpc")}, []).channel == "paid social"
    assert tell(teller, "page", None, {"context": page("", "https://www.aparat.com/")}, []).channel == "organic search"
    assert tell(teller, "page", None, {"context": page("", "https://www.pay.example/")}, []).channel is None
    assert tell(teller, "page", None, {"context": page("quiz/1")}, []).content == "quiz"
    assert tell(teller, "track", "Gift sent", {}, []).direction == "to"
    assert tell(teller, "track", "X", {"properties": {"place": "Hall 7"}}, []).kind == "fair"
    assert tell(teller, "track", "X", {"traits": {"آشنایی": "مجله"}}, []).heard == "مجله"
    assert {tell(teller, "track", name, {}, []).kind for name in ("dropped by", "Store Visited")} == {"store"}
    assert [Bots(site).has(agent) for agent in ("watcher/1", "ourbot/1", "Googlebot/2.1")] == [True, False, True]


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    """In the order of their names; an empty one says nothing."""
    (tmp_path / "a.yaml").write_text("own: [a.example]", "utf-8")
    (tmp_path / "b.yaml").write_text("own: [b.example]", "utf-8")
    (tmp_path / "c.yaml").write_text("# nothing yet", "utf-8")
    assert load(tmp_path).own == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sources: {socal: {}}", "own.yaml:1: sources.socal: there is no category 'socal'. Did you mean 'social'?"),
        ("\nchanels: []", "own.yaml:2: chanels: there is no table 'chanels'. Did you mean 'channels'?"),
        ("sources: []", "own.yaml:1: sources: this is not a mapping. Write it as keys and values."),
        ("own: here.example", "own.yaml:1: own: this is not a list. Write it as a list."),
        ("own: [yes]", "own.yaml:1: own[1]: this is not a text. Write one, in quotes if it is a word like yes, no or "
         "null."),
        ("clicks: {x: {source: a}}", "own.yaml:1: clicks.x: a click parameter needs a source and a medium. "
         "Write {source: …, medium: …}."),
        ("channels:\n- {medium: a}", "own.yaml:2: channels[1]: the row has no channel. Add one: channel: …"),
        ("channels:\n- {channel: a, medum: b}", "own.yaml:2: channels[1].medum: there is no key 'medum'. "
         "Did you mean 'medium'?"),
        ("kinds: [{kind: a, name: []}]", "own.yaml:1: kinds[1].name: the list is empty. Name what is asked for, or "
         "write true for anything at all."),
        ("kinds: [{kind: a, name: /(/}]", "own.yaml:1: kinds[1].name: '(' is not a regular expression (missing ), "
         "unterminated subpattern at position 0). Correct it, or escape its characters."),
        ("directions: [{direction: up}]", "own.yaml:1: directions[1].direction: there is no direction 'up'. "
         "There are: by, to, about."),
        ("heard: [answer]", "own.yaml:1: heard[1]: 'answer' is not a path. Begin it with properties., traits. or "
         "context."),
        ("own: [a]\nown: [b]", "own.yaml:2: own: it stands here twice. Put both into one."),
        ("own: [a", "own.yaml:2: this is not YAML (did not find expected ',' or ']'). Put texts with : # [ or { in "
         "quotes."),
        ("bots: ['[']", "own.yaml:1: bots[1]: '[' is not a regular expression (unterminated character set at position "
         "0). Correct it, or escape its characters."),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_a_remedy(tmp_path: Path, text: str, fault: str) -> None:
    """In the file's own words, one sentence what is wrong and one what would be right."""
    file = tmp_path / "own.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(TablesError) as refused:
        load(file)
    assert refused.value.faults == [f"{tmp_path}/{fault}"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Of all files."""
    (tmp_path / "a.yaml").write_text("x: 1\nown: 2", "utf-8")
    (tmp_path / "b.yaml").write_text("y: 1", "utf-8")
    with pytest.raises(TablesError) as refused:
        load(tmp_path)
    assert len(refused.value.faults) == 3


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    """A file that is missing, a folder without tables, bytes that are no text."""
    (tmp_path / "bytes").write_bytes(b"\xff")
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "bytes"):
        with pytest.raises(TablesError, match=str(path)):
            load(path)


@pytest.mark.parametrize(
    ("context", "accepted", "tag"),
    [
        ({"locale": "fa-IR"}, "en", "fa-IR"),
        ({"locale": "fa_ir"}, None, "fa-IR"),
        ({}, "ar-SA,ar;q=0.9,en;q=0.8", "ar-SA"),
        ({}, "zh-hans-cn", "zh-Hans-CN"),
        ({}, "es-419", "es-419"),
        ({}, "*", ""),
        ({"locale": "en_US_POSIX"}, None, "en-US"),
        ({"locale": 5}, "", ""),
    ],
)
def test_the_locale_is_a_tag(context: dict[str, object], accepted: str | None, tag: str) -> None:
    """The context's, else the first that the request asked for."""
    assert locale(context, accepted) == tag


def test_what_an_sdk_says_of_its_device_counts_first() -> None:
    """Mobile SDKs name device and system themselves; a page's SDK sends the user agent."""
    devices = Devices(Bots(load()))
    phone = {
        "device": {"type": "ios", "model": "iPhone15,2", "manufacturer": "Apple"},
        "os": {"name": "iOS", "version": "17.5"},
    }
    assert devices.device(phone) == Device("smartphone", "iOS", "17.5", "", "", "Apple", "iPhone15,2")
    tablet = {"device": {"type": "android", "model": "Galaxy Tab S9"}, "os": {"name": "Android"}}
    assert devices.device(tablet).type == "tablet"
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"
    assert devices.device({"userAgent": agent}) == devices.device({}, agent) == devices.read(agent)
    assert devices.device({"os": {"name": "Windows"}}, agent).type == "desktop"
    assert devices.device({}) == Device()


def test_a_record_that_is_not_json_is_told_as_empty() -> None:
    """Others may write to the log."""
    record = Record(1, "m", "page", 0, 0, "u", context=msgspec.Raw(b"\xff"), properties=msgspec.Raw(b"[1]"))
    assert Teller(load()).tell(record).channel is None


def test_the_example_on_the_page_is_good(tmp_path: Path) -> None:
    """What docs/channels.md shows can be pasted, and has every table that there is."""
    (example,) = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "docs/channels.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    (tmp_path / "own.yaml").write_text(example, "utf-8")
    tables, ours = load(tmp_path), load()
    assert all(getattr(tables, one.name) != getattr(ours, one.name) for one in fields(Tables))
