"""A gateway's certificate: prepared once by an admin, fetched once by the gateway."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.x509.oid import NameOID

from twin.api.host import Host, now_ms
from twin.api.http import Answer, ApiError, Call
from twin.api.insight.gateways import shown_gateway
from twin.api.insight.login import token_key
from twin.commands import InstallGateway

__all__ = ["prepare", "provision"]

TOKEN_LASTS_MS = 15 * 60 * 1000
_CERTIFICATE_LASTS = timedelta(days=365)
_AUTHORITY_LASTS = timedelta(days=3650)
_ENDPOINT = "mqtt.insight.twin:8883"


def prepare(call: Call) -> Answer:
    """Answer the path and the short-lived token with which a gateway gets its certificate.

    The document lists both 403 and 404 for a gateway that does not exist: it is 404, and 403 is
    the second call.
    """
    host, gateway_id = call.host, call.params["gateway_id"]
    if host.account.gateway(gateway_id) is None:
        raise ApiError(404, "Gateway not found.")
    digest = hmac.new(token_key(host), f"provisioning {gateway_id}".encode(), sha256).digest()
    token = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if not host.account.prepare(gateway_id, token, TOKEN_LASTS_MS):
        raise ApiError(403, "The gateway was prepared already: this can be called only once.")
    return Answer({"registration_path": "/provisioning", "token": token})


def provision(call: Call) -> Answer:
    """Answer certificate and MQTT endpoint for a token, once, and take the gateway into service.

    A gateway that stands on the floor already only gets its certificate.
    """
    host, token = call.host, call.body.token
    if not token:
        raise ApiError(401, "No token was provided.")
    with host.database.transaction():
        gateway = host.account.provision(token)
        if gateway is None:
            raise ApiError(403, "The token is unknown, was used, or has expired.")
        if all(known.id != gateway.id for known in host.roster.gateways):
            facts = gateway.id, gateway.name, gateway.station, gateway.usecase
            host.submit(InstallGateway(*facts))
        return Answer({
            "mqtt_endpoint": _ENDPOINT,
            "mqtt_topic_prefix": host.account.customer_id,
            "certificate_common_name": gateway.id,
            "gateway": shown_gateway(gateway),
            "pkcs12": base64.b64encode(_signed(host, gateway.id)).decode(),
        })  # fmt: skip


def _signed(host: Host, common_name: str) -> bytes:
    """Return key and certificate of a gateway as PKCS #12 (RFC 7292), without a password."""
    now = datetime.fromtimestamp(now_ms(host) / 1000, UTC)
    authority = host.account.secret("authority", lambda: _make_authority(host, now))
    issuer_key, issuer, _ = pkcs12.load_key_and_certificates(authority, None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey), "so it was made"
    assert issuer is not None, "so it was made"
    key = ec.generate_private_key(ec.SECP256R1())
    draft = _certificate(common_name, key, now, _CERTIFICATE_LASTS).issuer_name(issuer.subject)
    signed, name = draft.sign(issuer_key, SHA256()), common_name.encode()
    return pkcs12.serialize_key_and_certificates(name, key, signed, [issuer], NoEncryption())


def _make_authority(host: Host, now: datetime) -> bytes:
    """Return key and certificate of the twin's authority, in the same form."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"CA of {host.account.customer_id}"
    draft = _certificate(name, key, now, _AUTHORITY_LASTS).issuer_name(_named(name))
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    signed = draft.sign(key, SHA256())
    return pkcs12.serialize_key_and_certificates(b"authority", key, signed, None, NoEncryption())


def _certificate(
    common_name: str, key: ec.EllipticCurvePrivateKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    """Return a certificate that nobody has signed yet."""
    return (
        x509.CertificateBuilder()
        .subject_name(_named(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + lasts)
    )


def _named(common_name: str) -> x509.Name:
    """Return a name that consists of a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
