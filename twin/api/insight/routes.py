"""The table of Insight's operations: the document's headings, paths and statuses as data."""

from collections.abc import Callable

from pydantic import BaseModel

from twin.api.faults import Faults
from twin.api.host import Host
from twin.api.http import Answer, Api, Call, Manners, Operation
from twin.api.insight import (
    account,
    answers,
    downloads,
    gateways,
    jobs,
    login,
    provisioning,
    shapes,
)
from twin.api.insight.errors import envelope
from twin.api.insight.events import Events

__all__ = ["make_insight"]

_ADMIN = frozenset({"ADMIN_ROLE"})
_ANYBODY = frozenset({"ADMIN_ROLE", "USER_ROLE"})
_NOBODY = frozenset[str]()


_C = "/{customer_id}"
_Row = tuple[
    str, str, str, Callable[[Call], Answer], tuple[int, ...], frozenset[str],
    type[BaseModel] | None, type[BaseModel] | None, type[BaseModel] | None,
]  # fmt: skip


def make_insight(host: Host) -> tuple[Api, Faults]:
    """Return the Insight API of a twin, and the faults that its answers may have.

    Parameters
    ----------
    host
        The twin behind it.
    """
    events = Events()
    rows = [
        *_seen(events, account.Devices(events)),
        *_jobs(jobs.Analysis(events)),
        *_PEOPLE,
        *_PROVISIONING,
        *_LOGIN,
    ]
    operations = [Operation(*row) for row in rows]
    faults = Faults(host, operations)

    def keep_clock() -> None:
        host.database.keep_clock(host.now_us)

    manners = Manners(envelope, login.authenticate)
    api = Api(operations, host, manners, faults.meet, keep_clock)
    return api, faults


def _seen(events: Events, devices: account.Devices) -> list[_Row]:
    """Return features, events, gateways, devices and their configurations."""
    page, asked, gateway = shapes.PageAsked, shapes.EventsAsked, shapes.NewGateway
    title = "List of Non-standard or Pre-release Features Available to the Customer"
    return [
        ("GET", f"{_C}/features", title,
         account.list_features, (200, 500), _ANYBODY, None, None, answers.Features),
        ("GET", f"{_C}/events", "List of Events from the Last 24 Hours",
         events.list_events, (200, 400, 401, 403, 500), _ANYBODY, asked, None, answers.EventPage),
        ("GET", f"{_C}/gateways", "List of Gateways",
         gateways.list_gateways, (200, 401, 403, 500), _ANYBODY, page, None, answers.GatewayPage),
        ("POST", f"{_C}/gateways", "Creates a New Gateway",
         gateways.create_gateway, (201, 400, 401, 403, 404, 409, 500), _ADMIN, None, gateway,
         answers.Gateway),
        ("GET", f"{_C}/devices", "Gets the List of Scanners",
         devices.list_devices, (200, 401, 403, 500), _ANYBODY, page, None, answers.DevicePage),
        ("GET", f"{_C}/device-configs", "Get the Lists of Device Configurations Metadata",
         account.list_device_configs, (200, 401, 403, 500), _ANYBODY, None, None,
         answers.DeviceConfigs),
        ("GET", f"{_C}/device-configs/{{device_config_id}}", "Gets a Device Configuration File",
         account.get_device_config, (200, 401, 403, 404, 500), _ANYBODY, None, None, None),
        ("DELETE", f"{_C}/device-configs/{{device_config_id}}", "Deletes a Device Configuration",
         account.delete_device_config, (204, 401, 403, 500), _ADMIN, None, None, None),
    ]  # fmt: skip


def _jobs(analysis: jobs.Analysis) -> list[_Row]:
    """Return job configurations and job analysis."""
    config, asked = shapes.NewJobConfig, shapes.AnalysisAsked
    title = "Runs the Specific Job Config Job Analysis for the Specified Timeframe"
    specific = "Gets the Specific Job Configuration Details"
    return [
        ("GET", f"{_C}/job-configs", "List of Job Configurations",
         jobs.list_configs, (200, 401, 500), _ANYBODY, None, None, answers.JobConfigPage),
        ("POST", f"{_C}/job-configs", "Creates a New Job Configuration",
         jobs.create_config, (201, 400, 401, 403, 500), _ADMIN, None, config, answers.JobConfig),
        ("GET", f"{_C}/job-configs/{{job_config_id}}", specific,
         jobs.get_config, (200, 401, 404, 500), _ANYBODY, None, None, answers.JobConfig),
        ("DELETE", f"{_C}/job-configs/{{job_config_id}}", "Deletes a Job Configuration",
         jobs.delete_config, (204, 401, 403, 404, 500), _ADMIN, None, None, None),
        ("POST", f"{_C}/job-analysis", title,
         analysis.run, (200, 400, 401, 403, 500), _ANYBODY, None, asked, answers.AnalysisResult),
    ]  # fmt: skip


_CERTIFICATE = "Gets the Gateway Certificate"
_URL = "Generates a URL to Download an Object from an S3 Bucket"
_PROVISIONING: list[_Row] = [
    ("POST", f"{_C}/gateways/{{gateway_id}}/prepare-provisioning", _CERTIFICATE,
     provisioning.prepare, (200, 401, 403, 404, 500), _ADMIN, None, None, answers.Prepared),
    ("POST", "/provisioning", _CERTIFICATE,
     provisioning.provision, (200, 401, 403, 500), _NOBODY, None, shapes.ProvisioningAsked,
     answers.Provisioned),
    ("POST", f"{_C}/generate-download-url", _URL,
     downloads.generate_url, (200, 400, 401, 404, 500), _ANYBODY, None, shapes.DownloadAsked,
     answers.DownloadUrl),
    ("GET", "/downloads/{asset_type}/{asset_version}", "What a signed URL leads to",
     downloads.download, (200, 403, 404), _NOBODY, shapes.SignedAsked, None, None),
]  # fmt: skip
_NEW_USER = "Creates a New User if provided with a First and Last Name, Role, and Email Address"
_PEOPLE: list[_Row] = [
    ("GET", f"{_C}/me", "Gets Information about You as a User",
     account.me, (200, 401, 500), _ANYBODY, None, None, answers.User),
    ("POST", f"{_C}/users", _NEW_USER,
     account.create_user, (200, 400, 401, 409, 500), _ADMIN, None, shapes.NewUser, answers.User),
    ("GET", f"{_C}/users", "Gets the List of All Users for a Customer",
     account.list_users, (200, 401, 500), _ADMIN, shapes.PageAsked, None, answers.UserPage),
    ("GET", f"{_C}/users/{{user_id}}", "Gets Information about a Specific User",
     account.get_user, (200, 401, 403, 404, 500), _ADMIN, None, None, answers.User),
    ("DELETE", f"{_C}/users/{{user_id}}", "Deletes the Specified User.",
     account.delete_user, (204, 401, 403, 404, 500), _ADMIN, None, None, None),
]  # fmt: skip
_LOGIN: list[_Row] = [
    ("GET", "/auth-information", "Where a customer logs in",
     login.information, (200, 404), _NOBODY, login.CustomerAsked, None, answers.CustomerLogin),
    ("POST", "/", "Logs in, as Cognito's InitiateAuth",
     login.initiate, (200, 400), _NOBODY, None, None, None),
]  # fmt: skip
