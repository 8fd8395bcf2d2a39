"""The radio of the mesh as drawn: levels, their asymmetry, and reception, against measurements.

Laws are drawn for many links and hours; what is measured is in ``measured``. Deviations that are
allowed are stated where they are compared. Intervals at 99.9 % (Student).
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import twin
from tests.theory import intervals, meshes
from tests.theory.test_reception import FITS, WIDTH_DB, bins
from twin.compiling import rule
from twin.draws import entity_word, fold, root
from twin.events import MeshKind
from twin.mesh.links import make_mesh_plan
from twin.mesh.nodes import make_nodes
from twin.mesh.plan import LINK, RADIO
from twin.mesh.rules.radio import exposure, hourly_reception, level_dbm, reception, weather

CHANNELS = 16


@rule
def fill_hours(radio: Any, links: NDArray[np.void], found: NDArray[np.float64]) -> None:
    for k in range(found.shape[0]):
        for hour in range(found.shape[1]):
            found[k, hour] = hourly_reception(radio, links[k], hour)


@rule
def fill_pairs(
    radio: Any, seed_state: int, distances_m: NDArray[np.float64], interference: float,
    found: NDArray[np.float64],
) -> None:  # fmt: skip
    for k in range(found.shape[0]):
        start, end = fold(seed_state, 2 * k), fold(seed_state, 2 * k + 1)
        pair = fold(start, end)
        for channel in range(found.shape[1]):
            level = level_dbm(radio, distances_m[k], 0, 0.0, start, end, pair, channel)
            link = fold(pair, CHANNELS + channel)
            share = interference * exposure(link) * weather(link, 0)
            found[k, channel] = reception(radio, level, share)


def radio(**numbers: float) -> np.void:
    own = {"cliff_width_db": WIDTH_DB, "residual_loss": 2e-4, **numbers}
    return meshes.record(RADIO, own)[0]


def hourly(
    level_dbm: float, interference: float, links: int, hours: int, cliff_dbm: float = -93.0
) -> NDArray[np.float64]:
    """The reception on links of one level in some hours, shape (links, hours)."""
    many, found = np.zeros(links, LINK), np.zeros((links, hours))
    many["level_dbm"], many["interference"], many["reception"] = level_dbm, interference, -1.0
    many["state"] = [fold(root(6), n) for n in range(links)]
    fill_hours(radio(cliff_dbm=cliff_dbm), many, found)
    return found


# --- reception by level -------------------------------------------------------------------


def rmse(data: tuple[str, str], interference: float) -> float:
    """What is left between means of drawn links and the measured, weighted by how many [1]."""
    found, cliff_dbm = bins(*data), FITS[data][0]
    drawn = [hourly(level, interference, 2000, 3, cliff_dbm).mean() for level in found["rssi_dbm"]]
    squared = (np.array(drawn) - found["prr_mean"]) ** 2
    return float(np.sqrt(np.average(squared, weights=found["n_link_channels"])))


@pytest.mark.parametrize(("data", "fit"), FITS.items(), ids=str)
def test_the_mean_over_links_is_what_was_measured(
    data: tuple[str, str], fit: tuple[float, float, float]
) -> None:
    _, interference, most = fit
    assert rmse(data, interference) <= most
    assert rmse(data, interference + 0.2) > most


# --- losses in time -----------------------------------------------------------------------

WINDOW, EVERY_US, HOURS = 50, 3 * meshes.S, 24
PER_HOUR = meshes.H // EVERY_US // WINDOW
RECEIVERS = 120


@lru_cache
def windows() -> NDArray[np.float64]:
    """Losses of each window of frames on links between good and bad, shape (links, windows).

    For 24 hours, at -80 dBm with the interference of a busy channel; a window is 150 s long.
    """
    links = meshes.Links(np.zeros(RECEIVERS, int), np.arange(1, RECEIVERS + 1), -1.0, -80.0)
    mesh = meshes.plan(links, RECEIVERS + 1, seed=8, jitter=0)
    mesh.links["interference"] = 0.22
    count = HOURS * PER_HOUR * WINDOW
    heard = meshes.floods(mesh, [0], count, EVERY_US, ttl=1).of(MeshKind.HEARD)
    lost = np.ones((RECEIVERS, count))
    lost[heard["node"] - 1, heard["message"]] = 0.0
    between = (lost.mean(axis=1) >= 0.1) & (lost.mean(axis=1) <= 0.9)
    return lost[between].reshape(int(between.sum()), -1, WINDOW).sum(axis=2)


def together(lag: int) -> NDArray[np.float64]:
    """The autocorrelation of each link's windows at a lag."""
    apart = windows() - windows().mean(axis=1, keepdims=True)
    return (apart[:, lag:] * apart[:, :-lag]).mean(axis=1) / (apart**2).mean(axis=1)


def test_losses_vary_three_times_as_much_as_by_chance() -> None:
    # Measured in 24 hours on 29 links of IoT-LAB: median 2.89, from 1.9 to 7.3 for eight of ten.
    # Holds where interference takes a sixth of the frames; where it takes half, more.
    share = windows().mean(axis=1) / WINDOW
    ratio = windows().var(axis=1, ddof=1) / (WINDOW * share * (1 - share))
    assert len(share) > 25
    assert 2.4 < np.median(ratio) < 4.0
    middle = ((ratio > 1.9) & (ratio < 7.3)).mean()
    assert 0.7 < middle < 1.0


