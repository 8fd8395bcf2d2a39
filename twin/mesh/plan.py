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
        ("attempts", "i8"),  # of a unicast at each hop
        ("ack_bytes", "i8"),
        ("ack_wait_us", "i8"),
        ("unicast_overhead_bytes", "i8"),  # as overhead_bytes, of a unicast
    ]
)
"""The numbers of the medium access: one record, durations in whole microseconds."""

ROUTING = np.dtype(
    [
        ("tries", "i8"),
        ("wait_us", "i8"),  # for the first answer; doubled each time
        ("first_hops", "i8"),
        ("host_first_hops", "i8"),
        ("most_hops", "i8"),
        ("idle_us", "i8"),
        ("most_us", "i8"),
        ("least_us", "i8"),
        ("request_bytes", "i8"),  # frames, overhead included
        ("reply_bytes", "i8"),
        ("error_bytes", "i8"),
        ("entries", "i8"),  # routes that a node knows at most
        ("host_entries", "i8"),
        ("worst_quality", "i8"),  # of a hop that requests come over [-dBm]
    ]
)
"""The numbers of route discovery."""

ROUTE = np.dtype([("made_us", "i8"), ("expires_us", "i8"), ("target", "i4"), ("next", "i4")])
"""What a node knows of the way to another: whom to give a frame, until when."""

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
        ("target", "i4"),  # of what goes over a route, -1 for what is flooded
        ("subject", "i4"),  # the node that is sought, or lost; -1 for none
        ("report_to", "i4"),  # whom reports of it go to
        ("kind", "u1"),
        ("answer", "u1"),
        ("awaited", "u1"),  # 1: its source's host waits for what becomes of it
        ("unless", "u1"),  # a node with one of these marks does not answer
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
"""One message, and what became of it so far."""

FACTS = np.dtype(
    [("source", "i4"), ("asked", "i4"), ("group", "i4"), ("kind", "u1"), ("answer", "u1")]
)
"""What hosts have to know of a message; ``group`` is for ``twin.mesh.sift``, -1 otherwise."""

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
        ("target", "i4"),  # -1 for a multicast
        ("answer", "u1"),
        ("awaited", "u1"),
        ("unless", "u1"),
        ("unused", "u1"),
    ]
)
"""What the host behind a bridge, or a node, says now."""


def empty_wishes(count: int) -> NDArray[np.void]:
    """Return so many multicasts of nothing, an array of ``WISH`` rows."""
    wishes = np.zeros(count, WISH)
    wishes["target"] = -1
    return wishes


USE = np.dtype(
    [
        ("sent", "i8"),  # frames, acknowledgements not counted
        ("acks", "i8"),  # acknowledgements
        ("air_us", "i8"),
        ("heard", "i8"),  # messages received for the first time
        ("foreign", "i8"),  # received, but of another network or key, or a request over a weak hop
        ("dropped", "i8"),
        ("duplicates", "i8"),  # copies of what the receiver knew, of the frames that it sent
        ("acks_heard", "i8"),  # receptions of its acknowledgements by who waited for them
        ("overheard", "i8"),  # receptions of its frames by who they were not for
        ("lost_link", "i8"),  # receptions of its frames that noise or interference took
        ("lost_collision", "i8"),  # receptions that were lost where its frames met others
        ("lost_sending", "i8"),  # receptions that were lost because the receiver sent or was off
    ]
)
"""What a node's radio did so far, and what became of its frames at the receivers in reach."""


class MeshPlan(NamedTuple):
    """Everything an engine needs to know before the first message is offered.

    Parameters
    ----------
    mac, radio, routing
        Arrays of one ``MAC``, one ``RADIO`` and one ``ROUTING`` record.
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
    routing: NDArray[np.void]
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
    def first_route(self) -> NDArray[np.int64]:
        """Where the routes of each node begin in a list of all, shape (nodes + 1,)."""
        routing = self.routing[0]
        counts = np.where(self.is_bridge, routing["host_entries"], routing["entries"])
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @property
    def most_links(self) -> int:
        """The most receivers that any sender has."""
        return int(np.diff(self.first_link).max(initial=0))
