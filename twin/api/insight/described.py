"""What OpenAPI says of Insight beside the table of operations: examples, and what leads where.

The examples are those of the document, letter for letter; its times of ten digits are seconds by
mistake, the twin's own are milliseconds.
"""

from typing import Any

from pydantic import BaseModel

from twin.api.insight import answers, shapes
from twin.api.openapi import Described, Link

__all__ = ["DESCRIBED", "EXAMPLES", "LINKS"]

_ID = "919ebc9d-9788-4f08-93db-e238c5eaa69a"
_TOKEN = "1BuWYYmmCO7K4baxJxB2KGJM11FCb1Ckdr5rR36LzDQ"
_EVENT = {
    "id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "class": "event", "type": "scan",
    "created": 1557220259, "scan_code": "1234567890", "scan_duration": 2.34,
    "scan_decode_symbology": "QR_CODE", "device_id": "M2MR141204452", "device_battery": 93,
    "device_firmware": "0.0.1", "device_temperature": 93, "gateway_id": _ID,
    "gateway_usecase": "Picking", "gateway_station": "Station3",
}  # fmt: skip
_NEW_GATEWAY = {"usecase": "Picking", "station": "Station3", "name": "Gateway1"}
_GATEWAY = {
    "id": _ID, "model": "Samsung Galaxy S8", "manufacturer": "Proglove", "class": "gateway",
    "type": "stationary", "firmware": "0.0.1", "created": 0, "last_updated": 0,
    "usecase": "Picking", "station": "Station3", "thing_name": "Gateway1", "name": "Gateway1",
}  # fmt: skip
_NEW_JOB = {
    "job_name": "Packing job 1", "start_barcode": "1234", "end_barcode": "5678",
    "gateway_ids": ["string"],
}  # fmt: skip
_JOB = {
    "job_config_id": _ID, "job_name": "Packing job 1", "created": 0, "last_updated": 0,
    "start_barcode": "1234", "end_barcode": "5678", "gateway_ids": ["string"],
    "class": "jobconfig", "version": 0,
}  # fmt: skip
_CONSENT = {"version": "1.2.3", "timestamp": 1585727114123}
_USER = {
    "id": _ID, "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
    "created": 1557220260, "last_updated": 1557220260, "language": "English",
    "roles": ["ADMIN_ROLE"], "permissions": ["event.read"],
    "consent_general_terms": _CONSENT, "consent_privacy_policy": _CONSENT,
}  # fmt: skip
_DEVICE = {
    "id": "M2MR101000000", "class": "device", "created": 0, "last_activity_time": 0,
    "last_updated": 0, "battery": 50, "firmware": "0.0.1", "model": "Mark",
    "manufacturer": "Workaround GmbH", "status": "ACTIVE",
}  # fmt: skip
_DEVICE_CONFIG = {
    "id": "asrtdgh", "class": "device", "name": "very important config file.",
    "last_modified": 0, "created": 0, "file_size": 24,
}  # fmt: skip


def _listed(item: dict[str, Any], what: str) -> dict[str, Any]:
    """Return a list as the document shows each."""
    return {
        "items": [item],
        "links": {"next": f"/{what}?next_token=11234"},
        "metadata": {
            "description": "string",
            "size": 23,
            "filters": [{"name": "start_time_millis", "value": 1557220259}],
        },
    }


EXAMPLES: dict[type[BaseModel], dict[str, Any]] = {
    answers.Problem: {"title": "Unauthorized", "details": "No Authorization header was provided"},
    answers.Features: {
        "features": [{"feature": "brew_coffee", "enabled": True, "additional_properties": {}}]
    },
    answers.EventPage: _listed(_EVENT, "events"),
    shapes.NewGateway: _NEW_GATEWAY,
    answers.Gateway: _GATEWAY,
    answers.GatewayPage: _listed(_GATEWAY, "gateways"),
    answers.Prepared: {"registration_path": "string", "token": _TOKEN},
    shapes.ProvisioningAsked: {"token": _TOKEN},
    answers.Provisioned: {
        "mqtt_endpoint": "string",
        "mqtt_topic_prefix": "string",
        "certificate_common_name": "string",
        "gateway": _GATEWAY,
        "pkcs12": "MIINYQIBAzCCDScGCSqGSIb3DQEHAaCCDRgEgg0UMIINED",
    },
    shapes.DownloadAsked: {
        "eula_version": "1.1.0",
        "eula_checksum": "FD23456ABC",
        "asset_type": "PGCONNECT_ANDROID_APP",
        "agreed_by": "john.doe@example.com",
        "asset_version": "1.1.0",
    },
    answers.DownloadUrl: {"download_url": "string"},
    shapes.NewJobConfig: _NEW_JOB,
    answers.JobConfig: _JOB,
    answers.JobConfigPage: _listed(_JOB, "job-configs"),
    shapes.AnalysisAsked: {
        "job_config_id": _ID, "start_time": 1557220259, "end_time": 1557220260,
    },
    answers.AnalysisResult: {
        "results": [{
            "gateway_id": "string",
            "jobs": [{
                "start_time": 1557220259, "end_time": 1557220260,
                "start_event_id": "string", "end_event_id": "string",
            }],
        }]
    },
    shapes.NewUser: {
        "first_name": "John", "last_name": "Doe", "role": "USER_ROLE",
        "email": "john.doe@example.com",
    },
    answers.User: _USER,
    answers.UserPage: _listed(_USER, "users"),
    answers.DevicePage: _listed(_DEVICE, "devices"),
    answers.DeviceConfigs: {"configs": [_DEVICE_CONFIG]},
}  # fmt: skip
"""An example of each body and each answer."""

