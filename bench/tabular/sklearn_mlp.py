"""Trains scikit-learn's MLP on what prepare.py has written, in the way a competent user would.

python3 bench/tabular/sklearn_mlp.py FOLDER [NAME ...] writes FOLDER/sklearn.json

Numbers are imputed by their mean and standardised, categories imputed by the most frequent one and one-hot; a date becomes its number of days,
sine and cosine of the day of the year, and the weekday one-hot; the target of regression is standardised. Two settings, of which the better mean counts: MLP with
its defaults (one hidden layer of 100, adam 0.001, alpha 0.0001) and max_iter=1000, with early stopping (early_stopping=True,
n_iter_no_change=20) and without.
"""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from data_sets import SPLITS

warnings.filterwarnings("ignore", category=ConvergenceWarning)
FOLDER = pathlib.Path(sys.argv[1])
SETTINGS = {
    "early stopping": {"max_iter": 1000, "early_stopping": True, "n_iter_no_change": 20},
    "no early stopping": {"max_iter": 1000},
}


def read(path, dates):
    table = pd.read_csv(path)
    for name in dates:
        day = pd.to_datetime(table.pop(name))
        angle = 2 * np.pi * day.dt.dayofyear / 365.25
        table[f"{name} days"] = (day - pd.Timestamp("1970-01-01")).dt.days
        table[f"{name} sin"], table[f"{name} cos"] = np.sin(angle), np.cos(angle)
        table[f"{name} weekday"] = day.dt.day_name()
    return table


def pipeline(x, kind, settings, seed):
    numbers = [name for name in x if x[name].dtype != object]
    texts = [name for name in x if x[name].dtype == object]
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            ("texts", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), texts),
        ]
    )
    if kind == "class":
        return make_pipeline(columns, MLPClassifier(random_state=seed, **settings))
    return make_pipeline(columns, TransformedTargetRegressor(MLPRegressor(random_state=seed, **settings), transformer=StandardScaler()))


def score(model, x, y, kind):
    given = model.predict(x)
    return float(np.mean(given == y)) if kind == "class" else float(np.sqrt(np.mean((given - y) ** 2)))


results_file = FOLDER / "sklearn.json"
results = json.loads(results_file.read_text()) if results_file.exists() else {}
for data_set in json.loads((FOLDER / "data-sets.json").read_text()):
    name, target, kind = data_set["name"], data_set["target"], data_set["kind"]
    if name not in (sys.argv[2:] or [name]):
        continue
    dates = [column for column in pd.read_csv(FOLDER / name / "train-0.csv", nrows=5) if column.lower() == "date"]
    results[name] = {}
    start = time.time()
    for label, settings in SETTINGS.items():
        scores = []
        for split in range(SPLITS):
            train, test = (read(FOLDER / name / f"{part}-{split}.csv", dates) for part in ("train", "test"))
            y, truth = train.pop(target), test.pop(target)
            scores.append(score(pipeline(train, kind, settings, split).fit(train, y), test, truth, kind))
        results[name][label] = scores
        print(f"{name}, {label}: {np.mean(scores):.4f}", flush=True)
    results_file.write_text(json.dumps(results, indent=1))
    print(f"  {time.time() - start:.0f} s", flush=True)
