"""What Insight answers, field for field: the schemas of the document, for OpenAPI and the tests."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from twin.api.insight.shapes import Role

__all__ = [
    "AnalysisResult",
    "CustomerLogin",
    "Device",
    "DeviceConfigs",
    "DevicePage",
    "DownloadUrl",
    "EventPage",
    "Features",
    "Gateway",
    "GatewayPage",
    "JobConfig",
    "JobConfigPage",
    "Prepared",
    "Problem",
    "Provisioned",
    "User",
    "UserPage",
]


class _Answer(BaseModel):
    """An answer has these fields and no others; times are since 1970 [ms]."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Problem(_Answer):
    """The error envelope."""

    title: str
    details: str


class _Filter(_Answer):
    name: str
    value: str | int


class _Metadata(_Answer):
    description: str
    size: int
    filters: list[_Filter]


class _Links(_Answer):
    next: str | None = None


class _Feature(_Answer):
    feature: str
    enabled: bool
    additional_properties: dict[str, object]


class Features(_Answer):
    """The features of an account."""

    features: list[_Feature]


class _Event(_Answer):
    id: str
    class_: Annotated[Literal["event"], Field(alias="class")]
    type: Literal["scan", "telemetry"]
    created: int
    scan_code: str | None = None
    scan_duration: float | None = None
    scan_decode_symbology: str | None = None
    device_id: str
    device_battery: int
    device_firmware: str
    device_temperature: int
    gateway_id: str
    gateway_usecase: str
    gateway_station: str


class EventPage(_Answer):
    """A page of events."""

    items: list[_Event]
    links: _Links
    metadata: _Metadata


class Gateway(_Answer):
    """A device which transmits data to the backend."""

    id: str
    model: str
    manufacturer: str
    class_: Annotated[Literal["gateway"], Field(alias="class")]
    type: Literal["stationary", "mobile"]
    firmware: str
    created: int
    last_updated: int
    usecase: str
    station: str
    thing_name: str
    name: str


class GatewayPage(_Answer):
    """A page of gateways."""

    items: list[Gateway]
    links: _Links
    metadata: _Metadata


class Prepared(_Answer):
    """Information required to provision a gateway."""

    registration_path: str
    token: str


class Provisioned(_Answer):
    """The certificate, its common name, and the provisioned gateway."""

    mqtt_endpoint: str
    mqtt_topic_prefix: str
    certificate_common_name: str
    gateway: Gateway
    pkcs12: str


class DownloadUrl(_Answer):
    """A download URL that can be used to download the asset."""

    download_url: str


class JobConfig(_Answer):
    """A configuration for a job, including start and end barcodes."""

    job_config_id: str
    job_name: str
    created: int
    last_updated: int
    start_barcode: str
    end_barcode: str
    gateway_ids: list[str]
    class_: Annotated[Literal["jobconfig"], Field(alias="class")]
    version: int


class JobConfigPage(_Answer):
    """All job configurations."""

    items: list[JobConfig]
    links: _Links
    metadata: _Metadata


class _Job(_Answer):
    start_time: int
    end_time: int
    start_event_id: str
    end_event_id: str


class _GatewayJobs(_Answer):
    gateway_id: str
    jobs: list[_Job]


class AnalysisResult(_Answer):
    """Response wrapper of a job analysis."""

    results: list[_GatewayJobs]


class _Consent(_Answer):
    version: str
    timestamp: int


class User(_Answer):
    """A user that can log into and use the cloud platform."""

    id: str
    first_name: str
    last_name: str
    email: str
    created: int
    last_updated: int
    language: str
    roles: list[Role]
    permissions: list[str]
    consent_general_terms: _Consent | None
    consent_privacy_policy: _Consent | None


class UserPage(_Answer):
    """A page of users."""

    items: list[User]
    links: _Links
    metadata: _Metadata


class Device(_Answer):
    """A scanner."""

    id: str
    class_: Annotated[Literal["device"], Field(alias="class")]
    created: int
    last_activity_time: int
    last_updated: int
    battery: int
    firmware: str
    model: str
    manufacturer: str
    status: Literal["ACTIVE", "INACTIVE"]


class DevicePage(_Answer):
    """A page of scanners."""

    items: list[Device]
    links: _Links
    metadata: _Metadata


_Class = Literal["device", "event", "gateway", "job_config", "device_config"]


class CustomerLogin(_Answer):
    """Where a customer logs in."""

    region: str
    user_pool_id: str
    user_pool_client_id: str


class _DeviceConfig(_Answer):
    id: str
    class_: Annotated[_Class, Field(alias="class")]  # the twin says device_config
    name: str
    last_modified: int
    created: int
    file_size: int


class DeviceConfigs(_Answer):
    """What files for scanners there are."""

    configs: list[_DeviceConfig]
