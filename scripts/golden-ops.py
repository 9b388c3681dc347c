"""Writes tests/golden/ops.jsonl: calls of the functions in src/ops, of activations and losses, and what NumPy and PyTorch give, one a line.

    python3 scripts/golden-ops.py   # NumPy 1.24, PyTorch 1.13, mpmath

{"f": function, "name": what is special, "args": [...], "want": ...}; tensors are {"s": shape, "t": dtype, "v": values}, and "throws"
stands in place of "want" for calls that must not work. With "smooth" the derivative is the same on all sides of the arguments, so
that differences may be compared with it.
"""

import itertools
import json
import math

import mpmath
import numpy as np
import torch

np.seterr(all="ignore")
NAN, INF = float("nan"), float("inf")
lines = []
count = itertools.count()


def plain(x):
    if isinstance(x, np.ndarray) or isinstance(x, np.generic):
        x = np.asarray(x)
        t = {"float64": "f64", "float32": "f32", "bool": "bool"}.get(str(x.dtype), "i32")
        digits = 9 if t == "f32" else 16
        short = (float(f"{v:.{digits}g}") for v in x.ravel().tolist()) if t[0] == "f" else x.ravel().tolist()
        return {"s": list(x.shape), "t": t, "v": [plain(v) for v in short]}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, bool):
        return int(x)
    if isinstance(x, float):
        if math.isnan(x):
            return "NaN"
        if math.isinf(x):
            return "Infinity" if x > 0 else "-Infinity"
        if x == 0 and math.copysign(1, x) < 0:
            return "-0"
        return int(x) if x == int(x) and abs(x) < 2**53 else x
    return x


def case(f, name, args, want=None, smooth=False, throws=None):
    line = {"f": f, "name": name, "args": plain(args)}
    if throws:
        line["throws"] = throws
    else:
        line["want"] = plain(want)
    if smooth and not throws:
        line["smooth"] = 1
    lines.append(json.dumps(line, separators=(",", ":")))


def numbers(*shape, low=-2.0, high=2.0, dtype="f8"):
    """Distinct numbers of two or three digits, in an order of no kind."""
    n = int(np.prod(shape))
    rng = np.random.RandomState(next(count))
    values = low + (high - low) * (rng.permutation(n) + 0.3 + 0.4 * rng.rand(n)) / max(n, 1)
    return np.asarray(np.round(values, 3).reshape(shape), dtype)


def whole(*shape, low=-5, high=5):
    return np.asarray(np.random.RandomState(next(count)).randint(low, high, shape), "i4")


def flags(*shape):
    return np.asarray(np.random.RandomState(next(count)).randint(0, 2, shape), bool)


def through_torch(f):
    return lambda *xs: np.asarray(f(*[torch.tensor(np.asarray(x)) for x in xs]))


# functions of one number

AWKWARD = np.array([0.0, -0.0, 1, -1, INF, -INF, NAN, 0.5, -2.5])
FAR = np.array([1e-300, -1e-300, 5e-324, 1e300, -1e300, 30, -30, 1e-9, 3.7e5])
sigmoid = through_torch(torch.sigmoid)
UNARY = {
    # name: (meaning, lowest and highest argument with a derivative, meaning for integers if they are allowed)
    "neg": (np.negative, -2, 2, np.negative),
    "abs": (np.abs, -2, 2, np.abs),
    "sign": (np.sign, -2, 2, np.sign),
    "square": (np.square, -2, 2, np.square),
    "floor": (np.floor, -2, 2, None),
    "ceil": (np.ceil, -2, 2, None),
    "round": (np.round, -2, 2, None),
    "trunc": (np.trunc, -2, 2, None),
    "exp": (np.exp, -2, 2, None),
    "expm1": (np.expm1, -2, 2, None),
    "exp2": (np.exp2, -2, 2, None),
    "log": (np.log, 0.3, 3, None),
    "log1p": (np.log1p, -0.7, 3, None),
    "log2": (np.log2, 0.3, 3, None),
    "log10": (np.log10, 0.3, 3, None),
    "sqrt": (np.sqrt, 0.3, 3, None),
    "cbrt": (np.cbrt, 0.4, 3, None),
    "reciprocal": (np.reciprocal, 0.4, 2, None),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 0.4, 2, None),
    "sin": (np.sin, -2, 2, None),
    "cos": (np.cos, -2, 2, None),
    "tan": (np.tan, -1.2, 1.2, None),
    "asin": (np.arcsin, -0.8, 0.8, None),
    "acos": (np.arccos, -0.8, 0.8, None),
    "atan": (np.arctan, -2, 2, None),
    "sinh": (np.sinh, -2, 2, None),
    "cosh": (np.cosh, -2, 2, None),
    "tanh": (np.tanh, -2, 2, None),
    "asinh": (np.arcsinh, -2, 2, None),
    "acosh": (np.arccosh, 1.4, 4, None),
    "atanh": (np.arctanh, -0.8, 0.8, None),
    "erf": (through_torch(torch.erf), -2, 2, None),
    "erfc": (through_torch(torch.erfc), -2, 2, None),
    "erfinv": (through_torch(torch.erfinv), -0.8, 0.8, None),
    "sigmoid": (sigmoid, -2, 2, None),
    "logSigmoid": (lambda x: -np.logaddexp(0, -x), -2, 2, None),
    "softplus": (lambda x: np.logaddexp(0, x), -2, 2, None),
    "nanToNum": (np.nan_to_num, -2, 2, lambda x: x),
    "isNaN": (np.isnan, -2, 2, np.isnan),
    "isFinite": (np.isfinite, -2, 2, np.isfinite),
    "isInf": (np.isinf, -2, 2, np.isinf),
}
for f, (g, low, high, ints) in UNARY.items():
    smooth = not f.startswith("is")
    for shape in [(), (1,), (3,), (0,), (2, 0, 3), (2, 3), (1, 4), (2, 1, 2)]:
        x = numbers(*shape, low=low, high=high)
        case(f, f"shape {list(shape)}", [x], np.asarray(g(x)), smooth=smooth)
    x = numbers(4, low=low, high=high, dtype="f4")
    case(f, "f32", [x], np.asarray(g(x.astype("f8"))).astype("f4" if smooth else bool))
    case(f, "awkward numbers", [AWKWARD], g(AWKWARD))
    if f not in ("sin", "cos", "tan", "rsqrt", "erfinv"):
        case(f, "far out", [FAR], g(FAR))
    else:
        case(f, "near", [FAR[7:8]], g(FAR[7:8]))
    x = whole(5)
    case(f, "i32", [x], **({"throws": "DtypeError"} if ints is None else {"want": np.asarray(ints(x))}))
    if f not in ("nanToNum", "isNaN", "isFinite", "isInf"):
        case(f, "bool", [flags(3)], throws="DtypeError")

# functions of two numbers

BINARY = {
    "add": (np.add, -2, 2, np.add),
    "sub": (np.subtract, -2, 2, np.subtract),
    "mul": (np.multiply, -2, 2, np.multiply),
    "div": (np.divide, 0.4, 2, None),
    "pow": (np.power, 0.4, 2, None),
    "maximum": (np.maximum, -2, 2, np.maximum),
    "minimum": (np.minimum, -2, 2, np.minimum),
    "atan2": (np.arctan2, 0.4, 2, None),
    "hypot": (np.hypot, 0.4, 2, None),
    "remainder": (np.mod, 0.4, 2, np.mod),
    "logaddexp": (np.logaddexp, -2, 2, None),
    "xlogy": (lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)), 0.4, 2, None),
    "less": (np.less, -2, 2, np.less),
    "equal": (np.equal, -2, 2, np.equal),
}
PAIRS = np.array(list(itertools.product([0.0, -0.0, 1.5, -1.5, INF, -INF, NAN], repeat=2)))
for f, (g, low, high, ints) in BINARY.items():
    smooth = f not in ("less", "equal")
    for a, b in [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0,), (0,)), ((2, 0), (1,)), ((2, 1, 2), (3, 1)), ((1,), (2, 2))]:
        both = numbers(int(np.prod(a) + np.prod(b)), low=low, high=high)  # no two are equal
        x, y = both[: int(np.prod(a))].reshape(a), both[int(np.prod(a)) :].reshape(b)
        case(f, f"{list(a)} and {list(b)}", [x, y], np.asarray(g(x, y)), smooth=smooth)
    x = numbers(2, 2, low=low, high=high)
    case(f, "a number on the right", [x, 0.625], g(x, 0.625), smooth=smooth)
    case(f, "a number on the left", [0.625, x], g(0.625, x), smooth=smooth)
    x, y = numbers(4, low=low, high=high, dtype="f4"), numbers(4, low=low, high=high, dtype="f4")
    case(f, "f32", [x, y], g(x.astype("f8"), y.astype("f8")).astype("f4" if smooth else bool))
    if f != "pow":  # JavaScript's and C's differ in what NaN and 1 give; src/ir/formulas.test.ts has them
        case(f, "awkward numbers", [PAIRS[:, 0].copy(), PAIRS[:, 1].copy()], g(PAIRS[:, 0], PAIRS[:, 1]))
    else:
        x = np.abs(numbers(3))
        case(f, "whole exponents", [x, np.array([2.0, 3, 0])], np.power(x, [2.0, 3, 0]))
    x, y = whole(6), np.array([3, -3, 2, -2, 5, 1], "i4")
    case(f, "i32", [x, y], **({"throws": "DtypeError"} if ints is None else {"want": np.asarray(ints(x, y))}))
    case(f, "f64 and f32", [numbers(2), numbers(2, dtype="f4")], throws="DtypeError")
    case(f, "shapes that do not align", [numbers(2), numbers(3)], throws="ShapeError")

