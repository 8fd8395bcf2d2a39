"""The pictures show the numbers of the frames, with units, and say so when there are none."""

from collections.abc import Callable

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch

from twin import plots
from twin.plots import lines
from twin.plots.style import (
    BLUE,
    PALETTE,
    Mark,
    group_codes,
    house_style,
    legend_above,
    mark_values,
    thousands,
)
from twin.scenario import Site, load
from unit import frames


def axes() -> Axes:
    return Figure(layout="constrained").add_subplot()


def steps(ax: Axes) -> dict[str, StepPatch]:
    found = [patch for patch in ax.patches if isinstance(patch, StepPatch)]
    return {str(patch.get_label()): patch for patch in found}


def heights(patch: StepPatch) -> list[float]:
    tops, edges, base = patch.get_data()
    assert len(edges) == len(tops) + 1
    return list(np.asarray(tops) - (0 if base is None else base))


def texts(ax: Axes) -> str:
    legend = ax.get_legend()
    shown = [text.get_text() for text in ax.texts]
    return "\n".join(shown + ([text.get_text() for text in legend.get_texts()] if legend else []))


def clock(number: float) -> str:
    return f"{mdates.num2date(number, tz='Europe/Vienna'):%H:%M}"


def at(line: Line2D) -> list[str]:
    return [clock(float(x)) for x in np.asarray(line.get_xdata())]


def site() -> Site:
    return load("reference_site").site


# --- scans per hour ----------------------------------------------------------


def test_scans_are_counted_by_hour_and_zone() -> None:
    ax = plots.scans_per_hour(axes(), frames.events())
    found = steps(ax)
    assert heights(found["line"]) == [2, 1, 1]
    assert heights(found["pack"]) == [1, 0, 1]
    assert ax.get_ylabel() == "scans per hour [scans/h]"


def test_zones_are_stacked_the_largest_first() -> None:
    found = steps(plots.scans_per_hour(axes(), frames.events()))
    assert list(found) == ["line", "pack"]
    np.testing.assert_array_equal(found["pack"].get_data().baseline, [2, 1, 1])


def test_hours_begin_on_the_local_hour() -> None:
    events = frames.events()
    events["time"] = events["time"].dt.tz_convert("Asia/Kolkata")
    ax = plots.scans_per_hour(axes(), events)
    first = mdates.num2date(steps(ax)["line"].get_data().edges[0], tz="Asia/Kolkata")
    assert first.minute == 0
    assert ax.get_xlabel() == "local time [Asia/Kolkata], from 2026-03-02"


def test_the_axis_is_labelled_in_local_time() -> None:
    ax = plots.scans_per_hour(axes(), frames.events())
    ax.figure.draw_without_rendering()
    assert "07:00" in [label.get_text() for label in ax.get_xticklabels()]


def test_hours_are_told_apart_when_clocks_go_back() -> None:
    # 02:30 happens twice on 25 October 2026 in Vienna.
    utc = pd.Series(pd.to_datetime(["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 01:40"]))
    events = pd.DataFrame({"time": utc.dt.tz_localize("UTC").dt.tz_convert("Europe/Vienna")})
    events = events.assign(kind="scan", zone="line", shift="night")
    assert heights(steps(plots.scans_per_hour(axes(), events))["line"]) == [1, 2]


def test_each_shift_is_marked_where_it_begins_on_each_day() -> None:
    clocks = ["2026-03-02 06:01", "2026-03-02 13:50", "2026-03-03 06:02", "2026-03-02 14:01"]
    events = pd.DataFrame({"time": frames.moments(clocks), "kind": "scan", "zone": "line"})
    events["shift"] = ["early", "early", "early", "late"]
    # The early shift pauses from 06:01 to 13:50 here: that reads as a second beginning.
    ax = plots.scans_per_hour(axes(), events)
    assert [text.get_text() for text in ax.texts] == ["early", "early", "late", "early"]


def test_a_month_draws_one_patch_for_each_zone() -> None:
    hours = pd.date_range("2026-03-02", periods=720, freq="h", tz="Europe/Vienna")
    events = pd.DataFrame({"time": hours, "kind": "scan", "zone": "line", "shift": "all"})
    ax = plots.scans_per_hour(axes(), events)
    assert len(ax.patches) == 1
    assert sum(heights(steps(ax)["line"])) == 720


