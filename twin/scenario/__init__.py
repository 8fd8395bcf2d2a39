"""The scenario: one frozen document that says all a run depends on."""

from twin.scenario.assumptions import Assumption, assumptions
from twin.scenario.catalogue import (
    NODE_PLATFORM,
    GatewayModel,
    NodePlatform,
    ScannerModel,
    gateway_kinds,
    gateway_model,
    law_names,
    node_platform,
    scanner_model,
    scanner_models,
)
from twin.scenario.checks import warnings
from twin.scenario.cloud import Asset, Cloud
from twin.scenario.coexistence import Coexistence, Wifi
from twin.scenario.document import Provenance, Scenario
from twin.scenario.fleet import ChargerGroup, Fleet, GatewayGroup, ScannerGroup
from twin.scenario.laws import (
    Component,
    Constant,
    Empirical,
    Law,
    Lognormal,
    Mixture,
    Normal,
    Uniform,
    Weibull,
)
from twin.scenario.links import Ble, BleLink, Links, Outage
from twin.scenario.loading import from_document, load, vary, vary_all
from twin.scenario.measured import ANY_CHANNEL, Measured
from twin.scenario.mesh import Bridge, Mesh, MeshMac, MeshRadio, Multicast, NodeGroup
from twin.scenario.mesh_change import NETWORK_FIELDS, MeshChange, NetworkChange
from twin.scenario.mesh_host import (
    Collector,
    MeshHost,
    MeshSurvey,
    MeshUpgrade,
    Survey,
    Upgrade,
    usual_collector,
)
from twin.scenario.mesh_routing import MeshRouting
from twin.scenario.run import Run
from twin.scenario.site import Site, Station, Wall, Zone
from twin.scenario.snap import (
    SNAP_PASSWORD,
    Snap,
    SnapCollector,
    SnapDevices,
    SnapImage,
    SnapLicence,
    SnapUser,
)
from twin.scenario.work import Break, JobConfig, JobLines, Orders, Shift, Work

__all__ = [
    "ANY_CHANNEL",
    "NETWORK_FIELDS",
    "NODE_PLATFORM",
    "SNAP_PASSWORD",
    "Asset",
    "Assumption",
    "Ble",
    "BleLink",
    "Break",
    "Bridge",
    "ChargerGroup",
    "Cloud",
    "Coexistence",
    "Collector",
    "Component",
    "Constant",
    "Empirical",
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
    "MeshChange",
    "MeshHost",
    "MeshMac",
    "MeshRadio",
    "MeshRouting",
    "MeshSurvey",
    "MeshUpgrade",
    "Mixture",
    "Multicast",
    "NetworkChange",
    "NodeGroup",
    "NodePlatform",
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
    "Snap",
    "SnapCollector",
    "SnapDevices",
    "SnapImage",
    "SnapLicence",
    "SnapUser",
    "Station",
    "Survey",
    "Uniform",
    "Upgrade",
    "Wall",
    "Weibull",
    "Wifi",
    "Work",
    "Zone",
    "assumptions",
    "from_document",
    "gateway_kinds",
    "gateway_model",
    "law_names",
    "load",
    "node_platform",
    "scanner_model",
    "scanner_models",
    "usual_collector",
    "vary",
    "vary_all",
    "warnings",
]
