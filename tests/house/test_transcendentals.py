"""No result rests on a processor's mathematical library: rules and engines use an exact set.

`exp`, `log`, `cos` and the like differ in the last bit between processors, and between Python,
numpy and compiled code; sums of floats in numpy depend on the width of the processor's vectors.
Where a decision or a time is made, only + - * / sqrt and `twin.draws.exact` are allowed.
"""

import ast
from pathlib import Path

import pytest

from tests.house.tree import at, parsed, python_files

ROOMS = ("twin/arrays", "twin/draws", "twin/floor", "twin/mesh")

EXACT_MATH = {
    *("ceil", "copysign", "e", "factorial", "floor", "frexp", "fsum", "gcd", "inf", "isfinite"),
    *("isinf", "isnan", "isqrt", "ldexp", "nan", "pi", "sqrt", "tau", "trunc"),
}
INEXACT_NUMPY = {
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "power", "float_power"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "asin", "acos", "atan"),
    *("atan2", "sinh", "cosh", "tanh", "hypot", "cbrt", "sinc", "pow", "geomspace", "logspace"),
    *("mean", "average", "std", "var", "dot", "vdot", "inner", "matmul", "einsum", "linalg", "fft"),
}


def findings(tree: ast.Module) -> list[ast.AST]:
    """Every use of what may differ between machines."""
    math = _names_of(tree, "math")
    numpy = _names_of(tree, "numpy")
    return [node for node in ast.walk(tree) if _inexact(node, math, numpy)]


def _names_of(tree: ast.Module, module: str) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == module
    }


def _inexact(node: ast.AST, math: set[str], numpy: set[str]) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return (name in math and attr not in EXACT_MATH) or (
                name in numpy and attr in INEXACT_NUMPY
            )
        case ast.ImportFrom(module=str(module), names=names):
            return any(_inexact_import(module, alias.name) for alias in names)
        case ast.BinOp(op=ast.Pow()):
            return not _integers(node)
        case ast.BinOp(op=ast.MatMult()) | ast.Call(func=ast.Name(id="pow")):
            return True
        case ast.keyword(arg="fastmath"):
            return True
    return False


def _inexact_import(module: str, name: str) -> bool:
    if module == "math":
        return name not in EXACT_MATH
    if module == "numpy":
        return name in INEXACT_NUMPY
    return module.partition(".")[0] in {"cmath", "scipy"}


def _integers(node: ast.BinOp) -> bool:
    """Whether a power is one of whole numbers, so `10**k`, not `10 ** (x / 10)`."""
    power = node.right
    return _is_int(node.left) and (_is_int(power) or isinstance(power, ast.Name))


def _is_int(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=str)
def test_rules_and_engines_are_exact(path: Path) -> None:
    assert not [f"{at(path, node)}: {ast.unparse(node)}" for node in findings(parsed(path))]


def test_nothing_is_compiled_with_fastmath() -> None:
    found = [
        at(path, node)
        for path in python_files("twin")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.keyword) and node.arg in {"fastmath", "parallel"}
    ]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "import math\ny = math.exp(1.0)",
        "import math as m\ny = m.log(2.0)",
        "from math import cos",
        "import numpy as np\ny = np.exp(x)",
        "import numpy\ny = numpy.power(x, 2)",
        "y = x ** 0.5",
        "y = 10 ** (x / 10)",
        "y = a @ b",
        "y = pow(x, 2.0)",
        "f = njit(fastmath=True)(g)",
    ],
)
def test_it_finds(source: str) -> None:
    assert findings(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "import math\ny = math.sqrt(2.0)",
        "y = 2**63 - 1",
        "y = 10**k",
        "y = 1 << 4",
        "y = model.exp(x)",
    ],
)
def test_it_lets_pass(source: str) -> None:
    assert not findings(ast.parse(source))
