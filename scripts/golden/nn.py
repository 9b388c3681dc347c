"""Outputs and gradients of PyTorch's activations, layers and losses in f64, which src/nn and src/losses are tested against.

    python3 scripts/golden/nn.py > tests/golden/nn.json && npx biome format --write tests/golden/nn.json

Needs torch; the committed file was made with the version that it names. What PyTorch 1.13 does not have is written down here in its
operations, straight from the paper. Layouts are ours: channels last, weights [in, out].

Each case has arguments, the output y, and the gradients of sum(y c) with c[i] = ((7 i) mod 11 - 5) / 4 over the elements of y in order.
"""

import json
import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
cases = {}


def short(x):
    """Nested lists of numbers with 13 digits."""
    if isinstance(x, list):
        return [short(v) for v in x]
    return x if isinstance(x, int) else float(f"{x:.13g}")


def random(*shape, low=-2.0, high=2.0):
    """Numbers with three digits behind the point."""
    return ((low + (high - low) * torch.rand(shape)) * 1000).round() / 1000


def case(name, f, by_name=False, **args):
    """Gradients are those of floating-point arguments that y depends on."""
    xs = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in args.items()}
    y = f(**xs) if by_name else f(*xs.values())
    c = torch.tensor([((7 * i) % 11 - 5) / 4 for i in range(y.numel())]).reshape(y.shape)
    (y * c).sum().backward()
    grads = {k: v.grad.tolist() for k, v in xs.items() if v.grad is not None}
    cases[name] = {
        "args": {k: short(v.tolist()) for k, v in args.items()},
        "i32": [k for k, v in args.items() if not v.is_floating_point()],
        "y": short(y.tolist()),
        "grads": {k: short(v) for k, v in grads.items()},
    }


# activations

units = torch.tensor([[-7.0, -3.5, -2.25, -1.5, -0.75, -0.125], [0.0625, 0.5, 1.25, 2.5, 3.5, 7.0]])
for name, f in {
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "swish": F.silu,
    "gelu": F.gelu,
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "softmax": lambda x: F.softmax(x, -1),
    "logSoftmax": lambda x: F.log_softmax(x, -1),
    "selu": F.selu,
    "mish": F.mish,
    "softsign": F.softsign,
    "logSigmoid": F.logsigmoid,
    "relu6": F.relu6,
    "hardSigmoid": lambda x: F.relu6(x + 3) / 6,  # the gradient of F.hardsigmoid has 1/6 in f32
    "hardSwish": F.hardswish,
    "leakyRelu": F.leaky_relu,
    "leakyRelu 0.2": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "elu 0.5": lambda x: F.elu(x, 0.5),
    "celu": F.celu,
    "celu 2": lambda x: F.celu(x, 2.0),
    "softplus": lambda x: F.softplus(x, threshold=100),
    "softplus 3": lambda x: F.softplus(x, 3.0, threshold=100),
    "hardTanh": F.hardtanh,
    "hardTanh 0 2": lambda x: F.hardtanh(x, 0.0, 2.0),
    "glu": F.glu,
    "swiglu": lambda x: F.silu(x[:, :3]) * x[:, 3:],
}.items():
    case(name, f, x=units)
# where there is no kink, or where the derivative is the same on both sides of it
case("kinks", lambda x: F.relu6(x) + F.hardtanh(x) + F.leaky_relu(x) + F.elu(x), x=torch.tensor([-1.0, 0.0, 1.0, 6.0]))
case("prelu", lambda x, slope: F.prelu(x, slope), x=random(3, 4), slope=random(4))

# normalization

case("layerNorm", lambda x, scale, b: F.layer_norm(x, (5,), scale, b), x=random(2, 3, 5), scale=random(5), b=random(5))
case("layerNorm, not affine", lambda x: F.layer_norm(x, (5,), eps=0.1), x=random(3, 5))


def rms(x, scale):
    return scale * x / torch.sqrt((x * x).mean(-1, keepdim=True) + torch.finfo(x.dtype).eps)


case("rmsNorm", rms, x=random(2, 3, 5), scale=random(5))