# reductions


def axis_of(o):
    a = o.get("axis")
    return tuple(a) if isinstance(a, list) else a


def numpy_style(g):
    return lambda x, o: np.asarray(g(x, axis=axis_of(o), keepdims=o.get("keepdims", False)))


def norm(x, o):
    p, axis, keep = o.get("ord", 2), axis_of(o), o.get("keepdims", False)
    a = np.abs(x)
    if p == INF:
        return np.max(a, axis=axis, keepdims=keep)
    return np.asarray(np.sum(a**p, axis=axis, keepdims=keep) ** (1 / p))


def logsumexp(x, o):
    t = torch.tensor(x)
    axes = axis_of(o)
    axes = tuple(range(x.ndim)) if axes is None else axes
    return x if axes == () else np.asarray(torch.logsumexp(t, axes, o.get("keepdims", False)))


def spread(g):
    return lambda x, o: np.asarray(g(x, axis=axis_of(o), keepdims=o.get("keepdims", False), ddof=o.get("ddof", 0)))


def quantile(q):
    return lambda x, o: np.asarray(np.quantile(x, q(o), axis=axis_of(o), keepdims=o.get("keepdims", False)))


AXES = [((5,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3), {"axis": 1}), ((2, 3), {"axis": -1, "keepdims": True}),
        ((2, 3, 2), {"axis": [0, 2]}), ((2, 3, 2), {"axis": 1}), ((1,), {}), ((), {}), ((7, 1), {"axis": 1}), ((3, 1, 2), {"keepdims": True})]  # fmt: skip
REDUCE = {
    # name: (meaning, further options, whether nothing, integers and bool may be reduced, whether there is a derivative)
    "sum": (numpy_style(np.sum), [{}], True, True, False, True),
    "mean": (numpy_style(np.mean), [{}], False, False, False, True),
    "prod": (numpy_style(np.prod), [{}], True, True, False, True),
    "max": (numpy_style(np.max), [{}], False, True, False, True),
    "min": (numpy_style(np.min), [{}], False, True, False, True),
    "variance": (spread(np.var), [{}, {"ddof": 1}], False, False, False, True),
    "std": (spread(np.std), [{}, {"ddof": 1}], False, False, False, True),
    "norm": (norm, [{}, {"ord": 1}, {"ord": INF}, {"ord": 3}], None, False, False, True),
    "logsumexp": (logsumexp, [{}], False, False, False, True),
    "median": (quantile(lambda o: 0.5), [{}], False, False, False, True),
    "countNonzero": (lambda x, o: np.asarray(np.count_nonzero(x, axis=axis_of(o), keepdims=o.get("keepdims", False))), [{}], True, True, True, False),
    "any": (numpy_style(np.any), [{}], True, True, True, False),
    "all": (numpy_style(np.all), [{}], True, True, True, False),
}  # fmt: skip
for f, (g, extras, empty, ints, bools, smooth) in REDUCE.items():
    for extra in extras:
        for shape, options in AXES:
            if extra and (len(shape) == 2 and shape != (2, 3) or shape == (3, 1, 2)):
                continue
            x, o = numbers(*shape), {**options, **extra}
            alone = x.size == 1 or shape == (7, 1) and o.get("axis") == 1
            fine = smooth and not (alone and f in ("variance", "std"))
            case(f, f"{list(shape)} {json.dumps(o)}", [x, o], g(x, o), smooth=fine)
    x = numbers(2, 3, dtype="f4")
    case(f, "f32", [x, {"axis": 1}], g(x.astype("f8"), {"axis": 1}).astype("f4" if smooth else "i4" if f == "countNonzero" else bool))
    x = np.array([[0.0, NAN, 1], [-0.0, INF, -INF], [0, 0, 0], [2, -1, INF]])
    if f not in ("logsumexp", "median"):
        case(f, "awkward numbers", [x, {"axis": 1}], g(x, {"axis": 1}))
    if empty is not None:
        x = np.zeros((2, 0))
        if empty:
            case(f, "of nothing", [x, {"axis": 1}], g(x, {"axis": 1}))
        elif f in ("max", "min", "logsumexp", "median"):
            case(f, "of nothing", [x, {"axis": 1}], throws="ShapeError")
    x = whole(2, 3)
    case(f, "i32", [x, {"axis": 0}], **({"want": g(x, {"axis": 0}).astype("i4") if not bools or f == "countNonzero" else g(x, {"axis": 0})} if ints else {"throws": "DtypeError"}))
    x = flags(2, 3)
    case(f, "bool", [x, {"axis": 0}], **({"want": g(x, {"axis": 0})} if bools else {"throws": "DtypeError"}))
    case(f, "no such axis", [numbers(2, 3), {"axis": 2}], throws="ShapeError")
    case(f, "an axis twice", [numbers(2, 3), {"axis": [1, -1]}], throws="ShapeError")
for value in ([-INF, -INF], [INF, 1], [NAN, 1], [-INF, 1], [1000, 1000]):
    case("logsumexp", f"of {value}", [np.array(value, "f8")], np.asarray(np.logaddexp(*value)))
for value in ([1.0, NAN, 2], [INF, INF, 1], [-INF, 3.0, 1]):
    case("median", f"of {value}", [np.array(value)], np.asarray(np.median(value)))
case("norm", "of zeros", [np.zeros(3)], np.asarray(0.0))
case("norm", "p below 1", [numbers(3), {"ord": 0.5}], throws="TypeError")
for value in ([0.0, 2, 3], [0.0, 0, 3], [0.0, 0, 0], [-1.5, 0, 4]):
    case("prod", f"of {value}", [np.array(value)], np.asarray(np.prod(value)), smooth=True)
