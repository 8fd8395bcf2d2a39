"""The one source of chance: numbers addressed by what they decide, never by "the next one".

``draw(seed, stream, a, b, c)`` hashes the address of a decision. The same address gives the same
number in any order, engine or process, compiled or not, on any machine.
"""

from twin.draws.addressing import draw, entity_word, fold, inner_unit, root, unit
from twin.draws.exact import cos2pi, exp, log, to_us
from twin.draws.gauss import normal_quantile
from twin.draws.laws import (
    LAW,
    law_record,
    normal,
    points_record,
    sample,
    sample_count,
    sample_us,
)

__all__ = [
    "LAW",
    "cos2pi",
    "draw",
    "entity_word",
    "exp",
    "fold",
    "inner_unit",
    "law_record",
    "log",
    "normal",
    "normal_quantile",
    "points_record",
    "root",
    "sample",
    "sample_count",
    "sample_us",
    "to_us",
    "unit",
]