def channels_first(f):
    """A function of [batch, channels, ...] on [batch, ..., channels]."""
    return lambda x, *rest: f(x.movedim(-1, 1), *rest).movedim(1, -1)


for groups in (1, 2, 6):
    whole = channels_first(lambda x, scale, b: F.group_norm(x, groups, scale, b))
    case(f"groupNorm {groups}", lambda x, scale, b: whole(x, scale, b), x=random(2, 2, 3, 6), scale=random(6), b=random(6))


def batch_norm(training, momentum=0.1, eps=1e-5):
    def f(x, scale, b, mean, variance):
        running = [mean.detach().clone(), variance.detach().clone()]
        y = F.batch_norm(x.movedim(-1, 1), *running, scale, b, training, momentum, eps).movedim(1, -1)
        return torch.cat([y.flatten(), *running])  # no gradient reaches the new averages

    return f


for name, shape, f in (
    ("batchNorm, training", (5, 3), batch_norm(True)),
    ("batchNorm, training, images", (2, 2, 2, 3), batch_norm(True, 0.3, 1e-3)),
    ("batchNorm", (5, 3), batch_norm(False)),
):
    # the running averages are state, not parameters
    mean, variance = random(3), random(3, low=0.5)
    case(name, lambda x, scale, b: f(x, scale, b, mean, variance), x=random(*shape), scale=random(3), b=random(3))
    cases[name]["args"] |= {"mean": mean.tolist(), "variance": variance.tolist()}

# layers

case("dense", lambda x, w, b: x @ w + b, x=random(2, 3, 4), w=random(4, 2), b=random(2))
ids = torch.tensor([[0, 3, 3], [4, 1, 0]])
case("embedding", lambda x, w: F.embedding(x, w), x=ids, w=random(5, 3))


def recurrent(make, inputs, outputs, last=True, reverse=False):
    """PyTorch's module with our parameters; it reads [time, batch, in]."""

    def f(x, **ps):
        module = make(inputs, outputs)
        for p in list(module._parameters):
            delattr(module, p)
        zero = torch.zeros(ps["wx"].shape[1])
        bias = {"bias_ih_l0": ps.get("b", zero), "bias_hh_l0": zero}
        if "bh" in ps:
            bias["bias_hh_l0"] = torch.cat([torch.zeros(2 * outputs), ps["bh"]])
        for name, value in ({"weight_ih_l0": ps["wx"].T, "weight_hh_l0": ps["wh"].T} | bias).items():
            setattr(module, name, value)
        module._flat_weights = [getattr(module, n) for n in module._flat_weights_names]
        x = x.movedim(1, 0)
        y = module(x.flip(0) if reverse else x)[0]
        return y[-1] if last else (y.flip(0) if reverse else y).movedim(0, 1)

    return f


def weights(gates, inputs, outputs, **more):
    return dict(by_name=True, x=random(2, 3, inputs), wx=random(inputs, gates * outputs), wh=random(outputs, gates * outputs), **more)


case("rnn", recurrent(nn.RNN, 3, 2), **weights(1, 3, 2, b=random(2)))
case("rnn, relu, sequences", recurrent(lambda i, o: nn.RNN(i, o, nonlinearity="relu"), 3, 2, False), **weights(1, 3, 2, b=random(2)))
case("lstm", recurrent(nn.LSTM, 3, 2), **weights(4, 3, 2, b=random(8)))
case("lstm, sequences", recurrent(nn.LSTM, 3, 2, False), **weights(4, 3, 2, b=random(8)))
case("lstm, reverse", recurrent(nn.LSTM, 3, 2, True, True), **weights(4, 3, 2, b=random(8)))
case("lstm, reverse, sequences, no bias", recurrent(nn.LSTM, 3, 2, False, True), **weights(4, 3, 2))
case("gru", recurrent(nn.GRU, 3, 2), **weights(3, 3, 2, b=random(6), bh=random(2)))
case("gru, sequences, reverse", recurrent(nn.GRU, 3, 2, False, True), **weights(3, 3, 2, b=random(6), bh=random(2)))
case("gru, no bias", recurrent(nn.GRU, 3, 2), **weights(3, 3, 2))