for f, g in (("argmax", np.argmax), ("argmin", np.argmin)):
    for shape, axis in [((5,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1), ((2, 3, 2), 1), ((1,), 0), ((3, 1), 1), ((3, 1), 0)]:
        x = numbers(*shape)
        case(f, f"{list(shape)} axis {axis}", [x, {} if axis is None else {"axis": axis}], np.asarray(g(x, axis=axis)))
    x = whole(9, low=0, high=3)
    case(f, "the first of equals", [x], np.asarray(g(x)))
    case(f, "the first NaN", [np.array([1, NAN, 3, NAN])], np.asarray(1))
    case(f, "of nothing", [np.zeros((2, 0)), {"axis": 1}], throws="ShapeError")

# running sums and their like

for f, g in (("cumsum", np.cumsum), ("cumprod", np.cumprod), ("cummax", np.maximum.accumulate), ("cummin", np.minimum.accumulate)):
    for shape, axis in [((5,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1), ((2, 3, 2), 1), ((1,), 0), ((), None), ((0,), 0), ((2, 0), 0), ((9,), 0), ((3, 1), 1)]:
        x = numbers(*shape)
        y = g(x.ravel()) if axis is None else g(x, axis=axis)
        case(f, f"{list(shape)} axis {axis}", [x, {} if axis is None else {"axis": axis}], y, smooth=True)
    x = np.array([1.5, 0, -2, 0, 3]) if f == "cumprod" else np.array([1, NAN, 2])
    case(f, "zeros" if f == "cumprod" else "NaN", [x], g(x), smooth=f == "cumprod")
    x = whole(6)
    case(f, "i32", [x], g(x).astype("i4"))
    x = numbers(8, dtype="f4")
    case(f, "f32", [x], g(x.astype("f8")).astype("f4"))
    case(f, "bool", [flags(3)], throws="DtypeError")
    case(f, "no such axis", [numbers(2, 3), {"axis": 2}], throws="ShapeError")

# sorting

for shape, axis in [((5,), -1), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1), ((2, 5, 2), 1), ((1,), 0), ((0,), 0), ((2, 0), 0), ((8,), 0), ((9,), 0), ((3, 1), 1), ((17,), -1)]:
    for down in (False, True):
        x = numbers(*shape)
        o = {"axis": axis, **({"descending": True} if down else {})}
        order = np.argsort(-x if down else x, axis=axis, kind="stable")
        case("sort", f"{list(shape)} {json.dumps(o)}", [x, o], np.take_along_axis(x, order, axis), smooth=x.size < 12)
        case("argsort", f"{list(shape)} {json.dumps(o)}", [x, o], order)
    k = min(2, shape[axis])
    x = numbers(*shape)
    order = np.take(np.argsort(-x, axis=axis, kind="stable"), range(k), axis=axis)
    case("topk", f"{list(shape)} axis {axis}", [x, k, {"axis": axis}], [np.take_along_axis(x, order, axis), order], smooth=x.size < 12)
x = np.array([INF, NAN, 0.0, -0.0, -INF, NAN, 2, 0])
case("sort", "awkward numbers", [x], np.sort(x, kind="stable"))
case("argsort", "awkward numbers", [x], np.argsort(x, kind="stable"))
case("argsort", "downwards, NaN last", [x, {"descending": True}], np.argsort(-x, kind="stable"))
for x in (whole(13, low=0, high=4), flags(7), np.array([2**31 - 1, -(2**31), 0, 2**31 - 1], "i4"), numbers(6, dtype="f4")):
    case("argsort", f"{x.dtype}, stable", [x], np.argsort(x, kind="stable"))
    case("sort", f"{x.dtype}", [x], np.sort(x, kind="stable"))
    case("argsort", f"{x.dtype}, downwards", [x, {"descending": True}], np.argsort(-x.astype("f8"), kind="stable"))
case("topk", "more than there are", [numbers(3), 4], throws="ShapeError")
case("sort", "no such axis", [numbers(3), {"axis": 1}], throws="ShapeError")
case("sort", "a scalar", [numbers()], throws="ShapeError")
for side in ("left", "right"):
    for n in (1, 2, 3, 7, 8, 9):
        a = np.sort(whole(n, low=0, high=9).astype("f8"))
        v = np.array([[-1, 0, 3], [4.5, 9, 20]])
        case("searchsorted", f"{n} {side}", [a, v, {"side": side}], np.searchsorted(a, v, side=side))
    case("searchsorted", f"in nothing, {side}", [np.zeros(0), numbers(2), {"side": side}], np.zeros(2, "i4"))
    a = np.array([-INF, 1, INF, NAN])
    case("searchsorted", f"awkward numbers, {side}", [a, np.array([NAN, INF, -INF, 1]), {"side": side}], np.searchsorted(a, [NAN, INF, -INF, 1], side=side))
    v = whole(4)
    case("searchsorted", f"i32, {side}", [np.array([1, 2, 2, 5], "i4"), v, {"side": side}], np.searchsorted([1, 2, 2, 5], v, side=side))
case("searchsorted", "not a vector", [numbers(2, 2), numbers(2)], throws="ShapeError")
for shape, o in AXES:
    x = numbers(*shape)
    for q in (0.3, [0, 0.5, 0.9]):
        if isinstance(q, list) and o.get("axis") == 1:
            continue
        case("quantile", f"{q} {list(shape)} {json.dumps(o)}", [x, q, o], quantile(lambda o: q)(x, o), smooth=True)
case("quantile", "NaN", [np.array([1, NAN, 3]), 0.1], np.asarray(NAN))
case("quantile", "q beyond 1", [numbers(3), 1.5], throws="TypeError")
case("quantile", "of nothing", [np.zeros(0), 0.5], throws="ShapeError")
case("quantile", "i32", [whole(3), 0.5], throws="DtypeError")

# cutting, turning, repeating

for shape, parts, axis in [((6,), 3, 0), ((6,), 1, 0), ((6,), 6, 0), ((2, 4), 2, 1), ((2, 4), 2, -1), ((2, 4), 2, 0), ((5,), [2], 0), ((5,), [2, 3], 0), ((5,), [-1], 0), ((5,), [0, 5], 0), ((5,), [3, 2], 0), ((0,), 2, 0), ((2, 3), [1], 1), ((5,), [9], 0)]:
    x = numbers(*shape)
    case("split", f"{list(shape)} {parts} axis {axis}", [x, parts, {"axis": axis}], np.split(x, parts, axis), smooth=True)
case("split", "unequal parts", [numbers(5), 2], throws="ShapeError")
for shape, axis in [((5,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1), ((2, 3, 2), [0, 2]), ((1,), 0), ((), None), ((0,), 0), ((2, 0), None), ((4, 1, 3), 0), ((19,), 0)]:
    x = numbers(*shape)
    case("flip", f"{list(shape)} axis {axis}", [x, {} if axis is None else {"axis": axis}], np.flip(x, tuple(axis) if isinstance(axis, list) else axis), smooth=True)
case("flip", "bool", [np.array([True, False, False])], np.array([False, False, True]))
case("flip", "no such axis", [numbers(3), {"axis": 1}], throws="ShapeError")
for shape, shift, axis in [((5,), 2, None), ((5,), -1, 0), ((5,), 0, 0), ((5,), 12, 0), ((2, 3), 1, None), ((2, 3), 1, 0), ((2, 3), -1, 1), ((2, 3), [1, 2], [0, 1]), ((2, 3), 1, [0, 1]), ((0,), 3, 0), ((), 1, None), ((2, 3, 2), 1, -2)]:
    x = numbers(*shape)
    case("roll", f"{list(shape)} by {shift} axis {axis}", [x, shift, {} if axis is None else {"axis": axis}], np.roll(x, shift, tuple(axis) if isinstance(axis, list) else axis), smooth=True)
case("roll", "shifts without axes", [numbers(2, 3), [1, 2], {"axis": [0]}], throws="TypeError")
for shape, reps in [((3,), 2), ((3,), [2, 2]), ((2, 3), 2), ((2, 3), [2, 1]), ((2, 3), [1, 2, 1]), ((), 3), ((), [2, 2]), ((1,), 0), ((0,), 2), ((2, 1), [1, 3]), ((2, 2, 1), [2, 1]), ((3,), 1)]:
    x = numbers(*shape)
    case("tile", f"{list(shape)} by {reps}", [x, reps], np.tile(x, reps), smooth=True)
case("tile", "a negative number", [numbers(2), -1], throws="TypeError")
for shape, reps, axis in [((3,), 2, None), ((2, 2), 2, None), ((2, 2), 2, 0), ((2, 2), 3, 1), ((2, 2), 1, -1), ((3,), [0, 2, 1], 0), ((2, 3), [1, 0, 2], 1), ((2, 3), [2, 1], 0), ((), 3, None), ((0,), 2, 0), ((3,), 0, 0), ((3,), [0, 0, 0], 0)]:
    x = numbers(*shape)
    case("repeat", f"{list(shape)} by {reps} axis {axis}", [x, reps, {} if axis is None else {"axis": axis}], np.repeat(x, reps, axis), smooth=True)
case("repeat", "too few numbers", [numbers(3), [1, 2], {"axis": 0}], throws="ShapeError")
case("repeat", "no whole number", [numbers(3), 1.5], throws="TypeError")

# diagonals

for shape, o in [((3, 3), {}), ((2, 4), {}), ((4, 2), {}), ((3, 3), {"offset": 1}), ((3, 3), {"offset": -2}), ((2, 4), {"offset": 2}), ((2, 4), {"offset": 9}), ((2, 3, 3), {"axis1": 1, "axis2": 2}), ((2, 3, 4), {"axis1": -1, "axis2": 0, "offset": 1}), ((2, 3, 4), {}), ((0, 3), {}), ((1, 1), {})]:
    x = numbers(*shape)
    case("diagonal", f"{list(shape)} {json.dumps(o)}", [x, o], np.diagonal(x, **o), smooth=True)
    case("trace", f"{list(shape)} {json.dumps(o)}", [x, o], np.asarray(np.trace(x, **o)), smooth=True)
for shape, k in [((3,), 0), ((3,), 1), ((3,), -2), ((1,), 0), ((0,), 0), ((0,), 2), ((3, 3), 0), ((3, 3), 1), ((2, 3), -1), ((3, 2), 0), ((2, 2), 5), ((1,), 3)]:
    x = numbers(*shape)
    case("diag", f"{list(shape)} {k}", [x, {"offset": k}], np.diag(x, k), smooth=True)
for shape, k in [((3, 3), 0), ((3, 3), 1), ((3, 3), -1), ((2, 4), 0), ((4, 2), 0), ((2, 3, 3), 0), ((2, 3, 3), -5), ((2, 3), 9), ((0, 3), 0), ((1, 1), 0), ((2, 2, 1, 2), 0), ((3, 1), -1)]:
    x = numbers(*shape)
    case("tril", f"{list(shape)} {k}", [x, {"offset": k}], np.tril(x, k), smooth=True)
    case("triu", f"{list(shape)} {k}", [x, {"offset": k}], np.triu(x, k), smooth=True)
case("tril", "bool", [np.ones((2, 2), bool)], np.tril(np.ones((2, 2), bool)))
case("triu", "a vector", [numbers(3)], throws="ShapeError")
case("diag", "too many axes", [numbers(2, 2, 2)], throws="ShapeError")
case("diag", "offset 0.5", [numbers(3), {"offset": 0.5}], throws="TypeError")
case("diagonal", "one axis", [numbers(2, 2), {"axis1": 1, "axis2": -1}], throws="ShapeError")

# new tensors

for n in (0, 1, 5):
    case("arange", f"{n}", [n], np.arange(n))
for a in [(1, 5), (0, 1, 0.25), (5, 0, -2), (1, 0, -0.25), (3, 3), (5, 1), (0, 1, 0.1), (-2, 2, 1.5), (2.5, 5)]:
    y = np.arange(*a)
    case("arange", f"{list(a)}", list(a), y.astype("i4" if y.dtype.kind == "i" else "f4"))
case("arange", "f64", [0, 1, 0.1, {"dtype": "f64"}], np.arange(10) * 0.1)
case("arange", "no step", [0, 1, 0], throws="TypeError")
case("arange", "less than nothing", [-1], throws="TypeError")
for a in [(0, 1, 5), (0, 1, 1), (0, 1, 0), (2, -2, 3), (0, 1, 11), (3, 3, 4), (-1, 1, 2), (0.1, 0.7, 7), (0, 1e-30, 3), (5, 0, 6), (0, 255, 256), (1, 2, 10)]:
    if a[2] < 20:
        case("linspace", f"{list(a)}", [*a, {"dtype": "f64"}], np.linspace(*a))
        case("linspace", f"{list(a)} f32", list(a), np.linspace(*a).astype("f4"))
case("linspace", "half a number", [0, 1, 1.5], throws="TypeError")
for sizes, o in itertools.product([(2,), (2, 3), (3, 1), (0, 2), (2, 3, 2), (1, 2, 3, 1)], ({}, {"indexing": "ij"})):
    xs = [numbers(n) for n in sizes]
    case("meshgrid", f"{sizes} {json.dumps(o)}", [xs, o], np.meshgrid(*xs, **o), smooth=True)
case("meshgrid", "a matrix", [[numbers(2, 2)]], throws="ShapeError")

# products

for spec, *shapes in [
    ("ij,jk->ik", (2, 3), (3, 2)), ("ij,jk", (2, 3), (3, 2)), ("ij->ji", (2, 3)), ("ji", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (2, 2, 3)),
    ("iji->ij", (2, 3, 2)), ("iii->", (2, 2, 2)), ("ij->", (2, 3)), ("ij->i", (2, 3)), ("i,i", (3,), (3,)), ("i,j", (2,), (3,)), ("i,j->ji", (2,), (3,)), ("ij,j->i", (2, 3), (3,)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), ("bij,bij->b", (2, 2, 3), (2, 2, 3)), ("bhqd,bhkd->bhqk", (1, 2, 2, 3), (1, 2, 2, 3)), ("ij,ij,ij->ij", (2, 2), (2, 2), (2, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 3)), ("i,ij,j->", (2,), (2, 3), (3,)), ("i,i,i,i->", (2,), (2,), (2,), (2,)), ("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
    ("...ij,...jk", (2, 1, 2, 3), (3, 3, 2)), ("...ii->...i", (2, 3, 3)), ("...,...", (2, 3), (3,)), ("i...->...", (2, 3)), ("i...,j...->ij...", (2, 3), (4, 3)), ("...->...", (2, 3)),
    ("ij,ji->", (2, 3), (3, 2)), (",", (), ()), (",i->i", (), (3,)), ("ab,cd->", (2, 2), (1, 3)), ("ij,jk->ik", (2, 0), (0, 3)), ("ij,jk->ik", (0, 2), (2, 3)), ("i,i->i", (1,), (3,)),
    ("ij,kj->ik", (2, 3), (1, 1)), (" i j , j -> i ", (2, 3), (3,)), ("zb,ba->za", (2, 3), (3, 2)), ("aB,Bc", (2, 3), (3, 2)),
]:  # fmt: skip
    xs = [numbers(*s) for s in shapes]
    case("einsum", f"{spec} {shapes}", [spec, *xs], np.asarray(np.einsum(spec, *xs)), smooth=True)
xs = [whole(2, 3), whole(3, 2)]
case("einsum", "i32", ["ij,jk->ik", *xs], np.einsum("ij,jk->ik", *xs))
xs = [numbers(2, 3, dtype="f4"), numbers(3, 2, dtype="f4")]
case("einsum", "f32", ["ij,jk->ik", *xs], np.einsum("ij,jk->ik", *[x.astype("f8") for x in xs]).astype("f4"))
for spec, xs, error in [
    ("ij,jk->ik", [numbers(2, 3), numbers(2, 3)], "ShapeError"), ("ij", [numbers(3)], "ShapeError"), ("i", [numbers(2, 3)], "ShapeError"), ("i,j", [numbers(3)], "TypeError"),
    ("i->k", [numbers(3)], "TypeError"), ("i->ii", [numbers(3)], "TypeError"), ("i1->i", [numbers(3)], "TypeError"), ("i->i->i", [numbers(3)], "TypeError"),
    ("...i->i", [numbers(2, 3)], "TypeError"), ("i->", [flags(3)], "DtypeError"), ("i,i", [numbers(3), numbers(3, dtype="f4")], "DtypeError"),
]:  # fmt: skip
    case("einsum", f"{spec} must not work", [spec, *xs], throws=error)
for a, b, axes in [((2, 3), (3, 2), 1), ((2, 3), (2, 3), 2), ((2,), (3,), 0), ((2, 3), (2, 3), [[0], [0]]), ((2, 3), (3, 2), [[0, 1], [1, 0]]), ((2, 3, 2), (2, 3), [[1], [1]]), ((2, 3), (4, 3), [[-1], [-1]]), ((3,), (3,), 1), ((2, 2, 2), (2, 2, 2), 2), ((0, 2), (2, 3), 1), ((2, 0), (0, 2), 1), ((), (2,), 0)]:
    x, y = numbers(*a), numbers(*b)
    case("tensordot", f"{list(a)} {list(b)} {axes}", [x, y, axes], np.asarray(np.tensordot(x, y, axes)), smooth=True)
case("tensordot", "unequal lengths", [numbers(2, 3), numbers(2, 3), 1], throws="ShapeError")
case("tensordot", "more axes than there are", [numbers(3), numbers(3), 2], throws="ShapeError")
for a, b in [((2,), (3,)), ((), ()), ((1,), (2,)), ((0,), (2,)), ((2, 2), (2,)), ((2,), (2, 2)), ((2, 2), (2, 2)), ((3, 1), (1, 2)), ((1, 1), (2, 3)), ((2, 1, 2), (2,)), ((2, 0), (2, 2)), ((3,), ())]:
    x, y = numbers(*a), numbers(*b)
    case("outer", f"{list(a)} {list(b)}", [x, y], np.outer(x, y), smooth=True)
    case("kron", f"{list(a)} {list(b)}", [x, y], np.kron(x, y) if x.size and y.size else np.zeros([m * n for m, n in zip((1,) * (max(x.ndim, y.ndim) - x.ndim) + a, (1,) * (max(x.ndim, y.ndim) - y.ndim) + b)]), smooth=True)

# places


def places(low, high, *shape):
    return whole(*shape, low=low, high=high)


for shape, at, axis in [((5,), (3,), 0), ((5,), (0,), 0), ((2, 3), (2, 2), 1), ((2, 3), (2, 2), -1), ((2, 3), (4, 3), 0), ((2, 3), (1, 2), 1), ((1, 3), (2, 2), 1), ((2, 3, 2), (2, 1, 2), 1), ((2, 3, 2), (2, 3, 5), 2), ((4, 1), (2, 1), 0), ((0, 3), (0, 2), 1), ((3, 3), (3, 3), 0)]:
    x, i = numbers(*shape), places(-shape[axis], shape[axis], *at)
    full = [max(m, n) if d != axis % len(shape) else 0 for d, (m, n) in enumerate(zip(shape, at))]
    xs = np.broadcast_to(x, [n or shape[d] if d == axis % len(shape) else full[d] for d, n in enumerate(full)])
    at = np.broadcast_to(i, [i.shape[d] if d == axis % len(shape) else full[d] for d in range(len(shape))])
    case("takeAlongAxis", f"{list(shape)} {list(i.shape)} axis {axis}", [x, i, {"axis": axis}], np.take_along_axis(xs, at, axis), smooth=True)
case("takeAlongAxis", "outside", [np.array([1.0, 2]), np.array([0, 2, -3, -1], "i4")], np.array([1, NAN, NAN, 2]))
case("takeAlongAxis", "outside, i32", [np.array([1, 2], "i4"), np.array([0, 2, -3, -1], "i4")], np.array([1, 0, 0, 2]))
case("takeAlongAxis", "places that are no i32", [numbers(3), numbers(2)], throws="TypeError")
case("takeAlongAxis", "too few axes", [numbers(3, 3), places(0, 2, 2)], throws="ShapeError")
for shape, at, axis in [((5,), (3,), 0), ((5,), (0,), 0), ((2, 3), (2,), 1), ((2, 3), (4,), -1), ((2, 3), (3,), 0), ((2, 3), (2, 2), 1), ((4,), (), 0), ((2, 3, 2), (3,), 1), ((4, 1), (6,), 0), ((3, 0), (2,), 0), ((3,), (2, 3), 0), ((1,), (5,), 0)]:
    n = shape[axis]
    d = axis % len(shape)
    i = places(-n - 1, n + 1, *at)
    want = list(shape[:d]) + list(at) + list(shape[d + 1 :])
    x, u = numbers(*shape), numbers(*want)
    added, put = np.moveaxis(x.copy(), d, 0), np.moveaxis(x.copy(), d, 0)
    for k in np.ndindex(*at):
        p = i[k] + n if i[k] < 0 else i[k]
        if 0 <= p < n:
            row = u[(slice(None),) * d + k]
            added[p] += row
            put[p] = row
    case("scatterAdd", f"{list(shape)} {list(at)} axis {axis}", [x, i, u, {"axis": axis}], np.moveaxis(added, 0, d), smooth=True)
    case("scatterSet", f"{list(shape)} {list(at)} axis {axis}", [x, i, u, {"axis": axis}], np.moveaxis(put, 0, d), smooth=True)
    ids = places(-1, 4, *shape[:1])
    y = np.zeros((3, *shape[1:]))
    for k in range(shape[0]):
        if 0 <= ids[k] < 3:
            y[ids[k]] += x[k]
    case("segmentSum", f"{list(shape)} {list(at)}", [x, ids, 3], y, smooth=True)
i = np.array([0, 2, 0], "i4")
case("scatterAdd", "a number", [np.zeros(3), i, 1], np.array([2.0, 0, 1]))
case("scatterAdd", "i32", [np.array([1, 1, 1], "i4"), i, np.array([1, 2, 3], "i4")], np.array([5, 1, 3]))
case("scatterAdd", "bool", [flags(3), i, flags(3)], throws="DtypeError")
case("scatterSet", "a number", [np.zeros(3), i, 1], np.array([1.0, 0, 1]))
case("scatterSet", "i32", [np.array([1, 1, 1], "i4"), i, np.array([1, 2, 3], "i4")], np.array([3, 1, 2]))
case("scatterSet", "updates of another shape", [numbers(3), i, numbers(2)], throws="ShapeError")
case("scatterAdd", "places that are no i32", [numbers(3), numbers(2), numbers(2)], throws="TypeError")
case("segmentSum", "ids of another shape", [numbers(3), places(0, 2, 2), 2], throws="ShapeError")
case("segmentSum", "i32", [np.array([1, 2, 3], "i4"), np.array([1, 1, 0], "i4"), 2], np.array([3, 3]))

# the rest of arithmetic, and functions that move elements

PAIRWISE = {"lessEqual": np.less_equal, "greater": np.greater, "greaterEqual": np.greater_equal, "notEqual": np.not_equal}
SHAPES = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0,), (0,)), ((2, 0), (1,)), ((2, 1, 2), (3, 1)), ((1,), (2, 2))]
for f, g in PAIRWISE.items():
    for a, b in SHAPES:
        x, y = whole(*a, low=0, high=3).astype("f8"), whole(*b, low=0, high=3).astype("f8")
        case(f, f"{list(a)} and {list(b)}", [x, y], np.asarray(g(x, y)))
    case(f, "awkward numbers", [PAIRS[:, 0].copy(), PAIRS[:, 1].copy()], g(PAIRS[:, 0], PAIRS[:, 1]))
    x = whole(6, low=0, high=3)
    case(f, "i32", [x, 1], g(x, 1))
    case(f, "f64 and f32", [numbers(2), numbers(2, dtype="f4")], throws="DtypeError")
    case(f, "shapes that do not align", [numbers(2), numbers(3)], throws="ShapeError")
