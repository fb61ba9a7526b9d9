"""The kinds of panels: each shows one thing, says what it is and in which unit, and names its series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataTransformerConfig,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.boards.queries import PERIOD

#: The data source of deploy/grafana/provisioning.
SOURCE = DataSourceRef("prometheus", "milepost-prometheus")

#: Units by Grafana's names; PART is a number from 0 to 1.
COUNT, PER_SECOND, PER_HOUR, SECONDS = "short", "cps", "suffix:/h", "s"
BYTES, BYTES_PER_SECOND, PART = "bytes", "Bps", "percentunit"
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"

Panel = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel | heatmap.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, bargauge.Panel, table.Panel, heatmap.Panel)


@dataclass(frozen=True, slots=True)
class Series:
    """A query and what its series are called: {{label}} stands for a label's value."""

    query: str
    legend: str


def lines(
    title: str, description: str, unit: str, *series: Series, width: int = 12, stacked: bool = False
) -> timeseries.Panel:
    """How something goes over time."""
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )
    panel = (
        _told(timeseries.Panel(), title, description, unit, width, 8)
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .min(0)
        .fill_opacity(40 if stacked else 8)
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for number, one in enumerate(series):
        panel.with_target(_target(one, number).range())
    return panel


def number(
    title: str, description: str, unit: str, series: Series, *, warn: float | None = None, bad: float | None = None
) -> stat.Panel:
    """One number now, coloured from `warn` and `bad` on; with how it came to be so, unless it sums up the period."""
    once = PERIOD in series.query
    target = _target(series, 0)
    return (
        _told(stat.Panel(), title, description, unit, 4, 4)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE if once else BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(warn, bad))
        .with_target(target.instant() if once else target.range())
    )


def least(title: str, description: str, unit: str, series: Series, *, good: float) -> stat.Panel:
    """One number now, which is red below `good`."""
    steps = [Threshold(None, RED), Threshold(good, GREEN)]
    return number(title, description, unit, series).thresholds(
        ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    )


def bars(
    title: str, description: str, unit: str, series: Series, *, width: int = 12, link: str | None = None
) -> bargauge.Panel:
    """Several numbers now, the highest above; each may lead somewhere."""
    sorted_series = Series(f"sort_desc({series.query})", series.legend)
    panel = (
        _told(bargauge.Panel(), title, description, unit, width, 8)
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.GRADIENT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_scheme(FieldColor().mode(FieldColorModeId.CONTINUOUS_BL_PU))
        .min(0)
        .with_target(_target(sorted_series, 0).instant())
    )
    return panel.data_links([DashboardLink("Look closer").type(DashboardLinkType.LINK).url(link)]) if link else panel


def rows(
    title: str, description: str, unit: str, query: str, columns: Sequence[str], value: str, width: int = 12
) -> table.Panel:
    """A table now: a column for each of these labels, then the value under its own name; the highest is above."""
    order = {name: place for place, name in enumerate((*columns, "Value"))}
    organized: dict[str, Any] = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": {"Value": value},
    }
    target = prometheus.Dataquery().expr(query).ref_id("A").datasource(SOURCE).legend_format(value)
    return (
        _told(table.Panel(), title, description, unit, width, 8)
        .sort_by([common.TableSortByFieldState().display_name(value).desc(True)])
        .with_transformation(DataTransformerConfig(id_val="organize", options=organized))
        .with_target(target.instant().format(PromQueryFormat.TABLE))
    )


def spread(title: str, description: str, unit: str, query: str, width: int = 12) -> heatmap.Panel:
    """How observations are spread over the buckets of a histogram, over time."""
    target = _target(Series(query, "{{le}}"), 0).range().format(PromQueryFormat.HEATMAP)
    return (
        _told(heatmap.Panel(), title, description, "short", width, 8)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .with_target(target)
    )


def _told(panel: P, title: str, description: str, unit: str, width: int, height: int) -> P:
    made: P = panel.title(title).description(description).unit(unit).datasource(SOURCE).span(width).height(height)
    return made


def _target(series: Series, number: int) -> prometheus.Dataquery:
    name = chr(ord("A") + number)
    return prometheus.Dataquery().expr(series.query).legend_format(series.legend).ref_id(name).datasource(SOURCE)


def _thresholds(warn: float | None, bad: float | None) -> ThresholdsConfig:
    if warn is None and bad is None:
        return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(None, BLUE)])
    steps = [Threshold(None, GREEN)]
    steps += [Threshold(value, colour) for value, colour in ((warn, YELLOW), (bad, RED)) if value is not None]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
