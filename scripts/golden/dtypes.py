"""Writes tests/golden/dtypes.json: what NumPy makes of 16-bit floats, as arrays of bits in base64 of zlib, each less the one before.

    python3 scripts/golden/dtypes.py   # NumPy 2.4

"decode": all 65,536 bit patterns of float16 as float32. "ties": for all neighbours of float16 from 0 to the largest, the float32 half
way between them, the one below and the one above, as float16 bits; the last neighbour is 2^16. "random": float32 of random bits
(mulberry32 of seed 1) as float16 bits.
"""

import base64
import json
import zlib
from pathlib import Path

import numpy as np

np.seterr(all="ignore")


def packed(bits):
    steps = np.diff(bits.ravel(), prepend=bits.dtype.type(0))
    return base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()


def mulberry32(seed, n):
    out = np.empty(n, dtype=np.uint32)
    mask = 0xFFFFFFFF
    for i in range(n):
        seed = (seed + 0x6D2B79F5) & mask
        t = seed ^ (seed >> 15)
        t = (t * (1 | seed)) & mask
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask) ^ t
        out[i] = t ^ (t >> 14)
    return out


def halves(x):
    return x.astype(np.float16).view(np.uint16)


decode = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
ascending = np.append(decode[: 0x7C00], np.float32(65536))
middle = (ascending[:-1] + ascending[1:]) / np.float32(2)
ties = np.stack([middle, np.nextafter(middle, np.float32(-1)), np.nextafter(middle, np.float32(np.inf))], axis=1)
random = mulberry32(1, 16384).view(np.float32)
golden = {"decode": packed(decode.view(np.uint32)), "ties": packed(halves(ties)), "random": packed(halves(random))}
Path("tests/golden/dtypes.json").write_text(json.dumps(golden, indent=0) + "\n")
