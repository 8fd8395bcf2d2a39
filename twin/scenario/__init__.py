"""The scenario: one frozen document that says all a run depends on."""

from twin.scenario.assumptions import Assumption, assumptions
from twin.scenario.catalogue import (
    GatewayModel,
    ScannerModel,
    gateway_kinds,
    gateway_model,
    law_names,
    scanner_model,
    scanner_models,
)
from twin.scenario.checks import warnings
from twin.scenario.cloud import Asset, Cloud
from twin.scenario.coexistence import Coexistence, Wifi
from twin.scenario.document import Provenance, Scenario
from twin.scenario.fleet import ChargerGroup, Fleet, GatewayGroup, ScannerGroup
from twin.scenario.laws import Component, Constant, Law, Lognormal, Mixture, Normal, Uniform
from twin.scenario.links import Ble, BleLink, Links, Outage
from twin.scenario.loading import from_document, load, vary
from twin.scenario.measured import ANY_CHANNEL, Measured
from twin.scenario.mesh import Bridge, Mesh, MeshMac, MeshRadio, Multicast, NodeGroup
from twin.scenario.run import Run
from twin.scenario.site import Site, Station, Wall, Zone
from twin.scenario.work import Break, JobConfig, JobLines, Orders, Shift, Work

__all__ = [
    "ANY_CHANNEL",
    "Asset",
    "Assumption",
    "Ble",
    "BleLink",
    "Break",
    "Bridge",
    "ChargerGroup",
    "Cloud",
    "Coexistence",
    "Component",
    "Constant",
    "Fleet",
    "GatewayGroup",
    "GatewayModel",
    "JobConfig",
    "JobLines",
    "Law",
    "Links",
    "Lognormal",
    "Measured",
    "Mesh",
    "MeshMac",
    "MeshRadio",
    "Mixture",
    "Multicast",
    "NodeGroup",
    "Normal",
    "Orders",
    "Outage",
    "Provenance",
    "Run",
    "ScannerGroup",
    "ScannerModel",
    "Scenario",
    "Shift",
    "Site",
    "Station",
    "Uniform",
    "Wall",
    "Wifi",
    "Work",
    "Zone",
    "assumptions",
    "from_document",
    "gateway_kinds",
    "gateway_model",
    "law_names",
    "load",
    "scanner_model",
    "scanner_models",
    "vary",
    "warnings",
]
