"""What-if: runs of many designs on common random numbers, compared with honest intervals."""

from twin.experiments.comparing import Comparison, compare
from twin.experiments.designs import Range, grid, latin_hypercube, one_at_a_time, sobol
from twin.experiments.how import Design, How
from twin.experiments.replicating import Replications, replicate
from twin.experiments.selecting import Choice, Selection, cheapest, select
from twin.experiments.sweeping import Sweep, sweep

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
