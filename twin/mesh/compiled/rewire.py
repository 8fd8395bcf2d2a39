"""Nodes of the compiled mesh move to another network: its links are laid anew."""

import numpy as np
from numpy.typing import NDArray

from twin.mesh.compiled.state import NOTHING, SENDS, Mesh, lay_links
from twin.mesh.plan import MeshPlan


def rewire(mesh: Mesh, plan: MeshPlan, nodes: NDArray[np.int64]) -> Mesh:
    """Return the mesh with the links of another plan of the same nodes; no length is known yet.

    Parameters
    ----------
    mesh
        As it is now; its receivers change in place.
    plan
        What it is from now on.
    nodes
        The plan's numbers of those that moved. What they have on the air goes on in the new
        network, and disturbs there; nobody follows it.
    """
    ears, moved = mesh.ears, np.zeros(plan.nodes, bool)
    moved[mesh.places[nodes]] = True
    senders = np.flatnonzero(ears["deaf"] & SENDS).tolist()
    followed = _let_go(mesh, moved)
    for n in senders:
        if moved[n]:
            over = mesh.over[mesh.first_link[n] : mesh.first_link[n + 1]]
            ears["power_fw"][over["end"]] -= over["power_fw"]
    laid = lay_links(plan, mesh.mouths["number"], mesh.places)
    ears["power_fw"][moved] = 0.0
    for n in senders:
        over = laid.over[laid.first_link[n] : laid.first_link[n + 1]]
        over = over[moved[over["end"]] | moved[n]]
        ears["power_fw"][over["end"]] += over["power_fw"]
    for receiver, n in followed:
        ends = laid.over["end"][laid.first_link[n] : laid.first_link[n + 1]]
        ears["link"][receiver] = laid.first_link[n] + np.flatnonzero(ends == receiver)[0]
    return mesh._replace(
        links=laid.links,
        over=laid.over,
        first_link=laid.first_link,
        below=np.zeros((0, len(laid.links)), np.int32),
        length_of=np.full_like(mesh.length_of, NOTHING),
        followed=np.zeros(plan.most_links + 1, np.int64),
    )


def _let_go(mesh: Mesh, moved: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Let receivers lose the frames of who moved, and who moved those of others.

    Returns
    -------
    who goes on following whom
    """
    ears, kept = mesh.ears, []
    for receiver in np.flatnonzero(ears["link"] != NOTHING).tolist():
        n = int(np.searchsorted(mesh.first_link, ears["link"][receiver], side="right")) - 1
        if moved[n] or moved[receiver]:
            ears["link"][receiver] = NOTHING
            mesh.mouths["lost_link"][n] += 1
        else:
            kept.append((receiver, n))
    return kept