def test_losses_of_an_hour_go_together_and_those_of_hours_apart_do_not() -> None:
    # Measured: 0.6 after 50 s, 0.57 after 4 min, 0.33 after an hour, -0.04 after four.
    near, far = intervals.mean(together(1)), intervals.mean(together(4 * PER_HOUR))
    assert near.low > 0.45
    assert near.high < 0.8
    assert abs(np.mean(together(4 * PER_HOUR))) < 0.1
    assert far.high < near.low


def test_without_interference_losses_vary_by_chance() -> None:
    # At the cliff noise alone takes frames: the same share in every hour.
    found = hourly(-92.5, 0.0, 50, 5)
    assert np.ptp(found) == 0.0
    assert 0.1 < found[0, 0] < 0.9


# --- the two directions of a link ---------------------------------------------------------


@lru_cache
def directions(seed: int) -> tuple[NDArray[np.float64], float, float]:
    """Level there less level back of all pairs, how much of its variance nodes explain, and sd."""
    document = twin.load("quiet_line").document()
    document["mesh"]["bridges"] = [{"name": "bridge", "x": "1 m", "y": "1 m"}]
    group = {"name": "node", "zone": "line", "count": 99, "placement": "random"}
    document["mesh"]["nodes"] = [group]
    scenario = twin.scenario.from_document(document)
    plan = make_mesh_plan(scenario, make_nodes(scenario, seed), seed)
    level = np.full((plan.nodes, plan.nodes), np.nan)
    starts = np.repeat(np.arange(plan.nodes), np.diff(plan.first_link))
    level[starts, plan.links["end"]] = plan.links["level_dbm"]
    apart = level - level.T
    node = np.nanmean(apart, axis=1)  # least squares where nearly all hear each other
    left = apart - (node[:, None] - node)
    there = np.isfinite(apart)
    assert there.mean() > 0.98
    return apart[there], 1 - left[there].var() / apart[there].var(), float(node.std())


def test_links_are_as_asymmetric_as_measured_and_for_the_reason_measured() -> None:
    # Two measurements in Grenoble, 2016 and 2018: 1.05 to 1.47 dB, of which constants of the nodes
    # explain 74 to 90 %; they spread by 0.64 to 0.79 dB.
    found = [directions(seed) for seed in range(40)]
    spread = intervals.mean([apart.std() for apart, _, _ in found])
    explained = intervals.mean([share for _, share, _ in found])
    of_nodes = intervals.mean([sd for _, _, sd in found])
    assert spread.low < 2 * np.sqrt(0.52**2 + 0.5 * 0.3**2) < spread.high  # the defaults
    assert 1.0 < spread.low < spread.high < 1.47
    assert 0.74 < explained.low < explained.high < 0.90
    assert 0.64 < of_nodes.low < of_nodes.high < 0.79
    assert abs(np.mean([apart.mean() for apart, _, _ in found])) < 1e-9


# --- reception by distance ----------------------------------------------------------------

PAIRS, ZERO = 6000, 0.005
"""Rounds are of finite length: a pair of less mean reception counts as never heard."""
TOBIT = {"path_loss_exponent": 4.87, "reference_loss_db": 45.3, "shadowing_db": 9.96}
"""Fitted to the levels of the measurement with regard to those that were too weak to be seen."""
HEARD_ONLY = {"path_loss_exponent": 3.31, "reference_loss_db": 50.6, "shadowing_db": 8.9}
"""Fitted as if there were none but the levels that were seen."""


@lru_cache
def by_distance() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / "measured" / "prr_rssi_by_distance.csv")


def deviations(**law: float) -> NDArray[np.float64]:
    """Drawn less measured in each bin of distance: mean, sd, and share never heard."""
    own = radio(fading_db=2.8, cliff_dbm=-92.6, **law)
    apart = []
    for n, row in enumerate(by_distance().itertuples()):
        distances_m = row.d_lo_m + (row.d_hi_m - row.d_lo_m) * meshes.chances(n, PAIRS)
        found = np.zeros((PAIRS, CHANNELS))
        fill_pairs(own, fold(root(3), entity_word(f"bin/{n}")), distances_m, 0.06, found)
        mean = found.mean(axis=1)
        apart.append((
            mean.mean() - row.prr16_mean, mean.std() - row.prr16_sd,
            (mean < ZERO).mean() - row.share_zero,
        ))  # fmt: skip
    return np.array(apart)


def test_reception_by_distance_is_what_was_measured() -> None:
    # 320 nodes in Grenoble at 0 dBm, 2016. A line of log-distance with a normal spread is not the
    # shape of that building: near 9 m it is 0.12 too pessimistic, near 17 m 0.04 too optimistic.
    found = deviations(**TOBIT)
    together = np.average(found**2, axis=0, weights=by_distance()["directed_pairs"]) ** 0.5
    assert (together < [0.05, 0.06, 0.08]).all()
    assert (np.abs(found) < 0.13).all()
    assert (np.abs(found[:4]) < 0.06).all()


def test_a_line_through_the_levels_that_were_heard_promises_too_much() -> None:
    assert np.abs(deviations(**HEARD_ONLY)).max() > 0.3