LOGICAL = {"logicalAnd": (np.logical_and, np.bitwise_and), "logicalOr": (np.logical_or, np.bitwise_or), "logicalXor": (np.logical_xor, np.bitwise_xor)}
for f, (g, bits) in LOGICAL.items():
    for a, b in SHAPES:
        x, y = flags(*a), flags(*b)
        case(f, f"{list(a)} and {list(b)}", [x, y], np.asarray(g(x, y)))
    x, y = whole(6), whole(6)
    case(f, "i32", [x, y], bits(x, y))
    case(f, "all four", [np.array([True, True, False, False]), np.array([True, False, True, False])], g([1, 1, 0, 0], [1, 0, 1, 0]))
    case(f, "f64", [numbers(2), numbers(2)], throws="DtypeError")
    case(f, "shapes that do not align", [flags(2), flags(3)], throws="ShapeError")
for shape in [(), (1,), (3,), (0,), (2, 0, 3), (2, 3), (1, 4), (2, 1, 2), (9,)]:
    x = flags(*shape)
    case("logicalNot", f"shape {list(shape)}", [x], np.asarray(np.logical_not(x)))
x = whole(6)
case("logicalNot", "i32", [x], np.invert(x))
case("logicalNot", "f64", [numbers(2)], throws="DtypeError")
case("logicalNot", "f32", [numbers(2, dtype="f4")], throws="DtypeError")

