"""Prometheus itself, scraping given targets many times a second."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cache import temporary_folder
from tests.support.need import need
from tests.support.processes import ROOT, Process, free_port, wait_until

#: What is deployed: prometheus.yml and the files of rules beside it.
DEPLOYED = ROOT / "deploy/prometheus"
REMEDY = "install Prometheus (Debian's package prometheus)"


def promtool() -> Path:
    """The checker of rules and of exposed metrics that comes with Prometheus."""
    return Path(need("promtool", shutil.which("promtool"), REMEDY))


#: A page's samples by name and sorted labels.
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(page: bytes) -> Samples:
    """What a metrics page says. Raises AssertionError if it says something twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, f"{key} stands twice"
            found[key] = sample.value
    return found


class Prometheus:
    """A server with an empty database; leaving the context ends it and removes the database."""

    def __init__(
        self,
        targets: Mapping[str, Sequence[str]],
        rules: Sequence[Path] = (),
        interval: str = "200ms",
        metrics_path: str = "/metrics",
    ) -> None:
        """`targets` maps a job's name to its host:port addresses; `interval` is for scrapes and rules."""
        self._program = need("Prometheus", shutil.which("prometheus"), REMEDY)
        self._folder = temporary_folder()
        self._address = f"127.0.0.1:{free_port()}"
        self._process: Process | None = None
        jobs = [
            {
                "job_name": job,
                "metrics_path": metrics_path,
                "static_configs": [{"targets": list(addresses)}],
            }
            for job, addresses in targets.items()
        ]
        every = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
        self._config = {"global": every, "scrape_configs": jobs, "rule_files": [str(path) for path in rules]}
        self.url = f"http://{self._address}"

    def __enter__(self) -> Self:
        config = self._folder / "prometheus.yml"
        config.write_text(json.dumps(self._config))  # JSON is YAML
        self._process = Process(
            self._program,
            f"--config.file={config}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={self._address}",
            log=self._folder / "prometheus.log",
        )
        try:
            self._process.wait_for("ready to receive web requests")
            wait_until(lambda: httpx.get(f"{self.url}/-/ready").is_success, ignore=(httpx.TransportError,))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.__exit__()
        shutil.rmtree(self._folder)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector of a PromQL expression now: [{"metric": labels, "value": [time, text]}]."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression})
        assert answer.is_success, f"{expression}: {answer.text}"
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def history(self, expression: str, since: float, until: float) -> list[dict[str, Any]]:
        """The expression over a time in seconds since the epoch, second by second: [{"metric", "values"}]."""
        asked: dict[str, str | float] = {"query": expression, "start": since, "end": until, "step": 1}
        answer = httpx.get(f"{self.url}/api/v1/query_range", params=asked)
        assert answer.is_success, f"{expression}: {answer.text}"
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def label_values(self, label: str, series: str | None = None) -> list[str]:
        """The values of a label, of the series matched alone if they are given."""
        answer = httpx.get(f"{self.url}/api/v1/label/{label}/values", params={"match[]": series} if series else {})
        answer.raise_for_status()
        values: list[str] = answer.json()["data"]
        return values

    def value(self, expression: str) -> float | None:
        """The expression's single value; None when nothing matches. Raises AssertionError if several do."""
        found = self.query(expression)
        assert len(found) <= 1, f"{expression} has {len(found)} series"
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> set[str]:
        """The names of the alerts that fire or are about to."""
        return {one["metric"]["alertname"] for one in self.query("ALERTS")}


class Deployed(Prometheus):
    """Prometheus as it is deployed, rules included, working every second; names are given the addresses here."""

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        super().__init__({})
        config: dict[str, Any] = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        for job in config["scrape_configs"]:
            (names,) = job.pop("dns_sd_configs")
            assert names["port"] == 8000
            (service,) = names["names"]
            job["static_configs"] = [{"targets": list(addresses[service])}]
        for name in config["rule_files"]:
            rules = re.sub(r"(?m)^( +interval:) .*", r"\1 1s", (DEPLOYED / name).read_text())
            (self._folder / name).write_text(rules)
        self._config = config


def rules(kind: str) -> dict[str, dict[str, Any]]:
    """The deployed rules of a kind, `record` or `alert`, by name."""
    files = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["rule_files"]
    groups = [group for name in files for group in yaml.safe_load((DEPLOYED / name).read_text())["groups"]]
    every = [rule for group in groups for rule in group["rules"] if kind in rule]
    found = {rule[kind]: rule for rule in every}
    assert len(found) == len(every), "two rules have one name"
    return found
