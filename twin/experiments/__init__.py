"""What-if: runs of many designs on common random numbers, compared with honest intervals."""

from twin.experiments.comparing import Comparison, compare
from twin.experiments.completing import completions
from twin.experiments.designs import Range, grid, latin_hypercube, one_at_a_time, sobol
from twin.experiments.fitting import Fitted, fit
from twin.experiments.how import Design, How
from twin.experiments.indices import Sensitivity, sensitivity
from twin.experiments.replicating import Replications, replicate
from twin.experiments.searching import Promise, Search, search, search_cheapest
from twin.experiments.selecting import Choice, Selection, cheapest, select
from twin.experiments.sweeping import Sweep, sweep
from twin.experiments.windows import LongRun, WarmedUp, find_warm_up, long_run

__all__ = [
    "Choice",
    "Comparison",
    "Design",
    "Fitted",
    "How",
    "LongRun",
    "Promise",
    "Range",
    "Replications",
    "Search",
    "Selection",
    "Sensitivity",
    "Sweep",
    "WarmedUp",
    "cheapest",
    "compare",
    "completions",
    "find_warm_up",
    "fit",
    "grid",
    "latin_hypercube",
    "long_run",
    "one_at_a_time",
    "replicate",
    "search",
    "search_cheapest",
    "select",
    "sensitivity",
    "sobol",
    "sweep",
]