# --- latency -----------------------------------------------------------------


def test_latency_shares_sum_to_a_hundred_per_cent() -> None:
    ax = plots.latency_distribution(axes(), frames.events())
    for name in ("scan to beep", "scan to cloud"):
        assert sum(heights(steps(ax)[name])) == pytest.approx(100)
    assert ax.get_xlabel() == "latency [ms]"
    assert ax.get_ylabel() == "share of scans [%]"
    assert ax.get_xscale() == "log"


def test_percentiles_stand_at_their_values() -> None:
    ax = plots.latency_distribution(axes(), frames.events())
    beeps = [60.0, 80.0, 100.0, 120.0, 400.0]
    marks = [line for line in ax.lines if line.get_color() == BLUE]
    places = [float(np.asarray(line.get_xdata())[0]) for line in marks]
    assert places == pytest.approx(list(np.percentile(beeps, [50, 95, 99], method="inverted_cdf")))
    assert "p50 100 ms" in texts(ax)
    assert "p95 400 ms" in texts(ax)


def test_what_found_no_link_has_neither_latency_nor_wait() -> None:
    rows = frames.events()
    outcome = rows["outcome"].cat.rename_categories({"lost_ble": "not_connected"})
    for line in (lines.latency_line, lines.queue_line):
        assert line(rows.assign(outcome=outcome)) == line(rows)


def test_every_latency_lies_inside_the_axis() -> None:
    ax = plots.latency_distribution(axes(), frames.events())
    low, high = ax.get_xlim()
    assert low <= 60.0
    assert high >= 700.0


# --- queue -------------------------------------------------------------------


def test_the_queue_is_the_sum_of_waits_over_five_minutes() -> None:
    ax = plots.queue_over_day(axes(), frames.events())
    longest, mean = (np.asarray(line.get_ydata()) for line in ax.lines)
    assert longest[0] == pytest.approx(1.5 / 300)  # 06:05
    assert longest[3] == pytest.approx(1.5 / 300)  # 06:20
    assert longest[-1] == pytest.approx(3.0 / 300)  # the report at 08:31
    np.testing.assert_allclose(mean, longest / 3)  # G2 and P1 never had a queue
    assert "longest: G1" in texts(ax)
    assert "mean of 3 gateways" in texts(ax)
    assert ax.get_ylabel().endswith("[10⁻³ messages]")
    assert ax.yaxis.get_major_formatter()(0.005) == "5"


def test_no_waits_at_all_are_said_so() -> None:
    events = frames.events().assign(wait_ms=0.0)
    ax = plots.queue_over_day(axes(), events)
    assert "no message waited" in texts(ax)
    assert ax.get_ylim() == (0.0, 1.0)


# --- charge ------------------------------------------------------------------


def test_charges_are_ranked_over_workers_by_the_last_of_each_quarter_of_an_hour() -> None:
    ax = plots.battery(axes(), frames.troubles())
    found = steps(ax)
    # What is put back at 06:45 was in hand before.
    assert list(found["median"].get_data().values) == [70.0, 10.0, 50.0, 98.0]
    band = found["5 % to 95 % of scanners"].get_data()
    assert np.asarray(band.values).tolist() == [85.0, 84.0, 94.0, 98.0]
    assert np.asarray(band.baseline).tolist() == [70.0, 10.0, 50.0, 98.0]
    assert ax.get_ylabel() == "charge of the scanners\nin hand [%]"


def test_a_swap_stands_where_and_when_a_scanner_is_put_down() -> None:
    ax = plots.battery(axes(), frames.troubles())
    swaps, missed = ax.lines
    assert at(swaps) == ["06:30"]
    assert list(np.asarray(swaps.get_ydata())) == [10.0]
    assert at(missed) == ["06:45"]  # not 06:59: there it was no gateway
    assert "1 swap\nfound no scanner: 1" in texts(ax)


# --- links -------------------------------------------------------------------


