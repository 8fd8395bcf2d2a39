"""Simulate, export through the API, fit onto the defaults, simulate again: key figures agree.

The site differs from the defaults in everything that is fitted. What is compared are means over
seeds that the export has not seen; intervals of their difference at 99.9 % (Welch). The defaults
themselves must lie outside: a fit that changed nothing would be found out.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import twin
from tests.api.snap_site import LICENCE, asked, finished, got
from tests.theory import intervals
from twin.experiments.fitting import Fitted, fit
from twin.mesh.links import make_mesh_plan
from twin.mesh.nodes import make_nodes
from twin.mesh.topology import USABLE, hop_counts, receptions
from twin.scenario import Scenario, load, vary
from twin.twin import Twin

SEEDS = 40
OTHER: Mapping[str, Any] = {
    "work.pick_interval": {"law": "weibull", "scale": "14 s", "shape": 1.4},
    "work.job_setup": {"law": "lognormal", "median": "25 s", "sigma": 0.4},
    "work.job_close": {"law": "uniform", "low": "5 s", "high": "20 s"},
    "work.job_lines": {"median": 8.0, "mean": 12.0, "min": 1, "max": 150},
    "work.trigger": {"law": "lognormal", "median": "800 ms", "sigma": 0.5},
    "work.forgotten_end": "6 %",
    "work.picker_sd": "0 %",
    "cloud.telemetry_period": "10 min",
}


def changed(base: Scenario, changes: Mapping[str, Any]) -> Scenario:
    for key, value in changes.items():
        base = vary(base, key, value)
    return base


def difference(one: pd.Series, other: pd.Series, exports: int = 0) -> intervals.Interval:
    """Where the difference of two means lies; as many samples of both.

    With ``exports`` the second comes from so many runs of the first: it cannot know better than
    these do what the first is like.
    """
    n = len(one)
    variance = (one.var() + other.var()) / n + (one.var() / exports if exports else 0.0)
    half = intervals.student(n - 1) * math.sqrt(variance)
    between = float(one.mean() - other.mean())
    return intervals.Interval(between - half, between + half)


def agree(
    one: pd.DataFrame, other: pd.DataFrame, names: tuple[str, ...], exports: int = 0
) -> list[str]:
    """Which figures of two sets of runs agree."""
    return [name for name in names if 0.0 in difference(one[name], other[name], exports)]


# --- the floor ------------------------------------------------------------------------------------


@lru_cache
def figures(scenario: Scenario, first: int) -> pd.DataFrame:
    """Key figures of a day, over seeds."""
    day = vary(scenario, "run.horizon", "8 h")
    runs = (twin.open(day, seed=seed, record="kpis") for seed in range(first, first + SEEDS))
    return pd.concat([t.run(progress=False).kpis() for t in runs], ignore_index=True)


def pages(t: Twin) -> list[Any]:
    """All events since the start, page by page as a client asks for them."""
    path, query = f"/{t.customer_id}/events", {"start_time_millis": t.origin_us // 1000}
    found = [t.insight.get(path, params=query).json()]
    while "next" in found[-1]["links"]:
        found.append(t.insight.get(f"/{t.customer_id}{found[-1]['links']['next']}").json())
    return found


@pytest.fixture(scope="module")
def site() -> Scenario:
    return changed(load("pilot_line"), OTHER)


@pytest.fixture(scope="module")
def by_api(site: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    t = twin.open(vary(site, "run.horizon", "20 d"), seed=11).run(progress=False)
    path = tmp_path_factory.mktemp("export") / "events.json"
    path.write_text(json.dumps(pages(t)), encoding="utf-8")
    return fit(path)


FITTED = ("scans", "scans_per_worker_hour", "jobs", "job_p50_min", "job_p95_min",
          "gateway_use_mean", "reports", "wrong_scans")  # fmt: skip
KEPT = ("beep_mean_ms", "beep_p50_ms", "beep_p95_ms", "cloud_p50_ms", "cloud_p95_ms", "drops",
        "blocked_min_per_worker", "gateway_wait_mean_ms", "no_feedback")  # fmt: skip


def test_a_site_fitted_from_its_api_behaves_like_itself(site: Scenario, by_api: Fitted) -> None:
    original, fitted = figures(site, 100), figures(by_api.scenario, 200)
    assert agree(original, fitted, FITTED + KEPT) == [*FITTED, *KEPT]
    defaults = figures(by_api.base, 300)
    assert agree(original, defaults, FITTED) == []


def test_the_laws_are_those_of_the_site(site: Scenario, by_api: Fitted) -> None:
    found = by_api.scenario.work
    names = {line.key: line.law for line in by_api.lines}
    assert names["work.job_setup"] == "lognormal"
    assert found.pick_interval.expected_us == pytest.approx(
        site.work.pick_interval.expected_us, rel=0.01
    )
    assert found.job_close.expected_us == pytest.approx(12.5e6, rel=0.01)
    assert found.job_lines.median == pytest.approx(8.0, rel=0.04)
    assert found.job_lines.sigma == pytest.approx(site.work.job_lines.sigma, rel=0.03)
    assert found.forgotten_end == pytest.approx(0.06, abs=0.01)
    assert found.picker_sd < 0.015
    assert by_api.scenario.cloud.telemetry_period_us == 600_000_000
    left = {line.key for line in by_api.lines if not line.is_fitted}
    assert left >= {"work.wrong_scan", "cloud.delay", "links.gateway_service", "links.ble"}


def test_what_the_base_does_by_itself_is_not_told_twice(site: Scenario, by_api: Fitted) -> None:
    # Drops make gaps of minutes: hundreds, where the law of picks makes one or two above 80 s.
    assert by_api.usual is not None
    assert by_api.usual.cut_us.mean() > 60e6
    assert by_api.usual.again_us.mean() < 5e6
    picks_us = by_api.fits["work.pick_interval"].samples_us
    assert len(picks_us) * math.exp(-((80 / 14) ** 1.4)) < 2
    note = next(line.note for line in by_api.lines if line.key == "work.pick_interval")
    lost = int(re.search(r"([\d,]+) over scans that were lost", note)[1].replace(",", ""))  # type: ignore[index]
    assert lost > 150
    assert (picks_us > 80e6).sum() < 0.3 * lost


def test_a_frame_of_the_twin_also_tells_the_cloud_and_the_slips(
    site: Scenario, tmp_path: Path
) -> None:
    more = {
        "cloud.delay": {"law": "lognormal", "median": "900 ms", "sigma": 0.4},
        "work.wrong_scan": "4 %",
        "work.rescan_delay": {"law": "uniform", "low": "4 s", "high": "9 s"},
    }
    whole = changed(site, more)
    t = twin.open(vary(whole, "run.horizon", "5 d"), seed=12).run(progress=False)
    t.events().to_csv(tmp_path / "events.csv", index=False)
    found = fit(tmp_path / "events.csv")
    assert found.usual is None
    original, fitted = figures(whole, 100), figures(found.scenario, 200)
    names = (*FITTED, *KEPT)
    assert agree(original, fitted, names) == [*names]
    apart = ("cloud_p50_ms", "cloud_p95_ms", "wrong_scans")
    assert agree(original, figures(site, 100), apart) == []


# --- the mesh -------------------------------------------------------------------------------------


RADIO = {"mesh.radio.path_loss_exponent": 4.2, "mesh.radio.shadowing": "8 dB"}
MESHES = 20


@lru_cache
def hall() -> Scenario:
    """100 nodes on a grid in a hall of 100 m by 60 m, with the usual radio."""
    document = load("quiet_line").document()
    size = {"width": "100 m", "depth": "60 m"}
    document["site"] |= size
    document["site"]["zones"][0] |= size
    document["mesh"]["bridges"] = [{"name": "bridge", "x": "50 m", "y": "30 m"}]
    document["mesh"]["nodes"] = [{"name": "n", "zone": "line", "count": 100, "placement": "grid"}]
    document["work"]["shifts"] = []
    document["snap"]["licence"] = LICENCE
    return twin.scenario.from_document(document)


def shapes(scenario: Scenario, first: int) -> pd.DataFrame:
    """Usable links, nodes in one and in two hops, and the mean level of the strongest links."""
    rows = []
    for seed in range(first, first + MESHES):
        plan = make_mesh_plan(scenario, make_nodes(scenario, seed), seed)
        hops = hop_counts(plan, [0])
        rows.append({
            "links": int((receptions(plan) >= USABLE).sum()),
            "in_one": int((hops == 1).sum()),
            "mean_hops": float(hops[hops > 0].mean()),
            "level": float(np.sort(plan.links["level_dbm"])[-300:].mean()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def surveyed(t: Twin) -> Any:
    """Let a survey of the API find a topology; return what it answers."""
    task = asked(t, "POST", "/topologies", None, 202).headers["location"]
    return {"data": got(t, finished(t, task))}


def test_a_mesh_fitted_from_its_topology_reaches_as_far(tmp_path: Path) -> None:
    truth = changed(hall(), RADIO)
    path = tmp_path / "topology.json"
    path.write_text(json.dumps(surveyed(twin.open(truth, seed=5))), encoding="utf-8")
    found = fit(path, base=hall())
    names = ("links", "in_one", "mean_hops", "level")
    original = shapes(truth, 100)
    assert agree(original, shapes(found.scenario, 200), names, exports=1) == [*names]
    assert agree(original, shapes(hall(), 300), names, exports=1) == []
    radio = found.scenario.mesh.radio
    assert radio.path_loss_exponent == pytest.approx(4.2, abs=0.4)
    assert radio.shadowing_db == pytest.approx(8.0, abs=1.0)


def test_without_places_a_topology_is_taken_as_it_is(tmp_path: Path) -> None:
    t = twin.open(changed(hall(), RADIO), seed=5)
    topology = surveyed(t)
    path = tmp_path / "topology.json"
    path.write_text(json.dumps(topology), encoding="utf-8")
    base = load("quiet_line")
    found = fit(path, base=changed(base, {"work.shifts": []}))
    mesh = found.scenario.mesh
    assert mesh.measured is not None
    links = topology["data"]["links"]
    assert len(mesh.measured.starts) == len(links) > 300
    assert [bridge.name for bridge in mesh.bridges] == topology["data"]["gateways"]
    written = load(found.write(tmp_path / "mine.toml"))
    assert written == found.scenario
    shown = twin.open(written).links()
    assert len(shown) == len(links)
    assert {"mesh.radio.path_loss_exponent", "mesh.radio.shadowing"} <= {
        line.key for line in found.lines if not line.is_fitted
    }
