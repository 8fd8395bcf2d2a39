"""Scenarios on which the engines are compared: small, varied, and rich in ties."""

from collections.abc import Mapping

from twin.scenario import Scenario, load, vary

LOSSY = {
    "links.ble.stationary.loss_far": "70 %",
    "links.ble.stationary.loss_near": "40 %",
    "links.ble.mobile.loss_far": "50 %",
    "links.ble.mobile.loss_near": "50 %",
}
DENSE = {
    "work.pick_scale": 0.02,
    "work.job_setup": {"law": "uniform", "low": "50 ms", "high": "2 s"},
    "work.job_close": {"law": "constant", "value": "100 ms"},
    "work.rescan_delay": {"law": "constant", "value": "250 ms"},
    "cloud.telemetry_period": "1 s",
    "work.start_spread": "1 s",
    "run.horizon": "3 min",
}
SLOW_GATEWAY = {"links.gateway_service": {"law": "uniform", "low": "200 ms", "high": "3 s"}}
COARSE = {
    # Scans and reports of a scanner ride on the same connection events and meet all the time.
    "work.pick_interval": {"law": "constant", "value": "150 ms"},
    "work.job_setup": {"law": "constant", "value": "150 ms"},
    "work.job_close": {"law": "constant", "value": "150 ms"},
    "work.start_spread": "0 s",
    "links.gateway_service": {"law": "constant", "value": "50 ms"},
    "cloud.telemetry_period": "1 s",
    "run.horizon": "3 min",
}

CHANGES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "pilot": ("pilot_line", {}),
    "pilot lossy": ("pilot_line", LOSSY),
    "pilot overloaded": ("pilot_line", SLOW_GATEWAY),
    "pilot without jobs": ("pilot_line", {"work.jobs": []}),
    "pilot without reports": ("pilot_line", {"cloud.telemetry_period": "off"}),
    "site": ("reference_site", {"run.horizon": "3 h"}),
    "site dense": ("reference_site", DENSE),
    "site dense lossy": ("reference_site", {**DENSE, **LOSSY}),
    "site overloaded": ("reference_site", {**DENSE, **SLOW_GATEWAY}),
    "site coarse": ("reference_site", COARSE),
    "site short of scanners": ("reference_site", {"fleet.scanners": []}),
    "nobody": ("pilot_line", {"work.shifts.pilot.workers": 0}),
}


def shape(name: str) -> Scenario:
    """Return one of the scenarios."""
    base, changes = CHANGES[name]
    scenario = load(base)
    for key, value in changes.items():
        scenario = vary(scenario, key, value)
    return scenario
