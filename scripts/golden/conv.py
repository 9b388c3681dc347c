"""Values and gradients of PyTorch's convolutions and pooling in f64, which src/ops/convolution.ts is tested against.

    python3 scripts/golden/conv.py > tests/golden/conv.json

Needs torch; the committed file was made with the version that it names. Layouts are adjoint's: channels last, weights
[...window, channels of a group, outputs].
"""

import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def last(x):
    """[n, c, ...] as [n, ..., c]"""
    return x.movedim(1, -1)


def numbers(x):
    return {"shape": list(x.shape), "values": [float(f"{v:.12g}") for v in x.detach().reshape(-1).tolist()]}


def small(*shape):
    return (torch.randn(*shape) * 16).round() / 16


cases = []


def case(name, op, options, x, w, run):
    """The value, and the gradients of its sum weighted by small numbers."""
    leaves = [t.requires_grad_() for t in (x, w) if t is not None]
    y = run(*leaves)
    ct = small(*y.shape)
    grads = torch.autograd.grad((y * ct).sum(), leaves)
    groups = options.get("groups", 1)

    def kernel(t):
        if not op.startswith("convTranspose"):
            return t.movedim((0, 1), (-1, -2))
        by_group = t.reshape(groups, t.shape[0] // groups, *t.shape[1:])
        return by_group.movedim((1, 0, 2), (-3, -2, -1)).flatten(-2)

    out = {"name": name, "op": op, "options": options, "x": numbers(last(x)), "y": numbers(last(y)), "ct": numbers(last(ct)), "dx": numbers(last(grads[0]))}
    if w is not None:
        out |= {"w": numbers(kernel(w)), "dw": numbers(kernel(grads[1]))}
    cases.append(out)


def conv(rank, x, w, **o):
    f = {1: F.conv1d, 2: F.conv2d}[rank]
    options = {k: v for k, v in o.items()}
    case(f"conv{rank}d {options}", f"conv{rank}d", options, small(*x), small(*w), lambda x, w: f(x, w, **o))


def transposed(rank, x, w, **o):
    f = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[rank]
    options = {("outputPadding" if k == "output_padding" else k): v for k, v in o.items()}
    case(f"convTranspose{rank}d {options}", f"convTranspose{rank}d", options, small(*x), small(*w), lambda x, w: f(x, w, **o))


conv(1, (2, 3, 9), (4, 3, 3))
conv(1, (2, 3, 9), (4, 3, 3), stride=2, padding=1)
conv(1, (1, 2, 12), (3, 2, 4), dilation=2, padding=3)
conv(1, (2, 4, 7), (4, 1, 3), groups=4, padding=1)
conv(2, (2, 1, 6, 7), (3, 1, 3, 2))
conv(2, (2, 3, 7, 6), (4, 3, 3, 3), stride=2, padding=1)
conv(2, (1, 3, 8, 9), (2, 3, 2, 3), stride=(2, 3), padding=(1, 2), dilation=(2, 1))
conv(2, (1, 4, 5, 5), (6, 2, 3, 3), groups=2, padding=1)
conv(2, (2, 3, 5, 5), (6, 1, 3, 3), groups=3)
conv(2, (1, 2, 4, 4), (3, 2, 1, 1))
transposed(1, (2, 3, 4), (3, 2, 3), stride=2)
transposed(1, (1, 2, 5), (2, 2, 3), padding=1, dilation=2)
transposed(2, (1, 3, 3, 4), (3, 2, 2, 2), stride=2)
transposed(2, (2, 2, 3, 3), (2, 3, 3, 3), stride=2, padding=1, output_padding=1)
transposed(2, (1, 4, 3, 3), (4, 2, 3, 2), stride=(1, 2), groups=2)
for rank, shape in ((1, (2, 3, 9)), (2, (1, 2, 7, 6))):
    pools = {1: (F.max_pool1d, F.avg_pool1d), 2: (F.max_pool2d, F.avg_pool2d)}[rank]
    for window, o in ((2, {}), (3, {"stride": 1}), (3, {"stride": 2, "padding": 1})):
        options = {"window": window, **o}
        case(f"maxPool {rank}d {options}", "maxPool", options, small(*shape), None, lambda x: pools[0](x, window, **o))
        case(f"avgPool {rank}d {options}", "avgPool", options, small(*shape), None, lambda x: pools[1](x, window, **o))
        uncounted = {**options, "countPadding": False}
        case(f"avgPool {rank}d {uncounted}", "avgPool", uncounted, small(*shape), None, lambda x: pools[1](x, window, count_include_pad=False, **o))

# small ones, whose Jacobians and Hessians are checked element by element: tests/tables.test.ts
for o in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 2, "padding": 1}, {"padding": 2, "dilation": 2}, {"stride": 3}):
    conv(1, (1, 2, 5), (2, 2, 2), **o)
    transposed(1, (1, 2, 3), (2, 2, 2), **o)
