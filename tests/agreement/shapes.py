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

FADING = {
    "links.ble.stationary.fade_every": "3 min",
    "links.ble.stationary.fade_length": "2 s",
    "links.ble.stationary.loss_far": "60 %",
    "links.ble.mobile.fade_every": "2 min",
    "links.ble.mobile.fade_length": "20 s",
    "links.ble.mobile.fade_loss": "99 %",
    "links.ble.roam_after": "10 s",
}
DROPS = {"links.ble.stationary.drops": True, "links.ble.mobile.drops": True}
SLIPS = {"work.wrong_scan": "10 %", "work.forgotten_end": "30 %", "work.picker_sd": "7 %"}
BAD_LINKS = {**FADING, **SLIPS}
SHORT_DROPS = {
    # Links are back before the worker is: reconnects meet scans, reports and each other.
    "links.ble.stationary.reconnect": {"law": "constant", "value": "50 ms"},
    "links.ble.mobile.reconnect": {"law": "constant", "value": "0 s"},
}
BAD_UPLINK = {
    "links.outages": [
        {"after": "20 s", "duration": "30 s"},
        {"after": "70 s", "duration": "5 s", "gateways": ["aisles"]},
        {"after": "76 s", "duration": "15 s", "gateways": ["aisles", "dock"]},
        {"after": "140 s", "duration": "10 min"},
    ],
    "links.buffer_messages": 20,
    "links.publish_limit": 2,
    "links.acknowledgement_loss": "30 %",
    "links.power_save": True,
}
FLAT_BATTERIES = {
    "fleet.battery_idle_drain": "100 %/h",
    "fleet.ready_charge": "98 %",
    "fleet.low_charge": "97 %",
    "fleet.swap_time": {"law": "uniform", "low": "1 s", "high": "20 s"},
    "fleet.chargers": [
        {"name": "warm", "zone": "packing", "count": 12},
        {"name": "cold", "zone": "picking", "count": 4},
    ],
    "fleet.scanners": [{"model": "MARK 3", "count": 60}],
}
ORDERS = {"work.orders": {"per_hour": 150.0, "peak_factor": 1.5, "profile": [1.0, 2.0] * 12}}
WITHOUT_FEATURES = {
    **LOSSY,
    "fleet.low_charge": "0 %",
    "links.ble.stationary.drops": False,
    "links.ble.mobile.drops": False,
    "links.outages": [],
    "links.buffer_messages": 0,
    "links.publish_limit": 0,
    "links.acknowledgement_loss": "0 %",
    "work.wrong_scan": "0 %",
    "work.forgotten_end": "0 %",
    "work.picker_sd": "0 %",
}
"""Jobs, reports and loss, and no feature that the compiled engine can leave out."""

LAWS = {
    "work.pick_interval": {
        "law": "empirical",
        "levels": [0.0, 0.1, 0.5, 0.9, 1.0],
        "quantiles": ["1 s", "4 s", "4 s", "10 s", "2 min"],
    },
    "work.job_setup": {"law": "weibull", "scale": "20 s", "shape": 1.4},
    "work.rescan_delay": {
        "law": "empirical",
        "levels": [i / 63 for i in range(64)],
        "quantiles": [f"{20 * i} ms" for i in range(64)],
    },
    "links.gateway_service": {"law": "weibull", "scale": "30 ms", "shape": 0.7},
    "cloud.delay": {
        "law": "mixture",
        "components": [
            {"weight": 3, "law": "weibull", "scale": "300 ms", "shape": 3.0},
            {"weight": 1, "law": "constant", "value": "1 s"},
        ],
    },
}
"""Laws that no default has."""

ALONE: Mapping[str, Mapping[str, object]] = {
    "links": {**LOSSY, **FADING, **DROPS},
    "uplink": BAD_UPLINK,
    "orders": ORDERS,
    "slips": SLIPS,
    "swaps": FLAT_BATTERIES,
}
"""For each feature that the compiled engine can leave out, what turns it on."""

CHANGES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "pilot": ("pilot_line", {}),
    "pilot lossy": ("pilot_line", LOSSY),
    "pilot plain": ("pilot_line", WITHOUT_FEATURES),
    "pilot plain overloaded": ("pilot_line", {**WITHOUT_FEATURES, **SLOW_GATEWAY}),
    "pilot without buffer limit": ("pilot_line", {"links.buffer_messages": 0}),
    "pilot with other laws": ("pilot_line", LAWS),
    "pilot overloaded": ("pilot_line", SLOW_GATEWAY),
    "pilot without jobs": ("pilot_line", {"work.jobs": []}),
    "pilot without reports": ("pilot_line", {"cloud.telemetry_period": "off"}),
    "site": ("reference_site", {"run.horizon": "3 h"}),
    "site dense": ("reference_site", DENSE),
    "site dense lossy": ("reference_site", {**DENSE, **LOSSY}),
    "site overloaded": ("reference_site", {**DENSE, **SLOW_GATEWAY}),
    "site coarse": ("reference_site", COARSE),
    "site short of scanners": ("reference_site", {"fleet.scanners": []}),
    "site bad links": ("reference_site", {**DENSE, **BAD_LINKS}),
    "site short drops": ("reference_site", {**COARSE, **BAD_LINKS, **SHORT_DROPS}),
    "site bad uplink": ("reference_site", {**DENSE, **BAD_UPLINK, **BAD_LINKS}),
    "site flat batteries": ("reference_site", {**DENSE, **FLAT_BATTERIES}),
    "site with everything": (
        "reference_site",
        {**DENSE, **BAD_LINKS, **BAD_UPLINK, **FLAT_BATTERIES, **ORDERS},
    ),
    "site by orders": ("reference_site", {**ORDERS, "run.horizon": "3 h"}),
    "site without reports, bad links": (
        "reference_site",
        {**DENSE, **BAD_LINKS, "cloud.telemetry_period": "off"},
    ),
    **{
        f"site with {name} only": (
            "reference_site",
            # What is turned on comes where its own keys put it: some changes need others first.
            {**DENSE, **{k: v for k, v in WITHOUT_FEATURES.items() if k not in on}, **on},
        )
        for name, on in ALONE.items()
    },
    "nobody": ("pilot_line", {"work.shifts.pilot.workers": 0}),
}


def shape(name: str) -> Scenario:
    """Return one of the scenarios."""
    base, changes = CHANGES[name]
    scenario = load(base)
    for key, value in changes.items():
        scenario = vary(scenario, key, value)
    return scenario