def test_each_outage_is_a_bar_in_the_row_of_its_gateway_the_worst_first() -> None:
    ax = plots.links(axes(), frames.troubles())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["P1  19", "G1  10"]
    (bars,) = (patch for patch in ax.patches if patch.get_label() == "link down")
    corners = np.asarray(bars.get_path().vertices).reshape(-1, 5, 2)
    ends = ["-".join(clock(x) for x in bar[:2, 0]) for bar in corners]
    # Ended by reconnect, at another gateway, by who puts the scanner back, by the last row.
    assert ends == ["06:12-06:17", "06:35-06:37", "06:55-06:58", "06:40-06:59"]
    assert corners[:, :, 1].mean(axis=1).round().tolist() == [1, 1, 1, 0]
    (above,) = ax.child_axes
    (lost,) = (patch for patch in above.patches if isinstance(patch, StepPatch))
    assert heights(lost) == [2]


def test_of_many_gateways_the_worst_are_drawn() -> None:
    rows = [frames.troubles().assign(gateway=f"G{place}") for place in range(30)]
    many = pd.concat([part.assign(worker=part["gateway"]) for part in rows])
    ax = plots.links(axes(), many)
    assert len(ax.get_yticks()) == 25
    assert "the worst 25 of 30 gateways, 100 of 120 outages" in texts(ax)


# --- uplink ------------------------------------------------------------------


def test_messages_are_held_from_their_wait_until_the_cloud_shows_them() -> None:
    ax = plots.backlog(axes(), frames.troubles())
    found = steps(ax)
    total, worst = found["all 3 gateways"].get_data(), found["G1: 2"].get_data()
    assert [clock(x) for x in total.edges[[0, -1]]] == ["06:05", "06:26"]
    #                                   06:05           06:10           06:16      06:20
    assert list(total.values) == [0, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 0, 0, 0, 0, 1]
    assert list(worst.values) == [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 1]
    assert ax.get_ylabel() == "messages held for the uplink,\nmost in 1 min [messages]"


def test_dropped_messages_are_marked_where_the_buffer_was_full() -> None:
    ax = plots.backlog(axes(), frames.troubles())
    (dropped,) = ax.lines
    assert at(dropped) == ["06:18"]
    assert list(np.asarray(dropped.get_ydata())) == [2]
    assert "dropped, buffer full: 1" in texts(ax)


# --- jobs --------------------------------------------------------------------


def test_jobs_are_counted_by_minutes_and_kind() -> None:
    found = steps(plots.job_durations(axes(), frames.jobs()))
    edges = found["pick order"].get_data().edges
    counts = heights(found["pick order"])
    assert sum(counts) == 3
    assert sum(heights(found["pack parcel"])) == 1
    assert counts[np.searchsorted(edges, 5.0, side="right") - 1] == 1


def test_job_percentiles_are_in_minutes() -> None:
    ax = plots.job_durations(axes(), frames.jobs())
    assert "p50 5.5 min" in texts(ax)
    assert ax.get_xlabel() == "job duration [min]"
    assert ax.get_ylabel() == "jobs [jobs]"


def test_jobs_far_beyond_the_others_are_noted_not_drawn() -> None:
    jobs = pd.DataFrame({"duration_s": [600.0] * 999 + [600_000.0], "job_config": "pick order"})
    ax = plots.job_durations(axes(), jobs)
    assert ax.get_xlim()[1] < 100
    assert "1 longer, up to 10,000 min, not drawn" in texts(ax)


# --- floor -------------------------------------------------------------------


def test_gateways_stand_in_metres_coloured_by_per_cent() -> None:
    ax = plots.floor_map(axes(), site(), frames.gateways())
    (squares,) = (item for item in ax.collections if isinstance(item, PathCollection))
    assert np.asarray(squares.get_offsets()).tolist() == [[15.0, 10.0]]
    assert np.asarray(squares.get_array()).tolist() == pytest.approx([0.4])
    assert "G1\n0.40 %" in texts(ax)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "gateway busy, share of time [%]"
    assert bar.get_ylim() == (0.0, 0.5)