# positions and attention


def rotate(x, base=10000.0):
    """RoFormer's turns of pairs, written as complex numbers; pairs are halves of the width apart."""
    time, width = x.shape[-2:]
    angle = torch.arange(time)[:, None] * base ** (-2 * torch.arange(width // 2) / width)
    half = width // 2
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([z.real, z.imag], -1)


def sinusoidal(x):
    time, width = x.shape[-2:]
    p = torch.zeros(time, width)
    for t in range(time):
        for i in range(0, width, 2):
            p[t, i] = math.sin(t / 10000 ** (i / width))
            p[t, i + 1] = math.cos(t / 10000 ** (i / width))
    return x + p


case("positionalEmbedding", lambda x, w: x + w[:3], x=random(2, 3, 4), w=random(5, 4))
case("sinusoidalPositions", sinusoidal, x=random(2, 3, 4))
case("rotaryPositions", rotate, x=random(2, 3, 4))
case("rotaryPositions 100", lambda x: rotate(x, 100.0), x=random(3, 6))


def masked(time, causal):
    return torch.triu(torch.full((time, time), -math.inf), 1) if causal else None


def attention(heads, causal):
    """PyTorch's own, batch first."""

    def f(x, wqkv, bqkv, wout, bout):
        width = x.shape[-1]
        x = x.movedim(1, 0)
        y, _ = F.multi_head_attention_forward(
            x, x, x, width, heads, wqkv.T, bqkv, None, None, False, 0.0, wout.T, bout,
            training=False, need_weights=False, attn_mask=masked(x.shape[0], causal),
        )  # fmt: skip
        return y.movedim(0, 1)

    return f


def grouped(heads, shared, rotary):
    """Causal attention whose keys and values are shared by heads of queries."""

    def f(x, wqkv, bqkv, wout, bout):
        batch, time, width = x.shape
        size = width // heads
        q, k, v = (x @ wqkv + bqkv).split([width, shared * size, shared * size], -1)
        q, k, v = (t.reshape(batch, time, -1, size).transpose(1, 2) for t in (q, k, v))
        q, k = (rotate(q), rotate(k)) if rotary else (q, k)
        k, v = (t.repeat_interleave(heads // shared, 1) for t in (k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(size) + masked(time, True)
        return (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, width) @ wout + bout

    return f


def projections(width, packed):
    return dict(x=random(2, 3, width), wqkv=random(width, packed), bqkv=random(packed), wout=random(width, width), bout=random(width))


case("multiHeadAttention", attention(2, False), **projections(4, 12))
case("multiHeadAttention, causal", attention(2, True), **projections(4, 12))
case("multiHeadAttention, causal, rotary", grouped(2, 2, True), **projections(4, 12))
case("multiHeadAttention, causal, shared keys", grouped(4, 2, False), **projections(8, 16))
case("dotProductAttention", lambda q, k, v, mask: ((q @ k.T / math.sqrt(3)).masked_fill(mask == 0, -math.inf)).softmax(-1) @ v,
     q=random(2, 3), k=random(4, 3), v=random(4, 2), mask=torch.tensor([[1, 0, 1, 1], [0, 0, 1, 0]]))  # fmt: skip


def block(x, **p):
    """PyTorch's encoder layer with norms in front."""
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, F.relu, batch_first=True, norm_first=True).train()
    names = {
        "self_attn.in_proj_weight": p["wqkv"].T, "self_attn.in_proj_bias": p["bqkv"], "self_attn.out_proj.weight": p["wout"].T,
        "self_attn.out_proj.bias": p["bout"], "linear1.weight": p["w1"].T, "linear1.bias": p["b1"], "linear2.weight": p["w2"].T,
        "linear2.bias": p["b2"], "norm1.weight": p["scale1"], "norm1.bias": p["c1"], "norm2.weight": p["scale2"], "norm2.bias": p["c2"],
    }  # fmt: skip
    return torch.nn.utils.stateless.functional_call(layer, names, (x, masked(x.shape[1], True)))


dense = dict(w1=random(4, 6), b1=random(6), w2=random(6, 4), b2=random(4))
norms = dict(scale1=random(4), c1=random(4), scale2=random(4), c2=random(4))
case("transformerBlock", block, True, **projections(4, 12), **dense, **norms)

# losses

y, t = random(3, 4), random(3, 4)
for name, f in {
    "squaredError": F.mse_loss,
    "absoluteError": F.l1_loss,
    "huber": F.huber_loss,
    "huber 0.5": lambda y, t: F.huber_loss(y, t, delta=0.5),
    "huber, sum": lambda y, t: F.huber_loss(y, t, reduction="sum"),
    "huber, none": lambda y, t: F.huber_loss(y, t, reduction="none"),
    "smoothL1": F.smooth_l1_loss,
    "smoothL1 0.5": lambda y, t: F.smooth_l1_loss(y, t, beta=0.5),
    "smoothL1 0": lambda y, t: F.smooth_l1_loss(y, t, beta=0.0),
    "logCosh": lambda y, t: torch.log(torch.cosh(y - t)).mean(),
    "poissonNll": lambda y, t: F.poisson_nll_loss(y, t),
}.items():
    case(name, f, y=y, t=t)
rates, counts = random(3, 4, low=0.1), torch.tensor([[0.0, 1, 2, 3], [4, 0, 1, 7], [2, 2, 5, 1]])
case("poissonNll, rates", lambda y, t: F.poisson_nll_loss(y, t.detach(), log_input=False), y=rates, t=counts)
case("poissonNll, full", lambda y, t: F.poisson_nll_loss(y, t.detach(), full=True), y=y, t=counts)
variances = random(3, 4, low=0.1)
case("gaussianNll", lambda y, t, v: F.gaussian_nll_loss(y, t, v), y=y, t=t, v=variances)
case("gaussianNll, full, small", lambda y, t, v: F.gaussian_nll_loss(y, t, v, full=True, eps=0.8), y=y, t=t, v=variances)
case("gaussianNll, rows", lambda y, t, v: F.gaussian_nll_loss(y, t, v), y=y, t=t, v=random(3, low=0.1))

soft = random(3, 4, low=0.0, high=1.0)
positive = random(4, low=0.5, high=3.0)
signs = torch.tensor([[1.0, -1, -1, 1], [-1, -1, 1, 1], [1, 1, -1, -1]])
case("binaryCrossEntropy", F.binary_cross_entropy_with_logits, y=y, t=soft)
case("binaryCrossEntropy, weights", lambda y, t, w: F.binary_cross_entropy_with_logits(y, t, pos_weight=w.detach()), y=y, t=soft, w=positive)


def binary_focal(y, t, alpha=0.25, gamma=2.0):
    """torchvision.ops.sigmoid_focal_loss, with the mean."""
    p = torch.sigmoid(y)
    loss = F.binary_cross_entropy_with_logits(y, t, reduction="none") * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
    return (loss if alpha is None else (alpha * t + (1 - alpha) * (1 - t)) * loss).mean()


case("binaryFocal", binary_focal, y=y, t=soft)
case("binaryFocal, no alpha, gamma 1.5", lambda y, t: binary_focal(y, t, None, 1.5), y=y, t=soft)
case("hinge", lambda y, t: (1 - t.detach() * y).clamp(min=0).mean(), y=y, t=signs)
case("hingeEmbedding", lambda y, t: F.hinge_embedding_loss(y, t.detach(), margin=1.5), y=y, t=signs)

classes = torch.tensor([2, 0, 3])
class_weights = random(4, low=0.2, high=2.0)
distributions = soft / soft.sum(-1, keepdim=True)
ce = F.cross_entropy
case("crossEntropy", ce, y=y, t=classes)
case("crossEntropy, smoothing", lambda y, t: ce(y, t, label_smoothing=0.2), y=y, t=classes)
case("crossEntropy, weights", lambda y, t, w: ce(y, t, w.detach()), y=y, t=classes, w=class_weights)
case("crossEntropy, weights, none", lambda y, t, w: ce(y, t, w.detach(), reduction="none"), y=y, t=classes, w=class_weights)
case("crossEntropy, weights, smoothing", lambda y, t, w: ce(y, t, w.detach(), label_smoothing=0.2), y=y, t=classes, w=class_weights)
case("crossEntropy, ignored", lambda y, t: ce(y, t, ignore_index=0), y=y, t=classes)
case("crossEntropy, ignored outside", lambda y, t: ce(y, t), y=y, t=torch.tensor([2, -100, 3]))
case("crossEntropy, ignored, weights", lambda y, t, w: ce(y, t, w.detach(), ignore_index=0), y=y, t=classes, w=class_weights)
case("crossEntropy, ignored, smoothing", lambda y, t: ce(y, t, ignore_index=0, label_smoothing=0.2), y=y, t=classes)
case("crossEntropy, distributions", ce, y=y, t=distributions)
case("crossEntropy, distributions, smoothing", lambda y, t: ce(y, t, label_smoothing=0.2), y=y, t=distributions)
case("crossEntropy, distributions, weights", lambda y, t, w: ce(y, t, w.detach()), y=y, t=distributions, w=class_weights)


def focal(y, t, w=None, gamma=2.0):
    entropy = ce(y, t, reduction="none")
    loss = (1 - torch.exp(-entropy)) ** gamma * entropy
    return (loss if w is None else loss * w.detach()[t]).mean()


case("focal", focal, y=y, t=classes)
case("focal, weights, gamma 0.5", lambda y, t, w: focal(y, t, w, 0.5), y=y, t=classes, w=class_weights)
case("multiClassHinge", F.multi_margin_loss, y=y, t=classes)
case(
    "multiClassHinge, squared, weights",
    lambda y, t, w: F.multi_margin_loss(y, t, p=2, margin=1.5, weight=w.detach()),
    y=y, t=classes, w=class_weights,
)  # fmt: skip
case("klDivergence", lambda y, t: F.kl_div(F.log_softmax(y, -1), t.detach(), reduction="batchmean"), y=y, t=distributions)
case("klDivergence, zeros", lambda y, t: F.kl_div(F.log_softmax(y, -1), t.detach(), reduction="batchmean"), y=y, t=torch.eye(4)[:3])
case(
    "klDivergence, logarithms",
    lambda y, t: F.kl_div(F.log_softmax(y, -1), t, reduction="batchmean", log_target=True),
    y=y, t=random(3, 4, low=-2, high=-0.5),
)  # fmt: skip

u, v, w = random(3, 4), random(3, 4), random(3, 4)
pairs = torch.tensor([1.0, -1, -1])
case("cosineSimilarity", lambda x1, x2: F.cosine_similarity(x1, x2, -1), x1=u, x2=v)
case("cosineEmbedding", lambda x1, x2, t: F.cosine_embedding_loss(x1, x2, t.detach()), x1=u, x2=v, t=pairs)
case("cosineEmbedding, margin", lambda x1, x2, t: F.cosine_embedding_loss(x1, x2, t.detach(), -0.6), x1=u, x2=v, t=pairs)


def contrastive(x1, x2, t, margin=4.0):
    d = F.pairwise_distance(x1, x2)
    return (t * ((x1 - x2) ** 2).sum(-1) + (1 - t) * (margin - d).clamp(min=0) ** 2).mean() / 2


case("contrastive", lambda x1, x2, t: contrastive(x1, x2, t.detach()), x1=u, x2=v, t=torch.tensor([1.0, 0, 0]))
case("tripletMargin", lambda x1, x2, x3: F.triplet_margin_loss(x1, x2, x3), x1=u, x2=v, x3=w)
case("tripletMargin, swap", lambda x1, x2, x3: F.triplet_margin_loss(x1, x2, x3, margin=2, swap=True), x1=u, x2=v, x3=w)

print(json.dumps({"source": f"scripts/golden/nn.py, torch {torch.__version__}", "cases": cases}))
