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

__all__ = ["Authority", "prepare"]

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
    if not host.account.prepare(gateway_id, token, now_ms(host), TOKEN_LASTS_MS):
        raise ApiError(403, "The gateway was prepared already: this can be called only once.")
    return Answer({"registration_path": "/provisioning", "token": token})


class Authority:
    """The certificate authority of one twin; its key is made when it is first needed."""

    def __init__(self) -> None:
        """Begin without a key."""
        self._issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None

    def provision(self, call: Call) -> Answer:
        """Answer certificate and MQTT endpoint for a token, once."""
        host, token = call.host, call.body.token
        if not token:
            raise ApiError(401, "No token was provided.")
        gateway = host.account.provision(token, now_ms(host))
        if gateway is None:
            raise ApiError(403, "The token is unknown, was used, or has expired.")
        return Answer({
            "mqtt_endpoint": _ENDPOINT,
            "mqtt_topic_prefix": host.account.customer_id,
            "certificate_common_name": gateway.id,
            "gateway": shown_gateway(gateway),
            "pkcs12": base64.b64encode(self._pkcs12(host, gateway.id)).decode(),
        })  # fmt: skip

    def _pkcs12(self, host: Host, common_name: str) -> bytes:
        """Return key and certificate of a gateway as PKCS #12 (RFC 7292), without a password."""
        now = datetime.fromtimestamp(now_ms(host) / 1000, UTC)
        issuer_key, issuer = self._issuer = self._issuer or _make_authority(host, now)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(common_name, key, now, _CERTIFICATE_LASTS).issuer_name(
            issuer.subject
        )
        signed = certificate.sign(issuer_key, SHA256())
        name = common_name.encode()
        return pkcs12.serialize_key_and_certificates(name, key, signed, [issuer], NoEncryption())


def _make_authority(
    host: Host, now: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Return key and certificate of an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"CA of {host.account.customer_id}"
    draft = _certificate(name, key, now, _AUTHORITY_LASTS)
    draft = draft.issuer_name(_named(name))
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return key, draft.sign(key, SHA256())


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