conv(1, (2, 1, 3), (1, 1, 3))
conv(1, (1, 1, 4), (3, 1, 1))
conv(1, (1, 2, 3), (2, 1, 2), groups=2)
conv(1, (2, 2, 1), (1, 2, 1))
conv(1, (1, 1, 2), (1, 1, 2), padding=3)
transposed(1, (2, 1, 2), (1, 1, 2))
transposed(1, (1, 2, 2), (2, 1, 2), groups=2)
transposed(1, (1, 1, 3), (1, 2, 1), stride=2, output_padding=1)
transposed(1, (1, 1, 1), (1, 1, 3))
transposed(1, (1, 2, 2), (2, 1, 3), stride=2, padding=1)
for o in ({}, {"stride": 2}, {"padding": 1}, {"padding": (0, 1)}, {"stride": (1, 2), "padding": 1}, {"dilation": (2, 1), "padding": 1}):
    conv(2, (1, 1, 3, 4), (2, 1, 2, 2), **o)
    transposed(2, (1, 2, 2, 2), (2, 1, 2, 2), **o)
conv(2, (2, 1, 2, 2), (1, 1, 1, 1))
conv(2, (1, 2, 2, 3), (2, 1, 2, 1), groups=2)
conv(2, (1, 1, 3, 3), (1, 1, 3, 3), padding=1)
conv(2, (1, 2, 1, 3), (1, 2, 1, 2))
conv(2, (1, 1, 1, 1), (2, 1, 2, 2), padding=1)
conv(2, (1, 3, 2, 2), (1, 3, 2, 2))
transposed(2, (1, 1, 1, 1), (1, 1, 2, 3))
transposed(2, (1, 2, 1, 2), (2, 1, 2, 1), groups=2)
transposed(2, (1, 1, 2, 2), (1, 1, 2, 2), stride=2, output_padding=1)
transposed(2, (2, 1, 1, 2), (1, 2, 1, 1))
transposed(2, (1, 1, 2, 1), (1, 1, 3, 1), stride=(2, 1), padding=(1, 0))
transposed(2, (1, 1, 2, 3), (1, 1, 2, 2), dilation=2)
for shape, window, o in [((1, 2, 6), 2, {}), ((1, 1, 6), 3, {"stride": 1}), ((2, 1, 5), 2, {"stride": 3}), ((1, 1, 7), 3, {"padding": 1}), ((1, 1, 4), 4, {}), ((1, 3, 2), 1, {}), ((1, 1, 5), 2, {"stride": 1, "padding": 1})]:
    options = {"window": window, **o}
    case(f"maxPool small {options}", "maxPool", options, torch.randperm(shape[0] * shape[1] * shape[2]).double().reshape(shape) / 4, None, lambda x: F.max_pool1d(x, window, **o))
    case(f"avgPool small {options}", "avgPool", options, small(*shape), None, lambda x: F.avg_pool1d(x, window, **o))
for shape, window, o in [((1, 1, 4, 4), 2, {}), ((1, 2, 3, 3), 2, {"stride": 1}), ((1, 1, 3, 4), (3, 2), {}), ((1, 1, 4, 3), 3, {"padding": 1, "stride": 2}), ((2, 1, 2, 2), 2, {})]:
    options = {"window": window, **o}
    case(f"maxPool small {options}", "maxPool", options, torch.randperm(shape[0] * shape[1] * shape[2] * shape[3]).double().reshape(shape) / 4, None, lambda x: F.max_pool2d(x, window, **o))
    case(f"avgPool small {options}", "avgPool", options, small(*shape), None, lambda x: F.avg_pool2d(x, window, **o))

json.dump({"by": f"torch {torch.__version__}", "cases": cases}, sys.stdout, separators=(",", ":"))
print()
