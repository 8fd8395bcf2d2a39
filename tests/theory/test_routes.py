"""Routes: how one is found, what that costs, how long it lives, what is lost where it is gone.

All of it is exact, to the microsecond: links are perfect, and where moments count nobody waits a
random time. Numbers: SNAP Reference Manual 2.4, p. 99 and 100 (NV20 to NV28); how a failure on the
way becomes known: SNAP User Manual 2.5, p. 39.
"""

from collections.abc import Sequence
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from tests.theory import intervals, meshes
from tests.theory.meshes import ENGINES, Cut, Offer, S
from twin.events import Cause, MeshKind, MessageKind
from twin.mesh.plan import MeshPlan

FARTHEST = 6
UNICAST_AIR_US = (6 + meshes.UNICAST_OVERHEAD_BYTES + meshes.PAYLOAD_BYTES) * 32
ACK_WAIT_US = 864  # macAckWaitDuration, IEEE 802.15.4-2006, 7.4.2
IDLE_US, MOST_US, LEAST_US = 5 * S, 60 * S, S
WAITS_US = (S // 2, S, 2 * S)
NO_JITTER = {"jitter": 0}


def line(hops: int, hosts: Sequence[int] = (), **mac: float) -> MeshPlan:
    return meshes.plan(
        meshes.both_ways([*pairwise(range(hops + 1))]), hops + 1, 1, None, hosts, **mac
    )


def star(spokes: int, entries: int) -> MeshPlan:
    """Nobody waits a random time; each node knows so many routes at most."""
    links = meshes.both_ways([(0, n + 1) for n in range(spokes)])
    return meshes.plan(links, spokes + 1, 1, {"entries": entries}, **NO_JITTER)


def unicasts(mesh: MeshPlan, moments_us: Sequence[int], engine: str = "compiled") -> meshes.Run:
    """What comes of unicasts from the first node to the last."""
    return meshes.run(
        mesh, [Offer(now, [0], targets=[mesh.nodes - 1]) for now in moments_us], engine
    )


def requests(run: meshes.Run, subject: int | None = None) -> list[int]:
    """When somebody asked for a route, or for that to one node [us]."""
    found = run.messages[run.about(MessageKind.ROUTE_REQUEST)]
    return found["made_us"][(found["subject"] == subject) | (subject is None)].tolist()


def arrived(run: meshes.Run) -> list[int]:
    """For each unicast whether it came to its target."""
    return run.messages["processed"][run.about(MessageKind.UNICAST)].tolist()


def dropped(run: meshes.Run) -> list[tuple[int, Cause]]:
    """Who gave a unicast up, and why."""
    rows = run.rows_about(MeshKind.DROPPED, MessageKind.UNICAST)
    return [(int(row["node"]), Cause(row["cause"])) for row in rows]


# --- who is asked -------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_several_unicasts_to_one_node_ask_for_it_once(engine: str) -> None:
    five = [Offer(0, [0] * 5, targets=[3] * 5)]
    found = meshes.run(line(3, **NO_JITTER), five, engine)
    assert len(requests(found, subject=3)) == 2  # one hop, then all
    assert arrived(found) == [1] * 5
    nobody = meshes.run(meshes.plan(meshes.both_ways([(0, 1)]), 3, 1, None, ()),
                        [Offer(0, [0] * 5, targets=[2] * 5)], engine)  # fmt: skip
    assert len(requests(nobody, subject=2)) == 3
    assert dropped(nobody) == [(0, Cause.NO_ROUTE)] * 5


@pytest.mark.parametrize("is_host", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_who_is_out_of_reach_is_given_up_after_three_and_a_half_seconds(
    engine: str, is_host: bool
) -> None:
    sources, rounds = 100, 20
    alone = meshes.plan(meshes.both_ways([]), sources + 1, 7, None, range(is_host * sources))
    offers = [Offer(n * 10 * S, range(sources), targets=[sources] * sources) for n in range(rounds)]
    run = meshes.run(alone, offers, engine)
    found = run.messages[run.about(MessageKind.ROUTE_REQUEST)]
    found = found[np.lexsort((found["made_us"], found["source"]))].reshape(sources, rounds, 3)
    assert (found["ttl"] == [1 + is_host, 5, 5]).all()  # NV27 and NV28
    drops = run.of(MeshKind.DROPPED)
    assert (drops["cause"] == Cause.NO_ROUTE).all()
    drops_us = drops["time_us"][np.lexsort((drops["time_us"], drops["node"]))]
    waits_us = np.diff(found["made_us"], axis=2, append=drops_us.reshape(sources, rounds, 1))
    assert (waits_us == WAITS_US).all()  # NV25 and NV26: 3.5 s together
    # Before it asks it waits as for any message: 0 to 15 slots, each as often.
    slots, rest = np.divmod(found["made_us"][:, :, 0] - 10 * S * np.arange(rounds), 320)
    assert (rest == 0).all()
    counts = np.bincount(slots.ravel(), minlength=16)
    assert intervals.fits(counts, np.full(16, sources * rounds / 16))
    assert counts.min() > 0


@pytest.mark.parametrize("most_hops", [5, 6])
@pytest.mark.parametrize("is_host", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_ring_is_widened_once(engine: str, is_host: bool, most_hops: int) -> None:
    first = 1 + is_host
    for hops in range(1, FARTHEST + 1):
        mesh = line(FARTHEST, [0] * is_host)
        mesh.routing[0]["most_hops"] = most_hops
        run = meshes.run(mesh, [Offer(0, [0], targets=[hops])], engine)
        is_found = hops <= most_hops
        assert arrived(run) == [is_found]
        assert len(requests(run)) == (1 if hops <= first else 2 if is_found else 3)
        assert dropped(run) == ([] if is_found else [(0, Cause.NO_ROUTE)])


# --- what it costs ------------------------------------------------------------------------


@pytest.mark.parametrize("is_host", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_on_a_line_the_way_there_costs_as_much_as_the_way_back(engine: str, is_host: bool) -> None:
    first = 1 + is_host
    for hops in range(1, 6):
        run = meshes.run(line(FARTHEST, [0] * is_host), [Offer(0, [0], targets=[hops])], engine)
        asked = run.messages["sent"][run.about(MessageKind.ROUTE_REQUEST)].tolist()
        assert asked == ([hops] if hops <= first else [first, hops])
        for kind in (MessageKind.ROUTE_REPLY, MessageKind.UNICAST):
            assert run.messages["sent"][run.about(kind)].tolist() == [hops]
            assert len(run.rows_about(MeshKind.ACKED, kind)) == hops
        assert run.use["sent"].sum() == sum(asked) + 2 * hops
        assert run.use["acks"].sum() == run.use["acks_heard"].sum() == 2 * hops
        assert run.use["lost_collision"].sum() == run.use["lost_sending"].sum() == 0


@pytest.mark.parametrize("is_host", [False, True])
@pytest.mark.parametrize("target", [7, 25, 127])  # 3 hops away, 4, not at all
def test_each_node_within_the_ring_sends_a_request_once(target: int, is_host: bool) -> None:
    # Nobody on a tree is disturbed while it waits for a request: only its children could, and
    # they have it later. The target does not send it on: those behind it do not hear it.
    tree = nx.balanced_tree(2, 6)
    mesh = meshes.plan(meshes.both_ways([*tree.edges]), 128, 3, None, [0] * is_host)
    run = meshes.run(mesh, [Offer(0, [0], targets=[target])])
    depths = nx.single_source_shortest_path_length(tree, 0)
    behind = nx.descendants(nx.bfs_tree(tree, 0), target) if target in tree else set[int]()
    counts = []
    for hops in [1 + is_host, *([5] if target in tree else [5, 5])]:
        sent = sum(d < hops for n, d in depths.items() if n != target and n not in behind)
        heard = sum(0 < d <= hops for n, d in depths.items() if n not in behind)
        counts.append((sent, heard))
    found = run.messages[run.about(MessageKind.ROUTE_REQUEST)]
    assert [(int(m["sent"]), int(m["heard"])) for m in found] == counts
    assert counts[-1][0] == {7: 28, 25: 30, 127: 31}[target]
    assert arrived(run) == [target in tree]


# --- how long it lives --------------------------------------------------------------------


@pytest.mark.parametrize("hops", [1, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_route_that_is_not_used_lives_five_seconds(engine: str, hops: int) -> None:
    mesh = line(hops, **NO_JITTER)
    once = unicasts(mesh, [0], engine)
    used_us = int(once.rows_about(MeshKind.SENT, MessageKind.UNICAST)["time_us"][0])
    asked = len(requests(once))
    for late_us, again in ((-1, 0), (0, asked)):
        run = unicasts(mesh, [0, used_us + IDLE_US + late_us], engine)
        assert len(requests(run)) == asked + again
        assert arrived(run) == [1, 1]


def kept_alive(hops: int, after_us: int, engine: str, then: Sequence[int] = ()) -> meshes.Run:
    """Unicasts every 4 s, one so long after the first route was found, and more so long after."""
    mesh = line(hops, **NO_JITTER)
    once = unicasts(mesh, [0], engine)
    replies = once.rows_about(MeshKind.HEARD, MessageKind.ROUTE_REPLY)
    made_us = int(replies["time_us"][replies["node"] == 0][0])
    last_us = made_us + after_us
    moments_us = [*range(0, min(last_us, made_us + MOST_US), 4 * S), last_us]
    return unicasts(mesh, [*moments_us, *(last_us + late_us for late_us in then)], engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_use_renews_a_route_but_none_is_older_than_a_minute(engine: str) -> None:
    for late_us, asked in ((-1, 1), (0, 2)):
        run = kept_alive(1, MOST_US + late_us, engine)
        assert len(requests(run)) == asked
        assert set(arrived(run)) == {1}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_relay_that_forgot_tells_the_source_which_asks_the_next_time(engine: str) -> None:
    # The relay learned its route before the source did, when the answer passed: it forgets it
    # before. What it is given then is lost, and for the source it was acknowledged.
    run = kept_alive(2, MOST_US - 1, engine, then=[S, 2 * S])
    assert arrived(run)[-4:] == [1, 0, 1, 1]
    assert dropped(run) == [(1, Cause.NO_ROUTE)]
    lost = run.about(MessageKind.UNICAST)[-3]
    sent, acked = (run.of(kind) for kind in (MeshKind.SENT, MeshKind.ACKED))
    assert sent["node"][sent["message"] == lost].tolist() == [0]
    assert acked["peer"][acked["message"] == lost].tolist() == [0]
    (error,) = run.messages[run.about(MessageKind.ROUTE_ERROR)]
    assert (error["source"], error["target"], error["subject"], error["processed"]) == (1, 0, 2, 1)
    asked_us = [now for now in requests(run) if now > MOST_US]
    assert len(asked_us) == 2  # within one hop, within five
    assert asked_us[0] == run.messages["made_us"][run.about(MessageKind.UNICAST)[-2]]


@pytest.mark.parametrize("engine", ENGINES)
def test_after_the_error_the_source_has_no_route_any_more(engine: str) -> None:
    # The relay was off for a moment: it forgot, while the source's route would be good for long.
    offers = [Offer(now, [0], targets=[2]) for now in (0, 3 * S, 4 * S)]
    cuts = [Cut(2 * S, [1]), Cut(2 * S + 1, [1], is_on=True)]
    run = meshes.run(line(2, **NO_JITTER), [offers[0], *cuts, *offers[1:]], engine)
    assert arrived(run) == [1, 0, 1]
    assert dropped(run) == [(1, Cause.NO_ROUTE)]
    assert [now for now in requests(run) if now > 2 * S] == [4 * S, 4 * S + S // 2]


@pytest.mark.parametrize("hops", [1, 2, 4])
@pytest.mark.parametrize("engine", ENGINES)
def test_who_does_not_answer_is_tried_eight_times(engine: str, hops: int) -> None:
    mesh = line(hops, **NO_JITTER)
    moments_us = [0, 3 * S, 4 * S]
    offers = [Offer(now, [0], targets=[hops]) for now in moments_us]
    run = meshes.run(mesh, [offers[0], Cut(2 * S, [hops]), *offers[1:]], engine)
    assert arrived(run) == [1, 0, 0]
    # First its neighbour gives up: nobody told the source, unless that is the neighbour.
    assert dropped(run) == [(hops - 1, Cause.NO_ACK), (0, Cause.NO_ROUTE)]
    lost = run.about(MessageKind.UNICAST)[1]
    sent = run.of(MeshKind.SENT)
    tried = sent[(sent["message"] == lost) & (sent["node"] == hops - 1)]
    assert tried["attempt"].tolist() == [*range(8)]  # NV19
    apart_us = UNICAST_AIR_US + ACK_WAIT_US
    assert (np.diff(tried["time_us"]) == apart_us).all()
    gave_up_us = run.of(MeshKind.DROPPED)["time_us"][0]
    assert gave_up_us == tried["time_us"][-1] + apart_us
    # Then the source knows: it asks, in vain.
    assert [now for now in requests(run) if now > 2 * S] == [4 * S, 4 * S + S // 2, 5 * S + S // 2]
    assert len(run.about(MessageKind.ROUTE_ERROR)) == (hops > 1)


# --- how many there are -------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_the_route_that_would_expire_first_makes_room(engine: str) -> None:
    for before, stays, goes in (([1, 2], 2, 1), ([1, 2, 1], 1, 2)):
        moments_us = [n * S + S // 10 for n in range(len(before))]
        offers = [
            Offer(now, [0], targets=[target])
            for now, target in zip(
                [*moments_us, 4 * S, 4 * S + S // 10, 4 * S + S // 5],
                [*before, 3, stays, goes], strict=True,
            )
        ]  # fmt: skip
        run = meshes.run(star(3, entries=2), offers, engine)
        assert set(arrived(run)) == {1}
        assert len(requests(run, stays)) == len(requests(run, 3)) == 1
        assert requests(run, goes)[1:] == [4 * S + S // 5]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_route_makes_no_room_in_its_first_second(engine: str) -> None:
    # Both answers take as long: who asks a second later is answered a second later (NV21). Until
    # then there is no room for what the answer says, and the node asks again.
    for second_us, asked in (
        (LEAST_US // 2 - 1, 3), (LEAST_US // 2, 2), (LEAST_US - 1, 2), (LEAST_US, 1),
    ):  # fmt: skip
        offers = [Offer(0, [0], targets=[1]), Offer(second_us, [0], targets=[2])]
        run = meshes.run(star(2, entries=1), offers, engine)
        assert arrived(run) == [1, 1]
        assert len(requests(run, 2)) == asked