BOUNDS = [(-0.8, 0.9), (-5, 5), (0.1, 0.2), (-9, -8), (0.5, 0.5)]
for shape in [(), (3,), (0,), (2, 3), (2, 1, 2), (2, 0, 3), (1, 4)]:
    x = numbers(*shape)
    for low, high in BOUNDS[:2] if shape == (2, 3) else BOUNDS[:1]:
        case("clip", f"shape {list(shape)} to {low}, {high}", [x, low, high], np.asarray(np.clip(x, low, high)), smooth=True)
for low, high in BOUNDS[2:]:
    x = numbers(5)
    case("clip", f"to {low}, {high}", [x, low, high], np.clip(x, low, high), smooth=True)
x, low, high = numbers(2, 3), numbers(3, low=-1.5, high=-0.5), numbers(2, 1, low=0.5, high=1.5)
case("clip", "bounds that are tensors", [x, low, high], np.clip(x, low, high), smooth=True)
case("clip", "awkward numbers", [AWKWARD, -1, 1], np.clip(AWKWARD, -1, 1))
case("clip", "crossed bounds", [numbers(3), 1, -1], np.full(3, -1.0))
x = whole(6)
case("clip", "i32", [x, -1, 2], np.clip(x, -1, 2))
case("clip", "bool", [flags(3), 0, 1], throws="DtypeError")

for a, b in SHAPES:
    c = flags(*np.broadcast_shapes(a, b)) if len(a) % 2 else flags(*a)
    x, y = numbers(*a), numbers(*b)
    case("where", f"{list(c.shape)}, {list(a)}, {list(b)}", [c, x, y], np.where(c, x, y), smooth=True)
case("where", "a number on the right", [np.array([True, False]), np.array([1.5, 2.5]), 7], np.array([1.5, 7]), smooth=True)
case("where", "a number on the left", [np.array([True, False]), 7, np.array([1.5, 2.5])], np.array([7, 2.5]), smooth=True)
case("where", "awkward numbers", [np.array([True, False, True]), np.array([NAN, INF, -0.0]), np.array([1.0, -INF, 2])], np.array([NAN, -INF, -0.0]))
c = flags(3)
case("where", "i32", [c, np.array([1, 2, 3], "i4"), 0], np.where(c, [1, 2, 3], 0).astype("i4"))
case("where", "f64 and f32", [flags(2), numbers(2), numbers(2, dtype="f4")], throws="DtypeError")
case("where", "a condition of numbers", [numbers(2), numbers(2), numbers(2)], throws="DtypeError")

for shape in [(), (1,), (3,), (0,), (2, 3), (2, 1, 2)]:
    x = numbers(*shape)
    for to in ("f64", "f32", "i32", "bool"):
        if to != "f32" or shape in ((), (3,), (2, 3)):
            case("cast", f"{list(shape)} to {to}", [x, to], np.asarray(x).astype({"f64": "f8", "f32": "f4", "i32": "i4", "bool": bool}[to]), smooth=to == "f64")
    case("stopGradient", f"shape {list(shape)}", [x], x)
case("cast", "of awkward numbers to bool", [AWKWARD, "bool"], AWKWARD.astype(bool))
c, x = flags(4), whole(4)
case("cast", "bool to f64", [c, "f64"], c.astype("f8"))
case("cast", "i32 to f32", [x, "f32"], x.astype("f4"))
case("cast", "beyond i32", [np.array([1e10, -1e10, NAN, INF]), "i32"], np.array([2**31 - 1, -(2**31), 0, 2**31 - 1], "i4"))
case("cast", "to nothing known", [numbers(2), "f8"], throws="TypeError")
for x in (AWKWARD, FAR, whole(4), flags(4), numbers(4, dtype="f4"), numbers(2, 0, 3)):
    case("stopGradient", f"{x.dtype} {x.shape} {len(x)}", [x], x)

for a, b in [((2, 3), (3, 2)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (2, 3, 1)), ((2, 2, 3), (3, 2)), ((2, 1, 1, 3), (2, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 2)), ((1, 1), (1, 1)), ((2, 3), (3, 0)), ((3, 2, 2), (2,))]:
    x, y = numbers(*a), numbers(*b)
    case("matmul", f"{list(a)} {list(b)}", [x, y], np.asarray(np.matmul(x, y)), smooth=True)
x, y = numbers(3, 4, dtype="f4"), numbers(4, 2, dtype="f4")
case("matmul", "f32", [x, y], np.matmul(x.astype("f8"), y.astype("f8")).astype("f4"))
x, y = whole(2, 3), whole(3, 2)
case("matmul", "i32", [x, y], np.matmul(x, y))
case("matmul", "awkward numbers", [np.array([[1.0, INF], [NAN, 0]]), np.array([[1.0], [2]])], np.array([[INF], [NAN]]))
case("matmul", "lengths that differ", [numbers(2, 3), numbers(2, 3)], throws="ShapeError")
case("matmul", "a scalar", [numbers(), numbers(2)], throws="ShapeError")
case("matmul", "a number", [numbers(2), 2], throws="TypeError")

