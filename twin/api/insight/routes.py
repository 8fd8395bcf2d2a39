"""The table of Insight's operations: the document's headings, paths and statuses as data."""

from twin.api.host import Host
from twin.api.http import Api, Operation
from twin.api.insight import account, gateways, jobs, login, shapes
from twin.api.insight.errors import envelope
from twin.api.insight.events import Events

__all__ = ["make_insight"]

_ADMIN = frozenset({"ADMIN_ROLE"})
_ANYBODY = frozenset({"ADMIN_ROLE", "USER_ROLE"})
_NOBODY = frozenset[str]()


def make_insight(host: Host) -> Api:
    """Return the Insight API of a twin.

    Parameters
    ----------
    host
        The twin behind it.
    """
    events = Events()
    analysis, devices = jobs.Analysis(events), account.Devices(events)
    page, event_query = shapes.PageAsked, shapes.EventsAsked
    gateway, user, config = shapes.NewGateway, shapes.NewUser, shapes.NewJobConfig
    c = "/{customer_id}"
    table = [
        # Feature Calls
        ("GET", f"{c}/features", ("List of Non-standard or Pre-release Features Available to the "
         "Customer"), account.list_features, (200, 500), _ANYBODY, None, None),
        # Events Calls
        ("GET", f"{c}/events", "List of Events from the Last 24 Hours",
         events.list_events, (200, 400, 401, 403, 500), _ANYBODY, event_query, None),
        # Gateway Calls
        ("GET", f"{c}/gateways", "List of Gateways",
         gateways.list_gateways, (200, 401, 403, 500), _ANYBODY, page, None),
        ("POST", f"{c}/gateways", "Creates a New Gateway",
         gateways.create_gateway, (201, 400, 401, 403, 404, 409, 500), _ADMIN, None, gateway),
        # Job Config Calls
        ("GET", f"{c}/job-configs", "List of Job Configurations",
         jobs.list_configs, (200, 401, 500), _ANYBODY, None, None),
        ("POST", f"{c}/job-configs", "Creates a New Job Configuration",
         jobs.create_config, (201, 400, 401, 403, 500), _ADMIN, None, config),
        ("GET", f"{c}/job-configs/{{job_config_id}}", "Gets the Specific Job Configuration Details",
         jobs.get_config, (200, 401, 404, 500), _ANYBODY, None, None),
        ("DELETE", f"{c}/job-configs/{{job_config_id}}", "Deletes a Job Configuration",
         jobs.delete_config, (204, 401, 403, 404, 500), _ADMIN, None, None),
        ("POST", f"{c}/job-analysis", ("Runs the Specific Job Config Job Analysis for the "
         "Specified Timeframe"), analysis.run, (200, 400, 401, 403, 500), _ANYBODY, None,
         shapes.AnalysisAsked),
        # User Calls
        ("GET", f"{c}/me", "Gets Information about You as a User",
         account.me, (200, 401, 500), _ANYBODY, None, None),
        ("POST", f"{c}/users", ("Creates a New User if provided with a First and Last Name, Role, "
         "and Email Address"), account.create_user, (200, 400, 401, 409, 500), _ADMIN, None, user),
        ("GET", f"{c}/users", "Gets the List of All Users for a Customer",
         account.list_users, (200, 401, 500), _ADMIN, page, None),
        ("GET", f"{c}/users/{{user_id}}", "Gets Information about a Specific User",
         account.get_user, (200, 401, 403, 404, 500), _ADMIN, None, None),
        ("DELETE", f"{c}/users/{{user_id}}", "Deletes the Specified User.",
         account.delete_user, (204, 401, 403, 404, 500), _ADMIN, None, None),
        # Device Calls
        ("GET", f"{c}/devices", "Gets the List of Scanners",
         devices.list_devices, (200, 401, 403, 500), _ANYBODY, page, None),
        # Device Configuration Calls
        ("GET", f"{c}/device-configs", "Get the Lists of Device Configurations Metadata",
         account.list_device_configs, (200, 401, 403, 500), _ANYBODY, None, None),
        ("GET", f"{c}/device-configs/{{device_config_id}}", "Gets a Device Configuration File",
         account.get_device_config, (200, 401, 403, 404, 500), _ANYBODY, None, None),
        ("DELETE", f"{c}/device-configs/{{device_config_id}}", "Deletes a Device Configuration",
         account.delete_device_config, (204, 401, 403, 500), _ADMIN, None, None),
        # Login, which the document refers to
        ("GET", "/auth-information", "Where a customer logs in",
         login.information, (200,), _NOBODY, login.CustomerAsked, None),
        ("POST", "/", "Logs in, as Cognito's InitiateAuth",
         login.initiate, (200,), _NOBODY, None, None),
    ]  # fmt: skip
    operations = [Operation(*row) for row in table]
    return Api(operations, host, envelope, login.authenticate)
