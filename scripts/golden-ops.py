"""Writes tests/golden/ops.jsonl: calls of the functions in src/ops and what NumPy and PyTorch say they give, one a line.

    python3 scripts/golden-ops.py   # NumPy 1.24, PyTorch 1.13

{"f": function, "name": what is special, "args": [...], "want": ...}; tensors are {"s": shape, "t": dtype, "v": values}, and "throws"
stands in place of "want" for calls that must not work. With "smooth" the derivative is the same on all sides of the arguments, so
that differences may be compared with it.
"""

import itertools
import json
import math

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

with open("tests/golden/ops.jsonl", "w") as out:
    out.write("\n".join(lines) + "\n")
print(len(lines), "cases")