MOVES = {
    "reshape": (lambda x, shape: x.reshape(shape), [((6,), (2, 3)), ((2, 3), (6,)), ((2, 3), (3, 2)), ((2, 3), (-1,)), ((2, 3), (3, -1)), ((), (1, 1)), ((1, 1), ()), ((0, 2), (2, 0)), ((0, 2), (5, 0)), ((2, 2, 2), (4, 2)), ((2, 6), (2, 2, 3)), ((3,), (3,))]),
    "ravel": (lambda x: x.ravel(), [((),), ((1,),), ((3,),), ((0,),), ((2, 3),), ((3, 2),), ((2, 0, 3),), ((1, 4),), ((2, 1, 2),), ((2, 2, 2),), ((1, 1, 1),), ((5, 1),)]),
    "transpose": (lambda x, axes=None: np.transpose(x, axes), [((2, 3),), ((2, 3), (1, 0)), ((2, 3), (0, 1)), ((2, 3, 2),), ((2, 3, 2), (1, 2, 0)), ((2, 3, 2), (-1, 0, 1)), ((3,),), ((),), ((0, 2),), ((1, 4),), ((2, 1, 2, 2), (3, 0, 2, 1)), ((2, 2),)]),
    "expandDims": (lambda x, axis: np.expand_dims(x, axis), [((), 0), ((3,), 0), ((3,), 1), ((3,), -1), ((3,), -2), ((2, 3), 1), ((2, 3), -1), ((0,), 0), ((0, 2), 2), ((2, 1), 1), ((2, 2, 2), 3), ((1,), -1)]),
    "squeeze": (lambda x, axis=None: np.squeeze(x, axis), [((1,),), ((1, 3),), ((3, 1),), ((1, 3, 1),), ((1, 3, 1), 0), ((1, 3, 1), 2), ((1, 3, 1), -1), ((),), ((0, 1), 1), ((2, 3),), ((1, 1, 1),), ((2, 1, 2), 1)]),
    "broadcastTo": (lambda x, shape: np.broadcast_to(x, shape), [((), (2,)), ((), (2, 3)), ((3,), (2, 3)), ((1,), (3,)), ((2, 1), (2, 3)), ((1, 3), (2, 3)), ((2, 3), (2, 3)), ((2, 3), (2, 2, 3)), ((1,), (0,)), ((0,), (2, 0)), ((1, 1), (2, 2)), ((2, 1, 2), (2, 3, 2))]),
    "pad": (lambda x, widths: np.pad(x, widths) if x.ndim else x, [((3,), ((1, 2),)), ((3,), ((0, 0),)), ((0,), ((1, 1),)), ((2, 3), ((1, 0), (0, 2))), ((2, 3), ((0, 0), (1, 1))), ((2, 3), ((2, 1), (1, 2))), ((2, 2, 2), ((1, 0), (0, 1), (1, 1))), ((1,), ((0, 3),)), ((2, 0), ((0, 0), (1, 0))), ((), ()), ((1, 1), ((1, 1), (1, 1))), ((4,), ((3, 0),))]),
    "at": (lambda x, i: x[i], [((3,), 0), ((3,), 2), ((3,), -1), ((3,), -3), ((2, 3), 0), ((2, 3), 1), ((2, 3), -1), ((1, 2), 0), ((2, 0), 1), ((2, 2, 2), 1), ((2, 1), 0), ((5, 1, 1), 3)]),
}  # fmt: skip
for f, (g, lines_) in MOVES.items():
    for shape, *rest in lines_:
        x = numbers(*shape)
        case(f, f"{list(shape)} {json.dumps(rest)}", [x, *rest], np.asarray(g(x, *rest)), smooth=True)
    x = whole(2, 3) if f not in ("squeeze", "at") else whole(1, 3)
    rest = {"reshape": [[3, 2]], "expandDims": [0], "broadcastTo": [[2, 2, 3]], "pad": [[[1, 1], [0, 0]]], "at": [0]}.get(f, [])
    case(f, "i32", [x, *rest], np.asarray(g(x, *rest)))
case("reshape", "too many", [numbers(3), [2]], throws="ShapeError")
case("reshape", "two open", [numbers(4), [-1, -1]], throws="ShapeError")
case("transpose", "no such axis", [numbers(2, 3), [0, 2]], throws="ShapeError")
case("expandDims", "no such place", [numbers(3), 3], throws="ShapeError")
case("squeeze", "not 1", [numbers(2, 3), 0], throws="ShapeError")
case("broadcastTo", "not 1", [numbers(2), [3]], throws="ShapeError")
case("pad", "less than nothing", [numbers(2), [[-1, 0]]], throws="ShapeError")
case("at", "outside", [numbers(2), 2], throws="ShapeError")
case("at", "of a scalar", [numbers(), 0], throws="ShapeError")

for shape, parts in [((5,), [[1, 4]]), ((5,), [[None, -1]]), ((5,), [[-2, None]]), ((5,), [2]), ((5,), [-1]), ((5,), [":"]), ((2, 3), [":", [0, 2]]), ((2, 3), [1]), ((2, 3), [1, -1]), ((2, 3), [[1]]), ((5,), [[3, 2]]), ((0, 3), [":", 1]), ((2, 3, 2), [0, ":", [1, 2]]), ((2, 3), [[-9, 9], [1, 99]])]:
    x = numbers(*shape)
    cut = tuple(slice(None) if p == ":" else p if isinstance(p, int) else slice(*(p if len(p) == 2 else [p[0], None])) for p in parts)
    case("slice", f"{list(shape)} {json.dumps(parts)}", [x, *parts], np.asarray(x[cut]), smooth=True)
case("slice", "too many parts", [numbers(3), 0, 0], throws="ShapeError")
case("slice", "outside", [numbers(3), 3], throws="ShapeError")
for shape, at, axis in [((5,), (3,), 0), ((5,), (0,), 0), ((5,), (), 0), ((2, 3), (4,), 1), ((2, 3), (2,), -1), ((2, 3), (3,), 0), ((2, 3), (2, 2), 1), ((2, 3, 2), (2,), 1), ((1, 2), (3,), 0), ((3, 1), (2, 2), 0), ((3, 0), (2,), 0), ((2, 2, 2), (1,), -1)]:
    x, i = numbers(*shape), whole(*at, low=-shape[axis], high=shape[axis])
    case("take", f"{list(shape)} {list(at)} axis {axis}", [x, i, {"axis": axis}], np.asarray(np.take(x, i, axis)), smooth=True)
case("take", "outside", [np.array([1.0, 2]), np.array([0, 2, -3], "i4")], np.array([1, NAN, NAN]))
case("take", "places that are no i32", [numbers(3), numbers(2)], throws="TypeError")
for shapes, axis in [(((2,), (3,)), 0), (((2,),), 0), (((0,), (2,)), 0), (((2, 3), (1, 3)), 0), (((2, 3), (2, 1)), 1), (((2, 3), (2, 2)), -1), (((1,), (1,), (1,)), 0), (((2, 0), (2, 1)), 1), (((1, 2, 2), (2, 2, 2)), 0), (((2, 1, 2), (2, 2, 2)), 1), (((0, 2), (0, 2)), 0), (((2, 2, 1), (2, 2, 2)), -1)]:
    xs = [numbers(*s) for s in shapes]
    case("concat", f"{shapes} axis {axis}", [xs, {"axis": axis}], np.concatenate(xs, axis), smooth=True)
for shape, n, axis in [((), 1, 0), ((), 3, 0), ((3,), 2, 0), ((3,), 2, 1), ((3,), 2, -1), ((0,), 2, 0), ((2, 3), 2, 0), ((2, 3), 2, 1), ((2, 3), 2, 2), ((2, 3), 3, -2), ((1,), 4, 0), ((2, 1), 1, 1)]:
    xs = [numbers(*shape) for _ in range(n)]
    case("stack", f"{n} of {list(shape)} axis {axis}", [xs, {"axis": axis}], np.stack(xs, axis), smooth=True)
case("concat", "of nothing", [[]], throws="TypeError")
case("concat", "lengths that differ", [[numbers(2, 2), numbers(2, 3)]], throws="ShapeError")
case("stack", "shapes that differ", [[numbers(2), numbers(3)]], throws="ShapeError")

for shape, o in [((2, 2), {}), ((3, 2), {}), ((2, 2, 3), {}), ((2, 2, 3), {"axis": [0, 1]}), ((2, 2, 3), {"axis": [0, -1]}), ((2, 3), {"keepdims": True})]:
    x = numbers(*shape)
    y = np.linalg.norm(x, "fro", axis=tuple(o.get("axis", (-2, -1))), keepdims=o.get("keepdims", False))
    case("norm", f"Frobenius, {list(shape)} {json.dumps(o)}", [x, {"ord": "fro", **o}], np.asarray(y), smooth=True)
case("norm", "Frobenius of a vector", [numbers(3), {"ord": "fro"}], throws="ShapeError")
case("norm", "Frobenius over one axis", [numbers(3, 3), {"ord": "fro", "axis": 0}], throws="ShapeError")

# activations

import torch.nn.functional as F

UNITS = [(), (1,), (4,), (0,), (2, 3), (2, 0, 3), (1, 4), (2, 1, 2)]


def activation(f, g, *rest, shapes=UNITS, awkward=AWKWARD, far=True, options=()):
    """`rest` is what stands behind the tensor; `options` are further lists of it with their meaning."""
    g = through_torch(g)
    for shape in shapes:
        x = numbers(*shape, low=-3.5, high=3.5)
        case(f, f"shape {list(shape)}", [x, *rest], g(x), smooth=True)
    for more, h in options:
        x = numbers(2, 4, low=-3.5, high=3.5)
        case(f, f"{json.dumps(more)}", [x, *more], through_torch(h)(x), smooth=True)
    x = numbers(2, 4, low=-3.5, high=3.5, dtype="f4")
    case(f, "f32", [x, *rest], g(x.astype("f8")).astype("f4"))
    if awkward is not None:
        case(f, "awkward numbers", [awkward, *rest], g(awkward))
    if far:
        x = np.array([30, -30, 1e-9, -1e-9, 200, -200.0])
        case(f, "far out", [x, *rest], g(x))
    x = numbers(2, 6, low=-20, high=20)
    case(f, "larger numbers", [x, *rest], g(x), smooth=True)


