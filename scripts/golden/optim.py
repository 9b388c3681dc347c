"""Values of PyTorch's schedulers and optimizers in f64, which src/optim is tested against.

    python3 scripts/golden/optim.py > tests/golden/optim.json && npx biome format --write tests/golden/optim.json

Needs torch; the committed file was made with the version that it names.
Optimizers that PyTorch does not have are written down here, straight from their papers.
"""

import json
import math
import warnings

import torch
from torch.optim import lr_scheduler as lr

warnings.filterwarnings("ignore")
STEPS = 30


def rates(make, base=0.1, steps=STEPS):
    """The learning rate of each update."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


def warm(optimizer):
    first = lr.LinearLR(optimizer, start_factor=0.1, end_factor=1.0, total_iters=5)
    return lr.SequentialLR(optimizer, [first, lr.CosineAnnealingLR(optimizer, T_max=25, eta_min=0.01)], [5])


def two(optimizer):
    first = lr.ExponentialLR(optimizer, 0.9)
    return lr.SequentialLR(optimizer, [first, lr.StepLR(optimizer, 4, 0.5)], [7])


schedules = {
    "constant": rates(lambda o: lr.ConstantLR(o, factor=1.0, total_iters=1)),
    "stepDecay": rates(lambda o: lr.StepLR(o, 7)),
    "stepDecay by 0.3": rates(lambda o: lr.StepLR(o, 3, 0.3)),
    "piecewise": rates(lambda o: lr.MultiStepLR(o, [4, 9, 20], 0.5)),
    "exponential": rates(lambda o: lr.ExponentialLR(o, 0.93)),
    "linear": rates(lambda o: lr.LinearLR(o, 1.0, 0.2, 12)),
    "linear, upwards": rates(lambda o: lr.LinearLR(o, 0.25, 1.0, 10)),
    "polynomial": rates(lambda o: lr.PolynomialLR(o, 20, 1.0)),
    "polynomial, power 2.5": rates(lambda o: lr.PolynomialLR(o, 20, 2.5)),
    "cosine": rates(lambda o: lr.CosineAnnealingLR(o, STEPS - 1, 0.01)),
    "cosine with warm-up": rates(warm),
    "oneCycle": rates(lambda o: lr.OneCycleLR(o, 0.1, total_steps=STEPS + 1), steps=STEPS + 1),
    "oneCycle, linear": rates(
        lambda o: lr.OneCycleLR(o, 0.1, total_steps=STEPS + 1, pct_start=0.4, anneal_strategy="linear", div_factor=10, final_div_factor=100),
        steps=STEPS + 1,
    ),
    "oneCycle, three phases": rates(lambda o: lr.OneCycleLR(o, 0.1, total_steps=STEPS + 1, three_phase=True), steps=STEPS + 1),
    "join": rates(two),
}


def plateau(losses, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr.ReduceLROnPlateau(optimizer, eps=0, **options)
    out = []
    for loss in losses:
        scheduler.step(loss)
        out.append(optimizer.param_groups[0]["lr"])
    return {"losses": losses, "scales": out}


falling = [1 / (1 + 0.3 * min(i, 6)) + (0.01 if i % 5 == 3 else 0) for i in range(STEPS)]
plateaus = {
    "default": plateau(falling),
    "patience 2": plateau(falling, patience=2, factor=0.5),
    "cooldown 3": plateau(falling, patience=1, factor=0.5, cooldown=3),
    "absolute threshold": plateau(falling, patience=1, factor=0.5, threshold=0.1, threshold_mode="abs"),
    "smallest scale": plateau(falling, patience=0, factor=0.3, min_lr=0.05),
    "maximum": plateau([1 - x for x in falling], mode="max", patience=2, factor=0.2),
}

# gradients that change sign and size, and one that is 0 for a while
START = {"w": [[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]], "b": [0.1, -0.2, 0.3]}
gradients = [
    {
        "w": [[math.sin(0.7 * t + i + 2 * j) * (1 + 0.5 * i) for j in range(3)] for i in range(2)],
        "b": [math.cos(1.3 * t + j) * 10 ** (j - 1) if t > 3 or j else 0.0 for j in range(3)],
    }
    for t in range(12)
]


def tensors(tree):
    return {k: torch.tensor(v, dtype=torch.float64) for k, v in tree.items()}


def trajectory(advance):
    """Parameters after each update, flat."""
    params = tensors(START)
    out = []
    for t, g in enumerate(gradients):
        params = advance(t + 1, params, tensors(g))
        out.append([x for k in ("w", "b") for x in params[k].flatten().tolist()])
    return out


def torchs(make, clip=None):
    params = {k: torch.nn.Parameter(v) for k, v in tensors(START).items()}
    optimizer = make(list(params.values()))

    def advance(_, __, grads):
        for k, p in params.items():
            p.grad = grads[k].clone()
        if clip:
            clip(params.values())
        optimizer.step()
        return {k: p.detach() for k, p in params.items()}

    return trajectory(advance)


def lion(rate, b1, b2, decay):
    m = {k: torch.zeros_like(v) for k, v in tensors(START).items()}

    def advance(_, params, grads):
        out = {}
        for k, w in params.items():
            update = torch.sign(b1 * m[k] + (1 - b1) * grads[k])
            m[k] = b2 * m[k] + (1 - b2) * grads[k]
            out[k] = w - rate * (update + decay * w)
        return out

    return trajectory(advance)


def moments(b1, b2, eps):
    m = {k: torch.zeros_like(v) for k, v in tensors(START).items()}
    v = {k: torch.zeros_like(v) for k, v in tensors(START).items()}

    def direction(t, k, g):
        m[k] = b1 * m[k] + (1 - b1) * g
        v[k] = b2 * v[k] + (1 - b2) * g * g
        return m[k] / (1 - b1**t) / (torch.sqrt(v[k] / (1 - b2**t)) + eps)

    return direction


def nadam(rate=2e-3, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, psi=4e-3):
    """As in PyTorch 2: version 1.13 multiplies by mu(t) once too often, and keeps the product of the momenta in f32."""
    m = {k: torch.zeros_like(v) for k, v in tensors(START).items()}
    v = {k: torch.zeros_like(v) for k, v in tensors(START).items()}
    product = 1.0

    def mu(t):
        return b1 * (1 - 0.5 * 0.96 ** (t * psi))

    def advance(t, params, grads):
        nonlocal product
        product *= mu(t)
        out = {}
        for k, w in params.items():
            g = grads[k] + decay * w
            m[k] = b1 * m[k] + (1 - b1) * g
            v[k] = b2 * v[k] + (1 - b2) * g * g
            u = g * (1 - mu(t)) / (1 - product) + m[k] * mu(t + 1) / (1 - product * mu(t + 1))
            out[k] = w - rate * u / (torch.sqrt(v[k] / (1 - b2**t)) + eps)
        return out

    return trajectory(advance)


def lamb(rate, decay):
    direction = moments(0.9, 0.999, 1e-6)

    def advance(t, params, grads):
        out = {}
        for k, w in params.items():
            u = direction(t, k, grads[k]) + decay * w
            out[k] = w - rate * w.norm() / u.norm() * u
        return out

    return trajectory(advance)


def muon(rate, momentum, decay):
    """Jordan's Muon for matrices [out, in], the transposes of ours; AdamW for the others."""
    direction = moments(0.9, 0.95, 1e-10)
    velocity = torch.zeros(3, 2, dtype=torch.float64)

    def orthogonal(x):
        x = x / (x.norm() + 1e-7)
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        return x.T if tall else x

    def advance(t, params, grads):
        nonlocal velocity
        w, g = params["w"].T, grads["w"].T
        velocity = momentum * velocity + g
        o = orthogonal(g + momentum * velocity) * max(1, w.shape[0] / w.shape[1]) ** 0.5
        w = w * (1 - rate * decay) - rate * o
        return {"w": w.T, "b": params["b"] - 3e-4 * direction(t, "b", grads["b"])}

    return trajectory(advance)


