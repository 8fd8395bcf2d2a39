"""From scenario to floor plan: words and units become the numbers that rules read."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.draws import LAW, law_record, log, points_record
from twin.draws import laws as shapes
from twin.draws.laws import Component
from twin.floor.plan import LINK_CLASS, RULEBOOK, FloorPlan
from twin.floor.rules.scanner import FULL_PPB
from twin.scenario import (
    Constant,
    Empirical,
    JobLines,
    Law,
    Lognormal,
    Mixture,
    Normal,
    Scenario,
    Uniform,
    Weibull,
)
from twin.world.clock import Calendar
from twin.world.roster import Roster, scanner_word, worker_word

_HOUR_US = 3_600_000_000
_LAW_FIELDS = [name for name in RULEBOOK.names or () if RULEBOOK[name] == LAW]


def make_plan(scenario: Scenario, roster: Roster, seed: int) -> FloorPlan:
    """Return the floor plan of a scenario for one seed."""
    book = np.zeros(1, RULEBOOK)
    laws = _laws(scenario)
    for name in _LAW_FIELDS:
        book[0][name] = laws[name]
    for name, value in _numbers(scenario, seed).items():
        book[0][name] = value
    return FloorPlan(
        book=book,
        worker_words=np.array([worker_word(worker) for worker in roster.workers], np.int64),
        scanner_words=np.array([scanner_word(scanner) for scanner in roster.scanners], np.int64),
        works_by_jobs=np.array([worker.job >= 0 for worker in roster.workers], bool),
        link_classes=_link_classes(scenario),
        gateway_mobile=np.array([gateway.kind == "mobile" for gateway in roster.gateways], bool),
        **_outages(scenario),
        orders_per_h=_orders_per_h(scenario),
    )


def _numbers(scenario: Scenario, seed: int) -> dict[str, float]:
    """Return the scalars of the rulebook."""
    work = scenario.work
    return {
        "seed": seed,
        "smallest_job": work.job_lines.min,
        "largest_job": work.job_lines.max,
        "start_spread_us": work.start_spread_us,
        "return_shortest_us": work.break_return_min_us,
        "return_spread_us": work.break_return_max_us - work.break_return_min_us,
        "telemetry_period_us": scenario.cloud.telemetry_period_us or 0,
        "idle_drain_ppm_per_h": scenario.fleet.battery_idle_drain_ppm_per_h,
        "low_charge_ppb": round(scenario.fleet.low_charge * FULL_PPB),
        "roam_after_us": scenario.links.ble.roam_after_us,
        "publish_spacing_us": scenario.links.publish_spacing_us,
        "buffer_messages": scenario.links.buffer_messages,
        "acknowledgement_loss": scenario.links.acknowledgement_loss,
        "wrong_scan": work.wrong_scan,
        "forgotten_end": work.forgotten_end,
        "picker_sd": work.picker_sd,
    }


def _link_classes(scenario: Scenario) -> NDArray[np.void]:
    """Return how links fail: those of stationary gateways, then those of phones."""
    classes = np.zeros(2, LINK_CLASS)
    ble = scenario.links.ble
    for record, link in zip(classes, (ble.stationary, ble.mobile), strict=True):
        record["fade_every_us"] = link.fade_every_us
        record["fade_length_us"] = link.fade_length_us
        record["stall_us"] = link.connect_stall_us
        record["stall_every_us"] = link.connect_every_us
        record["fade_loss"] = link.fade_loss
        record["drops"] = link.drops
        record["reconnect"] = record_of(link.reconnect)
    return classes


def _outages(scenario: Scenario) -> dict[str, NDArray[np.int64]]:
    """Return the stretches without uplink, and where those of each gateway begin."""
    rows, first = [], [0]
    for group in scenario.fleet.gateways:
        own = [o for o in scenario.links.outages if not o.gateways or group.name in o.gateways]
        stretches = sorted((o.after_us, o.after_us + o.duration_us) for o in own)
        for _ in range(group.count):
            rows += stretches
            first.append(len(rows))
    return {
        "outages": np.array(rows, np.int64).reshape(-1, 2),
        "first_outage": np.array(first, np.int64),
    }


def with_phone(plan: FloorPlan, scenario: Scenario) -> FloorPlan:
    """Return a plan with one phone more, behind the other gateways; it was never named before.

    An outage of all gateways is one of the phone, too.
    """
    own = sorted((o.after_us, o.after_us + o.duration_us)
                 for o in scenario.links.outages if not o.gateways)  # fmt: skip
    outages = np.concatenate([plan.outages, np.array(own, np.int64).reshape(-1, 2)])
    return plan._replace(
        gateway_mobile=np.append(plan.gateway_mobile, True),
        outages=outages,
        first_outage=np.append(plan.first_outage, len(outages)),
    )


def _orders_per_h(scenario: Scenario) -> NDArray[np.float64]:
    """Return the expected orders in each hour of the run and of a day behind it [1/h]."""
    orders = scenario.work.orders
    if orders is None:
        return np.zeros(0)
    calendar = Calendar(scenario.run.start, scenario.run.time_zone)
    hours = -(-scenario.run.horizon_us // _HOUR_US) + 24
    middles_us = (int((hour + 0.5) * _HOUR_US) for hour in range(hours))
    return np.array([orders.rates_per_h[calendar.at(m).hour] for m in middles_us])


def _laws(scenario: Scenario) -> dict[str, np.void]:
    """Return the laws of the rulebook."""
    work, links = scenario.work, scenario.links
    return {
        "pick": record_of(work.pick_interval, work.pick_scale),
        "job_setup": record_of(work.job_setup),
        "job_close": record_of(work.job_close),
        "rescan": record_of(work.rescan_delay),
        "job_lines": law_record([_job_size(work.job_lines)]),
        "service": record_of(links.gateway_service),
        "round_trip": record_of(links.uplink_trip),
        "cloud_delay": record_of(scenario.cloud.delay),
        "trigger": record_of(work.trigger),
    }


def record_of(law: Law, factor: float = 1.0) -> np.void:
    """Return a scenario's law as a record that rules sample, in microseconds.

    Parameters
    ----------
    law
        As the scenario has it.
    factor
        How much longer the durations are [1].
    """
    if isinstance(law, Empirical):
        return points_record(law.levels, [value * factor for value in law.quantiles_us])
    return law_record([_scaled(part, factor) for part in components(law)])


def components(law: Law) -> list[Component]:
    """Return a law as rows of a mixture, in microseconds; an empirical one has none."""
    if isinstance(law, Mixture):
        parts = zip(law.shares, law.components, strict=True)
        return [(share, *components(part)[0][1:]) for share, part in parts]
    if isinstance(law, Lognormal):
        return [(1.0, shapes.LOGNORMAL, log(float(law.median_us)), law.sigma)]
    if isinstance(law, Weibull):
        return [(1.0, shapes.WEIBULL, log(float(law.scale_us)), 1.0 / law.shape)]
    if isinstance(law, Uniform):
        return [(1.0, shapes.UNIFORM, float(law.low_us), float(law.high_us - law.low_us))]
    if isinstance(law, Normal):
        return [(1.0, shapes.NORMAL, float(law.mean_us), float(law.sd_us))]
    assert isinstance(law, Constant), law
    return [(1.0, shapes.CONSTANT, float(law.value_us), 0.0)]


def _scaled(component: Component, factor: float) -> Component:
    """Return a law whose durations are a factor longer."""
    if factor == 1.0:
        return component
    weight, shape, p, q = component
    if shape in (shapes.LOGNORMAL, shapes.WEIBULL):
        return weight, shape, p + log(factor), q
    return weight, shape, p * factor, q * factor


def _job_size(lines: JobLines) -> Component:
    """Return the law of lines in a job: lognormal by its median and mean [1]."""
    # Not lines.sigma: that comes from the machine's own library, and would decide draws.
    sigma = math.sqrt(2.0 * log(lines.mean / lines.median))
    return 1.0, shapes.LOGNORMAL, log(lines.median), sigma
