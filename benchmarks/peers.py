"""The plain pipeline as users of other tools would write it: SimPy and Cimba.

Closed loop: think, send over the link, wait for the one server of the gateway, be served, again.
The same laws as ``pipeline.toml``; random numbers are each tool's own, so counts agree to a
percent, not to the scan. Each runs in a process of its own: Cimba compiles with numba too, and does
not find its own types where numba has already been used.
"""

import math
import random  # noqa: TID251 - the peer's own chance
import sys
import time

import cimba as cb
import simpy
from cimba import inputs

GATEWAYS, WORKERS_EACH = 100, 20
THINK_MEDIAN_S, THINK_SIGMA = 18.0, 0.5
LINK_S, SERVICE_S = 0.1, (0.05, 0.15)


class Gateway(cb.Model):
    """One server and the workers in front of it."""

    think: cb.Input[float] = inputs.dist.lognormal(mean=math.log(THINK_MEDIAN_S), sigma=THINK_SIGMA)
    link: cb.Input[float] = inputs.dist.uniform(low=0.0, high=LINK_S)
    service: cb.Input[float] = inputs.dist.uniform(low=SERVICE_S[0], high=SERVICE_S[1])
    server: cb.Resource = cb.Resource(capacity=1)
    done: cb.Array[int] = cb.Array(1)
    scans: cb.Output[int]

    @cb.process(copies=WORKERS_EACH)
    def worker(self) -> None:
        """Scan again and again."""
        while True:
            cb.hold(self.think.next())
            cb.hold(self.link.next())
            self.server.acquire(1)
            cb.hold(self.service.next())
            self.server.release(1)
            self.done[0] += 1

    @cb.on_end
    def count(self) -> None:
        """Report the scans."""
        self.scans = self.done[0]


class Site(cb.Model):
    """A hundred gateways."""

    gateways: list[Gateway]

    def __init__(self) -> None:
        self.gateways = [Gateway() for _ in range(GATEWAYS)]


def cimba_experiment(duration_s: float) -> tuple[Site, cb.Experiment]:
    """Return the model and its experiment, ready to run once on one core."""
    site = Site()
    return site, cb.Experiment(site, replications=1, window=cb.Window(duration=duration_s), seed=7)


def cimba_run(duration_s: float) -> int:
    """Run in Cimba; return the scans."""
    site, experiment = cimba_experiment(duration_s)
    results = experiment.run(workers=1)
    return int(sum(results[gateway].scans.values.sum() for gateway in site.gateways))


def simpy_run(duration_s: float) -> int:
    """Run in SimPy, one process a worker and one Resource a gateway; return the scans."""
    env, chance, done = simpy.Environment(), random.Random(7), [0]
    mu = math.log(THINK_MEDIAN_S)

    def worker(server: simpy.Resource) -> simpy.events.ProcessGenerator:
        while True:
            yield env.timeout(chance.lognormvariate(mu, THINK_SIGMA))
            yield env.timeout(chance.uniform(0.0, LINK_S))
            with server.request() as turn:
                yield turn
                yield env.timeout(chance.uniform(*SERVICE_S))
            done[0] += 1

    for _ in range(GATEWAYS):
        server = simpy.Resource(env)
        for _ in range(WORKERS_EACH):
            env.process(worker(server))
    env.run(until=duration_s)
    return done[0]


def main(name: str, duration_s: float) -> None:
    """Print how many scans a peer made and how long it took [s], itself warmed up."""
    work = {"cimba": cimba_run, "simpy": simpy_run}[name]
    work(60.0)
    before = time.perf_counter()
    scans = work(duration_s)
    print(scans, time.perf_counter() - before)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