def adafactor(rate):
    """Shazeer and Stern, algorithms 4 and 5, with the constants of torch.optim.Adafactor."""
    row, column, whole = torch.zeros(2, 1).double(), torch.zeros(1, 3).double(), torch.zeros(3).double()
    tiny = torch.finfo(torch.float64).eps

    def advance(t, params, grads):
        nonlocal row, column, whole
        share = t**-0.8
        w, b, g, h = params["w"], params["b"], grads["w"], grads["b"]
        row = (1 - share) * row + share * (g * g).mean(1, keepdim=True)
        column = (1 - share) * column + share * (g * g).mean(0, keepdim=True)
        whole = (1 - share) * whole + share * h * h
        out = {}
        for k, x, d, v in (("w", w, g, row @ column / row.mean()), ("b", b, h, whole)):
            u = d / v.clamp(min=tiny * tiny).sqrt()
            u = u / max(1, (u * u).mean().sqrt())
            out[k] = x - max(1e-3, (x * x).mean().sqrt()) * min(rate, 1 / math.sqrt(t)) * u
        return out

    return trajectory(advance)


optim = torch.optim
norm = torch.nn.utils.clip_grad_norm_
value = torch.nn.utils.clip_grad_value_
optimizers = {
    "adadelta": torchs(lambda p: optim.Adadelta(p)),
    "adadelta with options": torchs(lambda p: optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)),
    "adagrad with a first sum": torchs(lambda p: optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.5, eps=1e-3)),
    "adamax": torchs(lambda p: optim.Adamax(p)),
    "adamax with options": torchs(lambda p: optim.Adamax(p, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)),
    "nadam": nadam(),
    "nadam with options": nadam(0.1, 0.8, 0.9, 1e-3, 0.1, 0.1),
    "radam": torchs(lambda p: optim.RAdam(p)),
    "radam with options": torchs(lambda p: optim.RAdam(p, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)),
    "rmsprop with options": torchs(lambda p: optim.RMSprop(p, lr=0.1, alpha=0.8, eps=0.1, momentum=0.5, centered=True, weight_decay=0.1)),
    "sgd, clipped by norm": torchs(lambda p: optim.SGD(p, lr=0.1), lambda p: norm(p, 1.0)),
    "adam, clipped by value": torchs(lambda p: optim.Adam(p, lr=0.1), lambda p: value(p, 0.3)),
    "groups": torchs(lambda p: optim.AdamW([{"params": p[:1]}, {"params": p[1:], "weight_decay": 0, "lr": 0.01}], lr=0.1, weight_decay=0.1)),
    "lion": lion(0.1, 0.9, 0.99, 0.1),
    "lamb": lamb(0.1, 0.1),
    "muon": muon(0.1, 0.95, 0.1),
    "adafactor": adafactor(0.1),
}

source = f"scripts/golden/optim.py, torch {torch.__version__}"
print(
    json.dumps(
        {"source": source, "schedules": schedules, "plateaus": plateaus, "start": START, "gradients": gradients, "optimizers": optimizers}
    )
)
