"""Who does the runs of an experiment: this process, others beside it, or a cluster.

All of them have one interface, and none changes a result: the same tasks give the same rows in the
same order.
"""

from twin.experiments.executors.base import Executor
from twin.experiments.executors.choosing import NAMES, cpu_count, installed, make_executor
from twin.experiments.executors.serial import Serial

__all__ = ["NAMES", "Executor", "Serial", "cpu_count", "installed", "make_executor"]