def test_the_plan_is_to_scale_with_zones_and_walls() -> None:
    ax = plots.floor_map(axes(), site(), frames.gateways())
    assert ax.get_aspect() == 1.0
    sizes = [(p.get_width(), p.get_height()) for p in ax.patches if isinstance(p, Rectangle)]
    assert (60.0, 80.0) in sizes
    assert "chilled\n6 °C" in texts(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x [m]", "y [m]")
    ends = [np.column_stack(line.get_data()).tolist() for line in ax.lines]
    assert [[0.0, 40.0], [30.0, 40.0]] in ends


def test_phones_are_counted_in_the_zones_of_their_workers() -> None:
    sessions = pd.DataFrame(
        {
            "zone": ["packing", "packing", "picking", "picking"],
            "gateway": ["P1", "P2", "P1", "G1"],
            "gateway_kind": ["mobile", "mobile", "mobile", "stationary"],
        }
    )
    shown = texts(plots.floor_map(axes(), site(), frames.gateways(), sessions))
    assert "\N{BLACK CIRCLE} 1\n\N{BLACK CIRCLE} 2\n" in shown
    assert "1 phone with its worker, 0.10 % busy" in shown


def test_a_site_without_gateways_is_still_drawn() -> None:
    ax = plots.floor_map(axes(), site(), frames.gateways().iloc[:0])
    assert "packing" in texts(ax)
    assert "no gateways" in ax.get_title(loc="left")


# --- all ---------------------------------------------------------------------

EMPTY: dict[Callable[..., Axes], str] = {
    plots.scans_per_hour: "no scans",
    plots.latency_distribution: "no scans",
    plots.queue_over_day: "no scans",
    plots.battery: "no scanner in hand",
    plots.links: "no link was dropped",
    plots.backlog: "no message reached a gateway",
}
OPENED = frames.events()[7:8].assign(battery_percent=np.nan)


@pytest.mark.parametrize("draw", EMPTY)
@pytest.mark.parametrize("rows", [pd.DataFrame(), frames.events().iloc[:0], OPENED])
def test_empty_frames_say_what_there_is_not(draw: Callable[..., Axes], rows: pd.DataFrame) -> None:
    ax = draw(axes(), rows)
    assert texts(ax) == EMPTY[draw]
    assert ax.get_ylabel()
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("rows", [pd.DataFrame(), frames.jobs().iloc[:0]])
def test_no_jobs_say_no_jobs(rows: pd.DataFrame) -> None:
    assert texts(plots.job_durations(axes(), rows)) == "no jobs"


def test_pictures_change_no_setting_and_open_no_figure() -> None:
    import matplotlib as mpl
    from matplotlib import _pylab_helpers

    before = dict(mpl.rcParams)
    with house_style():
        plots.scans_per_hour(axes(), frames.events())
    assert dict(mpl.rcParams) == before
    assert _pylab_helpers.Gcf.figs == {}


def test_more_groups_than_colours_become_others() -> None:
    names, codes = group_codes(pd.Series([f"zone {place:02}" for place in range(12)] + ["zone 03"]))
    assert names[0] == "zone 03"
    assert names[-1] == "others"
    assert len(names) == len(PALETTE) + 1
    assert np.bincount(codes).tolist() == [2, *[1] * (len(PALETTE) - 1), 5]


@pytest.mark.parametrize("gaps", [(1, 1, 1, 1, 1), (1, 30, 1, 1, 30), (13, 13, 13, 13, 13)])
def test_texts_of_marks_do_not_run_into_each_other(gaps: tuple[int, ...]) -> None:
    ax = axes()
    ax.set_xlim(0, 100)
    mark_values(ax, [Mark(float(x), "p95 340 ms", BLUE) for x in np.cumsum(gaps)])
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    lines_of_marks = [line.get_window_extent() for line in ax.lines]
    for place, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:place]) == 0
        assert box.count_overlaps(lines_of_marks) == 0


def test_a_legend_is_one_line_that_fits() -> None:
    ax = axes()
    for name in ("few", *["a gateway with a long name: 1,234"] * 4):
        ax.plot([0, 1], label=name)
    legend_above(ax)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    assert legend.get_window_extent().width <= ax.get_window_extent().width
    assert len({round(text.get_window_extent().y0) for text in legend.get_texts()}) == 1


def test_counts_are_written_with_thousands() -> None:
    ax = axes()
    ax.plot([0, 1], [0, 30_000])
    thousands(ax.yaxis)
    ax.figure.draw_without_rendering()
    assert "20,000" in [label.get_text() for label in ax.get_yticklabels()]