def elu(x, alpha=1.0, width=1.0):
    return torch.where(x > 0, x, alpha * torch.expm1(torch.where(x > 0, torch.zeros_like(x), x) / width))


activation("relu", F.relu)
activation("swish", F.silu)
# PyTorch's own sums cancel where these do not: gelu below -2, and what is exp(x) - 1 near 0; nn.json has its values
def with_mpmath(share):
    """x times share(x), with 40 digits."""

    def one(v):
        with mpmath.workdps(40):
            return float(v * share(mpmath.mpf(v))) if math.isfinite(v) else v * (v > 0)

    return lambda x: torch.tensor([one(v) for v in x.reshape(-1).tolist()], dtype=torch.float64).reshape(x.shape)


activation("gelu", with_mpmath(mpmath.ncdf))
by_tanh = lambda x: 1 / (1 + mpmath.exp(-mpmath.sqrt(8 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)))
activation("gelu", with_mpmath(by_tanh), {"approximate": "tanh"})
case("gelu", "another approximation", [numbers(2), {"approximate": "erf"}], throws="TypeError")
for f, g in {"relu6": F.relu6, "softsign": F.softsign, "logSigmoid": F.logsigmoid, "hardSwish": F.hardswish, "mish": F.mish, "selu": lambda x: elu(x, 1.6732632423543772) * 1.0507009873554805}.items():
    keep = {"hardSwish": AWKWARD[:4], "mish": AWKWARD[:4], "logSigmoid": AWKWARD, "softsign": AWKWARD[[0, 1, 2, 3, 6, 7, 8]], "selu": AWKWARD}.get(f, AWKWARD)
    activation(f"activations.{f}", g, awkward=keep)
