"""What a mesh engine is built from: nodes and links as numbers, without a name in them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RADIO = np.dtype(
    [
        ("path_loss_exponent", "f8"),
        ("reference_loss_db", "f8"),
        ("shadowing_db", "f8"),
        ("fading_db", "f8"),
        ("node_offset_db", "f8"),
        ("direction_db", "f8"),
        ("wall_loss_db", "f8"),
        ("cliff_dbm", "f8"),
        ("cliff_width_db", "f8"),
        ("residual_loss", "f8"),
    ]
)
"""The numbers of the radio."""

MAC = np.dtype(
    [
        ("seed", "i8"),
        ("jitter", "i8"),
        ("carrier_sense", "i8"),
        ("collision_detect", "i8"),
        ("slot_us", "i8"),
        ("send_jitter_us", "i8"),
        ("forward_delay_us", "i8"),
        ("forward_jitter_us", "i8"),
        ("busy_fw", "f8"),
        ("busy_tries", "i8"),
        ("turnaround_us", "i8"),
        ("resends", "i8"),
        ("capture_window_us", "i8"),
        ("reference_bytes", "i8"),
        ("overhead_bytes", "i8"),  # header and what the radio adds
        ("delay_factor_us", "i8"),
        ("capture_ratio", "f8"),
    ]
)
"""The numbers of the medium access: one record, durations in whole microseconds."""

LINK = np.dtype(
    [
        ("level_dbm", "f8"),
        ("reception", "f8"),  # as measured, -1 where the law gives it
        ("interference", "f8"),  # share at -88 dBm
        ("state", "i8"),  # address state of the link on its channel
        ("power_fw", "f8"),
        ("end", "i4"),
        ("quality", "i2"),  # what the receiver's meter shows [-dBm]
        ("hears", "u1"),  # 0: other network, key or checksum; then it only disturbs
    ]
)
"""One directed link between nodes on one channel."""

MESSAGE = np.dtype(
    [
        ("state", "i8"),
        ("made_us", "i8"),
        ("reply_window_us", "i8"),
        ("last_us", "i8"),  # when a node processed it last
        ("source", "i4"),
        ("number", "i4"),  # how-many-eth of its source
        ("asked", "i4"),  # the message that it answers, -1 for none
        ("groups", "i4"),
        ("ttl", "i4"),
        ("frame_bytes", "i4"),
        ("reply_bytes", "i4"),
        ("delay_factor", "i4"),
        ("first_to", "i4"),  # whom it is for: a stretch of the list of addressees
        ("end_to", "i4"),
        ("sent", "i4"),  # transmissions
        ("heard", "i4"),  # nodes that have it, its source not counted
        ("processed", "i4"),
        ("dropped", "i4"),
    ]
)
"""One multicast, and what became of it so far."""

WISH = np.dtype(
    [
        ("source", "i4"),
        ("groups", "i4"),
        ("ttl", "i4"),
        ("payload_bytes", "i4"),
        ("reply_bytes", "i4"),
        ("delay_factor", "i4"),
        ("first_to", "i4"),
        ("end_to", "i4"),
        ("reply_window_us", "i8"),
    ]
)
"""What the host behind a bridge, or a node, multicasts now."""

USE = np.dtype(
    [
        ("sent", "i8"),  # frames
        ("air_us", "i8"),
        ("heard", "i8"),  # messages received for the first time
        ("foreign", "i8"),  # received, but of another network or key
        ("dropped", "i8"),
        ("duplicates", "i8"),  # copies of what the receiver knew, of the frames that it sent
        ("lost_link", "i8"),  # receptions of its frames that noise or interference took
        ("lost_collision", "i8"),  # receptions that were lost where its frames met others
        ("lost_sending", "i8"),  # receptions that were lost because the receiver sent
    ]
)
"""What a node's radio did so far, and what became of its frames at the receivers in reach."""


class MeshPlan(NamedTuple):
    """Everything an engine needs to know before the first message is offered.

    Parameters
    ----------
    mac, radio
        Arrays of one ``MAC`` and one ``RADIO`` record.
    words
        Address words of the nodes, shape (nodes,).
    process_groups, forward_groups
        Masks of the nodes, shape (nodes,).
    is_bridge
        Whether a host is behind the node, shape (nodes,).
    links, first_link
        Array of ``LINK`` records in the order of their receivers; those of sender n are the rows
        first_link[n] to first_link[n + 1].
    buffers, remembered
        How many frames wait at a node at most, how many messages it knows again [1].
    """

    mac: NDArray[np.void]
    radio: NDArray[np.void]
    words: NDArray[np.int64]
    process_groups: NDArray[np.int32]
    forward_groups: NDArray[np.int32]
    is_bridge: NDArray[np.bool_]
    links: NDArray[np.void]
    first_link: NDArray[np.int64]
    buffers: int
    remembered: int

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.words)

    @property
    def most_links(self) -> int:
        """The most receivers that any sender has."""
        return int(np.diff(self.first_link).max(initial=0))
