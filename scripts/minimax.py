"""Coefficients of the polynomials in src/ir: minimax (Remez exchange), where it pays rounded one after the other while the rest is
fitted again. Prints each with the logarithm of its largest weighted error.

    python3 scripts/minimax.py   # wants mpmath; a minute
"""

from mpmath import asin, atan, atanh, cbrt, cos, erf, erfc, erfinv, exp, log, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 60


def remez(f, a, b, n, weight, fixed=()):
    """n coefficients of the polynomial on [a, b] with the least largest |weight (f - p)|, the first of them given; and that error."""
    m = n - len(fixed)
    size = 24 * m
    a, b = mpf(a), mpf(b)
    xs = [(a + b) / 2 - (b - a) / 2 * cos(pi * (i + mpf(1) / 2) / size) for i in range(size)]
    powers = [x ** len(fixed) for x in xs]
    ys = [(f(x) - sum(c * x**i for i, c in enumerate(fixed))) / q for x, q in zip(xs, powers)]
    ws = [weight(x) * q for x, q in zip(xs, powers)]
    at = [min(size - 1, round(size * (1 - cos(pi * i / m)) / 2)) for i in range(m + 1)]
    for _ in range(30):
        rows, right = matrix(m + 1, m + 1), matrix(m + 1, 1)
        for i, k in enumerate(at):
            for j in range(m):
                rows[i, j] = xs[k] ** j
            rows[i, m] = (-1) ** i / ws[k]
            right[i] = ys[k]
        solved = lu_solve(rows, right)
        c = [solved[j] for j in range(m)]
        errors = [w * (y - sum(cj * x**j for j, cj in enumerate(c))) for x, y, w in zip(xs, ys, ws)]
        extremes, first = [], 0  # of every run of one sign
        for i in range(1, size + 1):
            if i == size or (errors[i] > 0) != (errors[first] > 0):
                extremes.append(max(range(first, i), key=lambda k: abs(errors[k])))
                first = i
        while len(extremes) > m + 1:
            extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
        if len(extremes) < m + 1 or extremes == at:
            break
        at = extremes
    return list(fixed) + c, max(abs(e) for e in errors)


def show(name, f, a, b, n, weight=lambda z: mpf(1), stepwise=False):
    fixed = []
    while stepwise and len(fixed) < n - 1:
        fixed.append(mpf(float(remez(f, a, b, n, weight, fixed)[0][len(fixed)])))
    c, error = remez(f, a, b, n, weight, fixed)
    print(f"{name}: 2^{float(log(error, 2)):.1f}\n  [{', '.join(repr(float(x)) for x in c)}]")


TINY = mpf(2) ** -30
show("ASIN: (asin(v)/v - 1) / z for z = v^2", lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z, TINY, mpf(1) / 4, 12, lambda z: z, True)
show("ATAN: (1 - atan(u)/u) / z for z = u^2", lambda z: (1 - atan(sqrt(z)) / sqrt(z)) / z, TINY, (sqrt(2) - 1) ** 2, 11, lambda z: z, True)
show("ERF: erf(x)/x - 1 for z = x^2", lambda z: erf(sqrt(z)) / sqrt(z) - 1, TINY, 1, 13, stepwise=True)


def scaled_erfc(t):
    x = 4 * (1 + t) / (1 - t)
    return (1 + 2 * x) * exp(x * x) * erfc(x)


show("ERFC: (1 + 2x) e^(x^2) erfc(x) for t = (x - 4) / (x + 4)", scaled_erfc, mpf(-7) / 9, mpf(3) / 4, 22, lambda t: 1 / scaled_erfc(t))
show("ERF for f32", lambda z: erf(sqrt(z)) / sqrt(z) - 1, TINY, 1, 8)
show("EXP of erf for f32", lambda r: (exp(r) - 1 - r) / r**2 if r else mpf(1) / 2, -log(2) / 2, log(2) / 2, 6, lambda r: r * r)


def scaled_tail(q):
    a = 1 / q - 5
    return exp(a * a / 2) * erfc(a / sqrt(2)) / 2 / q


show("TAIL: the share of the normal distribution below -a, times e^(a^2 / 2) / q, for q = 1 / (a + 5)",
     scaled_tail, mpf(1) / 20, mpf(1) / 5, 12, lambda q: 1 / scaled_tail(q))


def centre(w):
    x = sqrt(1 - exp(-w))
    return erfinv(x) / x


def tail(s):
    c = 1 - sqrt(1 - exp(-s * s))  # erfc(y), solved by Halley's steps
    y = s
    for _ in range(60):
        d = (erfc(y) - c) / (2 / sqrt(pi) * exp(-y * y))
        y += d / (1 - y * d) if abs(d) < 1 else mpf("0.1") * mp.sign(d)
    return y / (1 - c)


show("CENTRE: erfinv(x)/x for w = -log(1 - x^2)", centre, mpf(2) ** -20, 6, 10)
show("TAIL: erfinv(x)/x for s = sqrt(w)", tail, sqrt(6), mpf("6.2"), 11, lambda s: 1 / s)
show("CBRT: z^(1/3)", cbrt, 1, 8, 5, lambda z: 1 / cbrt(z))
show("LOG_TO_2: (2 atanh(s)/s - 2) / z for z = s^2", lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, TINY, mpf(1) / 25, 3, lambda z: z)