_C = "/{customer_id}"
_PREPARE = f"POST {_C}/gateways/{{gateway_id}}/prepare-provisioning"
_ONE_JOB, _ONE_USER = f"{_C}/job-configs/{{job_config_id}}", f"{_C}/users/{{user_id}}"
_ONE_FILE = f"{_C}/device-configs/{{device_config_id}}"
LINKS = [
    Link(f"POST {_C}/gateways", _PREPARE, {"gateway_id": "id"}),
    Link(f"GET {_C}/gateways", _PREPARE, {"gateway_id": "items/0/id"}),
    Link(_PREPARE, "POST /provisioning", body={"token": "token"}),
    Link(f"POST {_C}/job-configs", f"GET {_ONE_JOB}", {"job_config_id": "job_config_id"}),
    Link(f"POST {_C}/job-configs", f"DELETE {_ONE_JOB}", {"job_config_id": "job_config_id"}),
    Link(f"GET {_C}/job-configs", f"GET {_ONE_JOB}", {"job_config_id": "items/0/job_config_id"}),
    Link(f"POST {_C}/users", f"GET {_ONE_USER}", {"user_id": "id"}),
    Link(f"POST {_C}/users", f"DELETE {_ONE_USER}", {"user_id": "id"}),
    Link(f"GET {_C}/users", f"GET {_ONE_USER}", {"user_id": "items/0/id"}),
    Link(f"GET {_C}/me", f"GET {_ONE_USER}", {"user_id": "id"}),
    Link(f"GET {_C}/device-configs", f"GET {_ONE_FILE}", {"device_config_id": "configs/0/id"}),
    Link(f"GET {_C}/device-configs", f"DELETE {_ONE_FILE}", {"device_config_id": "configs/0/id"}),
]
"""Where the answer to one operation leads to another."""

_ETAG = {"ETag": {"required": True, "schema": {"type": "string"}, "description": "Of the version."}}
_FILE = {"schema": {"type": "string"}}
_COGNITO = "application/x-amz-json-1.1"
_TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"
_MORE: dict[str, dict[str, Any]] = {
    f"POST {_C}/gateways": {"responses": {"201": {"headers": _ETAG}}},
    f"GET {_C}/job-configs": {"responses": {"200": {"headers": _ETAG}}},
    f"GET {_ONE_FILE}": {"responses": {"200": {"content": {"text/plain": _FILE}}}},
    "GET /downloads/{asset_type}/{asset_version}": {
        "responses": {"200": {"content": {"application/octet-stream": _FILE}}}
    },
    "POST /": {
        "parameters": [{
            "name": "X-Amz-Target", "in": "header", "required": True,
            "schema": {"type": "string", "enum": [_TARGET]},
        }],
        "requestBody": {"required": True, "content": {"application/json": {
            "schema": {
                "type": "object",
                "required": ["AuthFlow", "ClientId", "AuthParameters"],
                "properties": {
                    "AuthFlow": {"type": "string", "enum": ["USER_PASSWORD_AUTH", "REFRESH_TOKEN"]},
                    "ClientId": {"type": "string"},
                    "AuthParameters": {
                        "type": "object", "additionalProperties": {"type": "string"},
                    },
                },
            },
            "example": {
                "AuthFlow": "USER_PASSWORD_AUTH",
                "ClientId": "what GET /auth-information answers",
                "AuthParameters": {"USERNAME": "admin@example.com", "PASSWORD": "..."},
            },
        }}},
        "responses": {
            "200": {"content": {"application/json": {"schema": {
                "type": "object", "required": ["AuthenticationResult", "ChallengeParameters"],
            }}}},
            "400": {"content": {_COGNITO: {"schema": {
                "type": "object", "required": ["__type", "message"],
            }}}},
        },
    },
}  # fmt: skip
"""What the table does not know: headers, texts, and the login, which is Cognito's."""
_LOGIN = {
    "type": "apiKey", "in": "header", "name": "Authorization",
    "description": "The IdToken of a login: `POST /` with InitiateAuth, as Cognito has it.",
}  # fmt: skip
DESCRIBED = Described(
    "Insight API", answers.Problem, ("IdToken", _LOGIN), frozenset({401, 403}),
    examples=EXAMPLES, links=LINKS, more=_MORE,
)  # fmt: skip
