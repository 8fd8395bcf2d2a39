"""Generate Download URL Calls: signed addresses that hold for a while, and what is there."""

import hmac
from hashlib import sha256
from urllib.parse import urlencode

from twin.api.host import Host, now_ms
from twin.api.http import Answer, ApiError, Call
from twin.api.insight.login import token_key
from twin.scenario import Asset

__all__ = ["download", "generate_url"]

URL_LASTS_MS = 15 * 60 * 1000
_HERE = "https://insight.twin"  # where a request says no other host


def generate_url(call: Call) -> Answer:
    """Answer an address at which an asset can be had; asking for it is agreeing to its licence."""
    host, asked = call.host, call.body
    found = [one for one in host.scenario.cloud.assets if one.asset_type == asked.asset_type]
    if asked.asset_version is not None:
        found = [one for one in found if one.version == asked.asset_version]
    if not found:
        raise ApiError(404, "Asset not found")
    asset = max(found, key=_version)
    named = f"{asset.asset_type} {asset.version}"
    host.account.agree(asked.agreed_by, asked.eula_version, named)
    path = f"/downloads/{asset.asset_type}/{asset.version}"
    expires_ms = now_ms(host) + URL_LASTS_MS
    query = urlencode({"expires": expires_ms, "signature": _signature(host, path, expires_ms)})
    sent_to = call.request.headers.get("host", "")
    base = f"{call.request.scheme}://{sent_to}" if sent_to else _HERE
    return Answer({"download_url": f"{base}{path}?{query}"})


def download(call: Call) -> Answer:
    """Answer an asset; 403 for an address that is expired or was changed, as S3 does."""
    host, signed = call.host, call.query
    expected = _signature(host, call.request.path, signed.expires)
    if not hmac.compare_digest(signed.signature.encode(), expected.encode()):
        raise ApiError(403, "The signature does not match.")
    if now_ms(host) >= signed.expires:
        raise ApiError(403, "Request has expired.")
    for asset in host.scenario.cloud.assets:
        if (asset.asset_type, asset.version) == tuple(call.params.values()):
            return Answer(asset.text.encode())
    raise ApiError(404, "Asset not found")


def _version(asset: Asset) -> tuple[int, ...]:
    """Return a version in the order of versions: 1.10.0 comes after 1.9.2."""
    return tuple(int(part) for part in asset.version.split("."))


def _signature(host: Host, path: str, expires_ms: int) -> str:
    """Return what only this twin can sign an address with."""
    return hmac.new(token_key(host), f"{path}?{expires_ms}".encode(), sha256).hexdigest()
