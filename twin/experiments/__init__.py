"""What-if: runs of many designs on common random numbers, compared with honest intervals."""

from twin.experiments.compare import Comparison, compare
from twin.experiments.designs import Range, grid, latin_hypercube, one_at_a_time, sobol
from twin.experiments.how import Design, How
from twin.experiments.replicate import Replications, replicate
from twin.experiments.select import Choice, Selection, cheapest, select
from twin.experiments.sweep import Sweep, sweep

__all__ = [
    "Choice",
    "Comparison",
    "Design",
    "How",
    "Range",
    "Replications",
    "Selection",
    "Sweep",
    "cheapest",
    "compare",
    "grid",
    "latin_hypercube",
    "one_at_a_time",
    "replicate",
    "select",
    "sobol",
    "sweep",
]