activation("activations.hardSigmoid", lambda x: F.relu6(x + 3) / 6)
activation("activations.leakyRelu", F.leaky_relu, options=[([0.2], lambda x: F.leaky_relu(x, 0.2)), ([0], F.relu)])
activation("activations.elu", elu, options=[([0.5], lambda x: F.elu(x, 0.5))])
activation("activations.celu", elu, options=[([2], lambda x: F.celu(x, 2.0)), ([0.5], lambda x: F.celu(x, 0.5))])
activation("activations.hardTanh", F.hardtanh, options=[([0, 2], lambda x: F.hardtanh(x, 0.0, 2.0))])
EVEN = [(2,), (4,), (0, 2), (2, 2), (2, 0, 2), (1, 6), (3, 2), (2, 2, 2), (1, 1, 4)]
activation("activations.glu", F.glu, shapes=EVEN, awkward=None, far=False)
activation("activations.swiglu", lambda x: F.silu(x[..., : x.shape[-1] // 2]) * x[..., x.shape[-1] // 2 :], shapes=EVEN, awkward=None, far=False)
for f in ("activations.glu", "activations.swiglu"):
    g = F.glu if f.endswith("glu") and "swi" not in f else lambda x: F.silu(x[..., :2]) * x[..., 2:]
    x = np.array([[700.0, -30, 1, -1], [0.5, -0.5, -800, 800]])
    case(f, "far out", [x], through_torch(g)(x))
for f, g in (("softmax", F.softmax), ("logSoftmax", F.log_softmax)):
    for shape, axis in [((1,), -1), ((4,), -1), ((4,), 0), ((2, 3), -1), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), 1), ((2, 3, 2), -3), ((0,), 0), ((0, 3), 1), ((3, 1), 1), ((3, 1), 0)]:
        x = numbers(*shape)
        case(f, f"{list(shape)} axis {axis}", [x, {"axis": axis}], through_torch(lambda x: g(x, axis))(x), smooth=True)
    for x in (np.array([1000.0, 0, -1000]), np.array([NAN, 1]), np.array([0.0, -INF]), np.array([5e-324, 0])):
        case(f, f"of {x.tolist()}", [x], through_torch(lambda x: g(x, -1))(x))
    x = numbers(2, 5, dtype="f4")
    case(f, "f32", [x], through_torch(lambda x: g(x, -1))(x.astype("f8")).astype("f4"))
    case(f, "a scalar", [numbers()], throws="ShapeError")

# losses

REDUCTIONS = ("mean", "sum", "none")
ALIKE = [((4,), {}), ((), {}), ((1,), {}), ((2, 3), {}), ((2, 3), {"reduction": "sum"}), ((2, 3), {"reduction": "none"}), ((0,), {"reduction": "none"}), ((2, 0), {"reduction": "sum"}), ((2, 1, 2), {}), ((3, 1), {"reduction": "none"})]


def loss_of(f, g, sides, options=(), shapes=ALIKE, still=(), dtypes=True):
    """`sides` makes the tensors for a shape; g(*tensors, **options of PyTorch, reduction); `still` are those without a derivative."""
    for shape, o in shapes:
        xs = sides(shape)
        y = g(*[torch.tensor(x) for x in xs], reduction=o.get("reduction", "mean"))
        case(f"losses.{f}", f"{list(shape)} {json.dumps(o)}", [*xs, o], y.numpy(), smooth=True)
    for o, more in options:
        xs = sides((2, 3) if len(shapes[0][0]) < 2 else shapes[0][0])
        y = g(*[torch.tensor(x) for x in xs], reduction=o.get("reduction", "mean"), **more)
        case(f"losses.{f}", f"{json.dumps(plain(o))[:60]}", [*xs, o], y.numpy(), smooth=True)
    if dtypes:
        xs = [x.astype("f4") if x.dtype == "f8" else x for x in sides(shapes[0][0])]
        y = g(*[torch.tensor(x.astype("f8") if x.dtype == "f4" else x) for x in xs], reduction="mean")
        case(f"losses.{f}", "f32", [*xs, {}], y.numpy().astype("f4"))


def reduced(each):
    def f(*xs, reduction, **o):
        y = each(*xs, **o)
        return y.mean() if reduction == "mean" else y.sum() if reduction == "sum" else y

    return f


two = lambda shape: [numbers(*shape), numbers(*shape, low=2.3, high=4)]
near = lambda shape: [numbers(*shape), numbers(*shape)]
apart = lambda shape: [numbers(*shape), np.asarray(np.sign(numbers(*shape)))]
chances = lambda shape: [numbers(*shape), numbers(*shape, low=0.05, high=0.95)]
counts = lambda shape: [numbers(*shape), numbers(*shape, low=1.3, high=6)]
loss_of("squaredError", F.mse_loss, near, [({"reduction": r}, {}) for r in ("sum", "none")])
loss_of("halfSquaredError", reduced(lambda y, t: (y - t) ** 2 / 2), near, [({"reduction": r}, {}) for r in ("sum", "none")])
loss_of("absoluteError", F.l1_loss, two, [({"reduction": r}, {}) for r in ("sum", "none")])
loss_of("huber", F.huber_loss, near, [({"delta": 0.5}, {"delta": 0.5}), ({"delta": 3}, {"delta": 3.0}), ({"delta": 0.25, "reduction": "none"}, {"delta": 0.25})])
loss_of("smoothL1", F.smooth_l1_loss, near, [({"beta": 0.5}, {"beta": 0.5}), ({"beta": 3}, {"beta": 3.0}), ({"beta": 0}, {"beta": 0.0})])
loss_of("logCosh", reduced(lambda y, t: torch.log(torch.cosh(y - t))), near, [({"reduction": r}, {}) for r in ("sum", "none")])
poisson = lambda y, t, reduction, **o: F.poisson_nll_loss(y, t, reduction=reduction, **o)
loss_of("poissonNll", poisson, counts, [({"full": True}, {"full": True})])
rates = lambda shape: [numbers(*shape, low=0.3, high=3), numbers(*shape, low=1.3, high=6)]
for o, more in (({"logInput": False}, {"log_input": False}), ({"logInput": False, "eps": 0.25, "reduction": "none"}, {"log_input": False, "eps": 0.25})):
    xs = rates((2, 3))
    case("losses.poissonNll", json.dumps(o), [*xs, o], poisson(*map(torch.tensor, xs), reduction=o.get("reduction", "mean"), **more).numpy(), smooth=True)
bce = lambda y, t, reduction, pos_weight=None: F.binary_cross_entropy_with_logits(y, t, reduction=reduction, pos_weight=pos_weight)
loss_of("binaryCrossEntropy", bce, chances, [({"positiveWeight": 3}, {"pos_weight": torch.tensor(3.0)}), ({"positiveWeight": np.array([0.5, 2, 1])}, {"pos_weight": torch.tensor([0.5, 2, 1], dtype=torch.float64)})])


def binary_focal(x, t, gamma=2.0, alpha=0.25):
    p = torch.sigmoid(x)
    entropy = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    y = entropy * (p * (1 - t) + (1 - p) * t) ** gamma
    return y if alpha is None else y * (alpha * t + (1 - alpha) * (1 - t))


loss_of("binaryFocal", reduced(binary_focal), chances, [({"gamma": 1.5}, {"gamma": 1.5}), ({"alpha": None}, {"alpha": None}), ({"gamma": 0, "alpha": 0.5}, {"gamma": 0.0, "alpha": 0.5})])
loss_of("hinge", reduced(lambda y, t, margin=1: (margin - t * y).clamp(min=0)), apart, [({"margin": 0.5}, {"margin": 0.5}), ({"margin": 0, "reduction": "none"}, {"margin": 0})])
loss_of("hingeEmbedding", lambda y, t, **o: F.hinge_embedding_loss(y, t, **o), apart, [({"margin": 0.5}, {"margin": 0.5}), ({"margin": 2, "reduction": "none"}, {"margin": 2})])

ROWS = [((2, 3), {}), ((2, 3), {"reduction": "sum"}), ((2, 3), {"reduction": "none"}), ((1, 4), {}), ((3, 1), {}), ((3,), {}), ((0, 3), {"reduction": "sum"}), ((2, 2, 3), {}), ((2, 2, 3), {"reduction": "none"}), ((1, 1, 2), {})]
labels = lambda shape: [numbers(*shape), np.asarray(whole(*shape[:-1], low=0, high=shape[-1]))]


def flat_rows(f):
    """PyTorch wants one axis of examples."""

    def g(y, t, *rest, reduction, **o):
        each = f(y.reshape(-1, y.shape[-1]), t.reshape(-1).long(), reduction=reduction, **o)
        return each.reshape(t.shape) if reduction == "none" else each

    return g


def shares(shape):
    t = numbers(*shape, low=0.1, high=1)
    return [numbers(*shape), t / t.sum(-1, keepdims=True)]


def soft(y, t, reduction, **o):
    logs = F.log_softmax(y, -1)
    eps = o.get("label_smoothing", 0)
    each = -((t * (1 - eps) + eps / y.shape[-1]) * logs * o.get("weight", torch.ones(y.shape[-1], dtype=torch.float64))).sum(-1)
    return each.mean() if reduction == "mean" else each.sum() if reduction == "sum" else each


W3 = np.array([0.5, 1, 2])
T3 = torch.tensor(W3)
loss_of("crossEntropy", flat_rows(F.cross_entropy), labels, [({"labelSmoothing": 0.2}, {"label_smoothing": 0.2}), ({"classWeights": W3}, {"weight": T3}), ({"classWeights": W3, "labelSmoothing": 0.1, "reduction": "sum"}, {"weight": T3, "label_smoothing": 0.1})], ROWS)
loss_of("crossEntropy", soft, shares, [({"labelSmoothing": 0.2}, {"label_smoothing": 0.2}), ({"classWeights": W3}, {"weight": T3})], ROWS[:4])
x = labels((4, 3))
x[1][:2] = 0
case("losses.crossEntropy", "some ignored", [*x, {"ignoreIndex": 0}], F.cross_entropy(torch.tensor(x[0]), torch.tensor(x[1]).long(), ignore_index=0).numpy(), smooth=True)


def focal(y, t, reduction, gamma=2.0, weight=None):
    entropy = F.cross_entropy(y, t, reduction="none")
    each = (1 - torch.exp(-entropy)) ** gamma * entropy
    each = each if weight is None else each * weight[t]
    return each.mean() if reduction == "mean" else each.sum() if reduction == "sum" else each


ROWS_2 = [(s, o) for s, o in ROWS if s[-1] > 1]
loss_of("focal", flat_rows(focal), labels, [({"gamma": 1.5}, {"gamma": 1.5}), ({"gamma": 0}, {"gamma": 0.0}), ({"classWeights": W3, "reduction": "none"}, {"weight": T3})], ROWS_2)
loss_of("multiClassHinge", flat_rows(F.multi_margin_loss), labels, [({"power": 2}, {"p": 2}), ({"margin": 0.5, "classWeights": W3}, {"margin": 0.5, "weight": T3}), ({"margin": 3, "power": 2, "reduction": "none"}, {"margin": 3, "p": 2})], [r for r in ROWS_2 if 0 not in r[0]])
case("losses.multiClassHinge", "of nothing", [np.zeros((0, 3)), np.zeros(0, "i4"), {"reduction": "sum"}], np.asarray(0.0), smooth=True)
kl = lambda y, t, reduction, log=False: reduced(lambda y, t: F.kl_div(F.log_softmax(y, -1), t, reduction="none", log_target=log).sum(-1))(y, t, reduction=reduction)
loss_of("klDivergence", kl, shares, [({"reduction": "sum"}, {})], ROWS)
for o in ({}, {"reduction": "none"}):
    xs = [numbers(2, 3), numbers(2, 3, low=-2, high=-0.5)]
    case("losses.klDivergence", f"logarithms {json.dumps(o)}", [*xs, {"logTargets": True, **o}], kl(*map(torch.tensor, xs), reduction=o.get("reduction", "mean"), log=True).numpy(), smooth=True)
case("losses.klDivergence", "certain targets", [np.array([[1.0, 2, 3]]), np.array([[0.0, 1, 0]]), {}], kl(torch.tensor([[1.0, 2, 3]], dtype=torch.float64), torch.tensor([[0.0, 1, 0]], dtype=torch.float64), "mean").numpy())


def gaussian(y, t, v, reduction, **o):
    each = (torch.log(v.clamp(min=o.get("eps", 1e-6))) + (y - t) ** 2 / v.clamp(min=o.get("eps", 1e-6))) / 2
    return reduced(lambda y: y + (math.log(2 * math.pi) / 2 if o.get("full") else 0))(each, reduction=reduction)


three = lambda shape: [*near(shape), numbers(*shape, low=0.3, high=2)]
loss_of("gaussianNll", gaussian, three, [({"full": True}, {"full": True}), ({"full": True, "reduction": "sum"}, {"full": True})])
xs = [*near((2, 3)), numbers(2, low=0.3, high=2)]
case("losses.gaussianNll", "a variance for each row", [*xs, {}], gaussian(*map(torch.tensor, (xs[0], xs[1], xs[2][:, None])), "mean").numpy(), smooth=True)

VECTORS = [((2, 3), {}), ((2, 3), {"reduction": "sum"}), ((2, 3), {"reduction": "none"}), ((1, 4), {}), ((3, 2), {}), ((3,), {}), ((0, 3), {"reduction": "sum"}), ((2, 2, 3), {}), ((2, 2, 2), {"reduction": "none"}), ((1, 1, 2), {})]
pairs = lambda low: lambda shape: [numbers(*shape), numbers(*shape), np.where(numbers(*shape[:-1]) < 0, float(low), 1.0)]


def cosine_embedding(x, y, t, margin=0.0):
    lengths = ((x * x).sum(-1) + 1e-12) * ((y * y).sum(-1) + 1e-12)
    cos = (x * y).sum(-1) / lengths.sqrt()
    return torch.where(t < 0, (cos - margin).clamp(min=0), 1 - cos)


def contrastive(x, y, t, margin=1.0):
    d = F.pairwise_distance(x, y)
    return (t * ((x - y) ** 2).sum(-1) + (1 - t) * (margin - d).clamp(min=0) ** 2) / 2


loss_of("cosineEmbedding", reduced(cosine_embedding), pairs(-1), [({"margin": -0.9}, {"margin": -0.9}), ({"margin": 0.3, "reduction": "none"}, {"margin": 0.3})], VECTORS, dtypes=False)
loss_of("contrastive", reduced(contrastive), pairs(0), [({"margin": 9}, {"margin": 9.0}), ({"margin": 4, "reduction": "none"}, {"margin": 4.0})], VECTORS, dtypes=False)
triple = lambda shape: [numbers(*shape), numbers(*shape), numbers(*shape)]


def triplet(x, y, z, margin=1.0, swap=False):
    far = F.pairwise_distance(x, z)
    far = torch.minimum(far, F.pairwise_distance(y, z)) if swap else far
    return (F.pairwise_distance(x, y) - far + margin).clamp(min=0)


next(count)  # with these numbers no distance is at a kink
loss_of("tripletMargin", reduced(triplet), triple, [({"margin": 9}, {"margin": 9.0}), ({"swap": True, "margin": 9}, {"swap": True, "margin": 9.0}), ({"margin": 5, "reduction": "none"}, {"margin": 5.0})], VECTORS)
for shape, o in [((3,), {}), ((2, 3), {}), ((1, 3), {}), ((0, 3), {}), ((2, 1), {}), ((2, 2, 3), {}), ((5,), {}), ((4, 2), {}), ((2, 3), {"eps": 0.1}), ((2,), {}), ((1, 1), {}), ((2, 1, 3), {})]:
    xs = near(shape)
    case("losses.cosineSimilarity", f"{list(shape)} {json.dumps(o)}", [*xs, o], F.cosine_similarity(*map(torch.tensor, xs), -1).numpy(), smooth=shape[-1] > 1)
case("losses.cosineSimilarity", "of zeros", [np.zeros((2, 3)), np.ones((2, 3)), {}], np.zeros(2))


with open("tests/golden/ops.jsonl", "w") as out:
    out.write("\n".join(lines) + "\n")
print(len(lines), "cases")
