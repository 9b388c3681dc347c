"""Trains what adjoint.mjs has written down, with PyTorch: python3 bench/quality/pytorch.py TASK FILE

The same data, first weights, order of rows, learning rates and steps; the layers and Adam are PyTorch's own. Prints a line of JSON: losses,
accuracy, and how far the loss and the gradients of the first step are from adjoint's.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
KINDS = {"U8": np.uint8, "I32": np.int32, "F32": np.float32, "F64": np.float64}


def read(path):
    """Arrays by name, and settings."""
    raw = open(path, "rb").read()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    settings = json.loads(header.pop("__metadata__")["settings"])
    arrays = {}
    for name, entry in header.items():
        a, b = (start + at for at in entry["data_offsets"])
        arrays[name] = np.frombuffer(raw[a:b], KINDS[entry["dtype"]]).reshape(entry["shape"])
    return arrays, settings


def transposed(w):
    return w.T


class Cnn(nn.Module):
    """Channels come last in adjoint: windows [height, width, in, out], and places before channels where images are flattened."""

    def __init__(self, _shapes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 5, padding=2), nn.Conv2d(16, 32, 5, padding=2)
        self.dense1, self.dense2 = nn.Linear(7 * 7 * 32, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        for conv in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.dense2(F.relu(self.dense1(x.permute(0, 2, 3, 1).flatten(1))))

    def pairs(self):
        """Parameters here, their names there, and how theirs become ours."""
        for layer, i, turn in ((self.conv1, 0, to_window), (self.conv2, 3, to_window), (self.dense1, 7, transposed), (self.dense2, 9, transposed)):
            yield layer.weight, f"layers.{i}.w", turn
            yield layer.bias, f"layers.{i}.b", None


def to_window(w):
    return w.transpose(3, 2, 0, 1)


class Lstm(nn.Module):
    """PyTorch adds two biases, both of them learned; adjoint has their sum. The second stays 0 here."""

    def __init__(self, shapes):
        super().__init__()
        symbols, width = shapes["layers.0.w"]
        self.embedding = nn.Embedding(symbols, width)
        self.lstm = nn.LSTM(width, shapes["layers.1.wh"][0], batch_first=True)
        self.dense = nn.Linear(self.lstm.hidden_size, symbols)
        nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)

    def forward(self, x):
        return self.dense(self.lstm(self.embedding(x))[0])

    def pairs(self):
        yield self.embedding.weight, "layers.0.w", None
        yield self.lstm.weight_ih_l0, "layers.1.wx", transposed
        yield self.lstm.weight_hh_l0, "layers.1.wh", transposed
        yield self.lstm.bias_ih_l0, "layers.1.b", None
        yield self.dense.weight, "layers.2.w", transposed
        yield self.dense.bias, "layers.2.b", None


class Transformer(nn.Module):
    BLOCKS = 4

    def __init__(self, shapes):
        super().__init__()
        symbols, width = shapes["layers.0.w"]
        places, _ = shapes["layers.1.w"]
        self.embedding, self.places = nn.Embedding(symbols, width), nn.Parameter(torch.zeros(places, width))
        gelu = F.gelu
        block = lambda: nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, gelu, batch_first=True, norm_first=True)  # noqa: E731
        self.blocks = nn.ModuleList([block() for _ in range(self.BLOCKS)])
        self.norm, self.dense = nn.LayerNorm(width), nn.Linear(width, symbols)
        self.register_buffer("later", torch.ones(places, places, dtype=torch.bool).triu(1))

    def forward(self, x):
        x = self.embedding(x) + self.places
        for block in self.blocks:
            x = block(x, self.later)
        return self.dense(self.norm(x))

    def pairs(self):
        yield self.embedding.weight, "layers.0.w", None
        yield self.places, "layers.1.w", None
        for i, block in enumerate(self.blocks):
            attention, after = f"layers.{i + 2}.layers.0.layers", f"layers.{i + 2}.layers.1.layers"
            yield block.norm1.weight, f"{attention}.0.scale", None
            yield block.norm1.bias, f"{attention}.0.b", None
            yield block.self_attn.in_proj_weight, f"{attention}.1.qkv.w", transposed
            yield block.self_attn.in_proj_bias, f"{attention}.1.qkv.b", None
            yield block.self_attn.out_proj.weight, f"{attention}.1.out.w", transposed
            yield block.self_attn.out_proj.bias, f"{attention}.1.out.b", None
            yield block.norm2.weight, f"{after}.0.scale", None
            yield block.norm2.bias, f"{after}.0.b", None
            yield block.linear1.weight, f"{after}.1.w", transposed
            yield block.linear1.bias, f"{after}.1.b", None
            yield block.linear2.weight, f"{after}.3.w", transposed
            yield block.linear2.bias, f"{after}.3.b", None
        last = 2 + self.BLOCKS
        yield self.norm.weight, f"layers.{last}.scale", None
        yield self.norm.bias, f"layers.{last}.b", None
        yield self.dense.weight, f"layers.{last + 1}.w", transposed
        yield self.dense.bias, f"layers.{last + 1}.b", None


def loss_of(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1)), logits


def evaluate(model, x, y, size=500):
    """Mean loss and accuracy over all rows."""
    model.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for a in range(0, len(x), size):
            part, logits = loss_of(model, x[a : a + size], y[a : a + size])
            loss += part.item() * len(logits)
            right += (logits.argmax(-1) == y[a : a + size]).sum().item()
    return loss / len(x), right / y.numel()


def main(task, path):
    arrays, settings = read(path)
    under = lambda prefix: {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}  # noqa: E731
    first = under("first.weights.")
    model = {"cnn": Cnn, "lstm": Lstm, "transformer": Transformer}[task]({k: v.shape for k, v in first.items()})
    pairs = list(model.pairs())
    learned = [p for p in model.parameters() if p.requires_grad]
    assert len(pairs) == len(first) == len(learned), "each parameter has a counterpart"

    def ours(tree, name, turn):
        return torch.tensor(np.ascontiguousarray(turn(tree[name]) if turn else tree[name]))

    def take(weights):
        with torch.no_grad():
            for p, name, turn in pairs:
                assert p.shape == ours(weights, name, turn).shape, name
                p.copy_(ours(weights, name, turn))

    def gradient_error(gradient):
        """The largest difference, for each parameter in units of its largest element."""
        each = [((p.grad - ours(gradient, name, turn)).abs().max() / p.grad.abs().max()).item() for p, name, turn in pairs]
        return max(each)

    def inputs(name):
        a = arrays[name]
        return torch.tensor((a * settings["scale"]).astype(np.float32) if a.dtype == np.uint8 else a.astype(np.int64))

    x, xv = inputs("x"), inputs("xValidation")
    y, yv = (torch.tensor(arrays[name].astype(np.int64)) for name in ("y", "yValidation"))
    order = torch.tensor(arrays["order"].astype(np.int64)).reshape(settings["epochs"], -1)
    batches = [part for epoch in order for part in epoch.split(settings["batchSize"])]
    assert len(batches) == len(arrays["rates"])
    optimizer = torch.optim.Adam(learned)

    def backward(rows):
        model.train()
        loss, _ = loss_of(model, x[rows], y[rows])
        optimizer.zero_grad()
        loss.backward()
        return loss.item()

    # what adjoint has learned, judged by PyTorch
    take(under("last.weights."))
    backward(batches[0])
    result = {"lastGradientError": gradient_error(under("last.gradient.")), "adjointLoss": evaluate(model, xv, yv)[0]}

    take(first)
    for step, (rows, rate) in enumerate(zip(batches, arrays["rates"])):
        loss = backward(rows)
        if step == 0:
            result.update(firstLoss=loss, gradientError=gradient_error(under("first.gradient.")))
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        optimizer.step()
    result["loss"], result["accuracy"] = evaluate(model, xv, yv)
    print(json.dumps({"steps": len(batches), "parameters": sum(p.numel() for p in learned), **result}))


main(*sys.argv[1:])
