"""Pictures of experiments: what is where, with which unit, and nothing where there is nothing."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from twin import plots

TABLE = pd.DataFrame({
    "design": ["a", "b"], "kpi": "beep_p95_ms", "unit": "ms", "n": 9, "phones": [4, 8],
    "mean": [200.0, 180.0], "low": [190.0, -np.inf], "high": [210.0, np.inf], "sd": 9.0,
})  # fmt: skip
DIFFERENCES = pd.DataFrame({
    "design": ["less", "more", "same"], "baseline": "today", "kpi": "scans", "unit": "scans",
    "difference": [-5.0, 4.0, 1.0], "low": [-6.0, 2.0, -1.0], "high": [-4.0, 6.0, 3.0],
})  # fmt: skip
TORNADO = pd.DataFrame({
    "factor": ["small", "large"], "low_value": ["1", "2"], "high_value": ["9", "8"],
    "at_low": [99.0, 60.0], "at_high": [101.0, 150.0], "base": 100.0,
})  # fmt: skip


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, found = plt.subplots()
    yield found
    plt.close(figure)


def ticks(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_means_stand_in_the_order_of_the_designs(ax: Axes) -> None:
    assert plots.intervals(ax, TABLE, "beep_p95_ms", limit=300.0) is ax
    assert ticks(ax) == ["a", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    assert ax.get_xlabel() == "beep_p95_ms"
    assert ax.get_xlim()[1] > 300.0
    assert ax.containers[0].lines[0].get_xdata().tolist() == [200.0, 180.0]  # type: ignore[attr-defined]


def test_single_runs_are_dots_behind(ax: Axes) -> None:
    runs = pd.DataFrame({"design": ["a", "a", "b"], "beep_p95_ms": [1.0, 2.0, 3.0]})
    plots.intervals(ax, TABLE, "beep_p95_ms", runs=runs)
    dots = [line for line in ax.get_lines() if line.get_gid() == "runs"]
    assert [len(line.get_xdata()) for line in dots] == [2, 1]  # type: ignore[arg-type]


def test_differences_tell_by_colour_and_marker(ax: Axes) -> None:
    plots.differences(ax, DIFFERENCES, "scans")
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["smaller", "larger", "not decided"]
    assert ax.get_xlabel() == "scans, difference to today"
    markers = {container.lines[0].get_marker() for container in ax.containers}  # type: ignore[attr-defined]
    assert markers == {"v", "^", "o"}


def test_a_more_plot_shades_what_is_likely_and_points_to_what_is_not_known(ax: Axes) -> None:
    runs = pd.DataFrame({"scans": np.arange(100.0)})
    plots.more(ax, runs, "scans", "scans")
    spans = [patch for patch in ax.patches if patch.get_gid() == "likely"]
    assert spans[0].get_x() == 4.0  # type: ignore[attr-defined]
    assert spans[0].get_width() == 90.0  # type: ignore[attr-defined]
    assert sum(p.get_height() for p in ax.patches if p.get_gid() == "runs") == 100  # type: ignore[attr-defined]
    assert not [line for line in ax.get_lines() if line.get_marker() in "<>"]
    plots.more(ax, runs.iloc[:10], "scans", "scans")
    assert [line.get_marker() for line in ax.get_lines() if line.get_marker() in "<>"] == ["<", ">"]


def test_the_best_law_is_drawn_strongest_over_what_was_measured(ax: Axes) -> None:
    samples = np.exp(np.linspace(-3.0, 3.0, 200))
    laws = [("one", lambda x: 1.0 / x), ("other", lambda x: np.full_like(x, 0.1))]
    plots.fit_quality(ax, samples, laws, "duration [s]")
    assert ax.get_xscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("duration [s]", "density [1/s]")
    first, second = ax.get_lines()
    assert first.get_linewidth() > second.get_linewidth()
    assert first.get_linestyle() != second.get_linestyle()
    assert float(np.sum([p.get_height() * p.get_width() for p in ax.patches])) == pytest.approx(1)  # type: ignore[attr-defined]


def test_equal_samples_have_a_histogram_all_the_same(ax: Axes) -> None:
    plots.fit_quality(ax, [2.0, 2.0], [], "duration [s]")
    assert ax.get_xscale() == "linear"
    assert len(ax.patches) == 40


def test_the_key_that_decides_most_is_on_top_with_both_of_its_shares(ax: Axes) -> None:
    table = pd.DataFrame({
        "factor": ["a.little", "a.lot"], "first": [0.1, 0.7], "first_low": [0.0, 0.5],
        "first_high": [0.2, 0.9], "total": [0.2, 0.9], "total_low": [0.1, 0.7],
        "total_high": [0.3, 1.2],
    })  # fmt: skip
    plots.sobol_indices(ax, table, "beep_p95_ms")
    assert ticks(ax) == ["a.lot", "a.little"]
    assert ax.get_xlabel() == "share of the variance of beep_p95_ms [%]"
    total, first = (c.lines[0].get_xdata().tolist() for c in ax.containers)  # type: ignore[attr-defined]
    assert (total, first) == (pytest.approx([90.0, 20.0]), pytest.approx([70.0, 10.0]))
    assert ax.get_xlim()[1] >= 120.0


def test_the_widest_bar_of_a_tornado_is_on_top(ax: Axes) -> None:
    plots.tornado(ax, TORNADO, "beep_p95_ms", "ms")
    assert ticks(ax) == ["large", "small"]
    lows = [patch for patch in ax.patches if patch.get_gid() == "low"]
    assert lows[0].get_width() == -40.0  # type: ignore[attr-defined]
    assert [text.get_text() for text in ax.texts] == ["2", "8", "1", "9"]


def test_values_of_a_tornado_never_stand_on_each_other(ax: Axes) -> None:
    one_side = TORNADO.assign(at_low=[104.0, 100.0], at_high=[103.0, 100.0])
    plots.tornado(ax, one_side, "beep_p95_ms", "ms")
    told = [(text.get_text(), text.xy[0], text.get_ha()) for text in ax.texts]  # type: ignore[attr-defined]
    assert told[:2] == [("9", 100.0, "right"), ("1", 104.0, "left")]
    assert [side for _, _, side in told[2:]] == ["right", "left"]


def test_a_response_is_a_line_for_each_group(ax: Axes) -> None:
    table = pd.concat([TABLE.assign(workers=3), TABLE.assign(workers=5, mean=[1.0, 2.0])])
    plots.response(ax, table, "phones", "beep_p95_ms", by="workers", limit=250.0)
    labels = [line.get_label() for line in ax.get_lines()]
    assert labels == ["workers=3", "workers=5", "limit"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("phones", "beep_p95_ms")
    assert ax.get_lines()[1].get_ydata().tolist() == [1.0, 2.0]  # type: ignore[union-attr]


def test_a_completion_band_has_the_median_of_the_runs(ax: Axes) -> None:
    curves = pd.DataFrame({
        "design": "x", "replication": [0, 0, 1, 1, 2, 2], "minutes": [0.0, 2, 0, 4, 0, 6],
        "share": [0.0, 1.0] * 3,
    })  # fmt: skip
    plots.completion_band(ax, curves)
    x, y = ax.get_lines()[0].get_data()
    assert float(np.asarray(x)[np.asarray(y) >= 100.0][0]) == pytest.approx(4.0, abs=0.05)
    assert ax.get_ylabel() == "devices that are through [%]"


def test_a_warm_up_is_shaded(ax: Axes) -> None:
    plots.warm_up(ax, np.arange(60.0), np.ones(60), 7.0, "scans [scans/h]")
    (span,) = [patch for patch in ax.patches if patch.get_gid() == "cut"]
    assert span.get_width() == 7.0  # type: ignore[attr-defined]
    assert ax.get_xlabel() == "time since the start [min]"


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.intervals(ax, TABLE[:0], "beep_p95_ms"),
        lambda ax: plots.differences(ax, DIFFERENCES[:0], "scans"),
        lambda ax: plots.more(ax, pd.DataFrame({"scans": [np.nan, 1.0]}), "scans", "scans"),
        lambda ax: plots.tornado(ax, TORNADO[:0], "scans", "scans"),
        lambda ax: plots.sobol_indices(ax, TORNADO[:0], "scans"),
        lambda ax: plots.fit_quality(ax, [], [], "duration [s]"),
        lambda ax: plots.response(ax, TABLE[:0], "phones", "scans"),
        lambda ax: plots.completion_band(ax, pd.DataFrame({"minutes": []})),
        lambda ax: plots.warm_up(ax, np.zeros(0), np.zeros(0), 0.0, "scans"),
    ],
)
def test_nothing_is_said_in_words(ax: Axes, draw: object) -> None:
    assert draw(ax) is ax  # type: ignore[operator]
    assert len(ax.texts) == 1


def test_long_names_and_many_designs_fit(ax: Axes) -> None:
    many = pd.concat(
        [
            TABLE[:1].assign(design="a.very.long.key.of.a.scenario.indeed" * 2 + f"={n}")
            for n in range(20)
        ]
    )
    plots.intervals(ax, many, "beep_p95_ms")
    assert len(ticks(ax)) == 20
    assert all(len(text) <= 34 and text.startswith("…") for text in ticks(ax))
