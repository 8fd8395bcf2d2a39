"""Network: the settings that nodes are to have, and those that the bridge has."""

import base64
import json
from typing import Any

from twin.api.host import Host
from twin.api.http import Answer, ApiError, Call
from twin.api.snap.errors import in_short
from twin.commands import ChangeNetwork
from twin.errors import RunError
from twin.mesh.nodes import MeshNode
from twin.mesh.nodes import Network as Settings
from twin.store.things import Things

__all__ = ["NO_SETTINGS", "get_network", "put_network"]

NO_SETTINGS = "Could not get network settings"
_ENCRYPTIONS = {"none": "None", "aes-128": "AES-128", "basic": "Basic"}
_WORDS = {shown: word for word, shown in _ENCRYPTIONS.items()}


def get_network(call: Call) -> Answer:
    """Answer what was configured last, and what the bridge has; where there is no bridge, 400."""
    bridge = _bridge(call.host, NO_SETTINGS)
    actual = _shown(bridge.network)
    things: Things = call.host.things
    configured = things.setting("network")
    return Answer({"data": {
        "configured_settings": json.loads(configured) if configured else actual,
        "bridge_addr": bridge.address.lower(),
        "actual_settings": actual,
    }})  # fmt: skip


def put_network(call: Call) -> Answer:
    """Let all nodes of the bridge's network have other settings.

    The answer comes at once; nodes are told over the air as time passes, the bridge goes last, and
    who misses it is stranded. It is refused while an upgrade or another change is under way.
    """
    words = "Could not update network settings"
    host, asked = call.host, call.body
    bridge, things = _bridge(host, words), host.things
    key = base64.b64decode(asked.encryptionKey).decode("ascii")
    if asked.encryptionType != "None" and not key:
        raise ApiError(400, f"{words}: encryptionKey: {asked.encryptionType} is due a key")
    new = Settings(
        channel=asked.channel,
        network_id=int(asked.networkId, 16),
        encryption=_WORDS[asked.encryptionType],
        key=key,
        feature_bits=int(asked.featureBits, 16),
    )
    under_way = host.network.jobs.under_way(host.now_us)
    if under_way:
        raise ApiError(400, f"{words}: {under_way} is under way")
    settings = asked.model_dump()
    try:
        with host.database.transaction():
            things.put_setting("network", json.dumps(settings))
            if new != bridge.network:
                host.submit(ChangeNetwork(
                    (bridge.name,), new.channel, f"0x{new.network_id:04x}", new.feature_bits,
                    new.encryption, new.key,
                ))  # fmt: skip
    except RunError as error:
        raise ApiError(400, f"{words}: {in_short(error)}") from error
    return Answer({"apiVersion": "v1", "data": settings})


def _bridge(host: Host, words: str) -> MeshNode:
    """Return the node through which the service reaches the mesh; raises ApiError 400."""
    for node in host.network.nodes:
        if node.is_bridge:
            return node
    raise ApiError(400, words)


def _shown(settings: Settings) -> dict[str, Any]:
    """Return settings as the document shows them."""
    return {
        "networkId": f"0x{settings.network_id:04x}",
        "featureBits": f"0x{settings.feature_bits:04x}",
        "channel": settings.channel,
        "encryptionKey": base64.b64encode(settings.key.encode()).decode(),
        "encryptionType": _ENCRYPTIONS[settings.encryption],
    }
