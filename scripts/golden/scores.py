"""Scores of scikit-learn and NumPy, which src/train/scores is tested against.

    python3 scripts/golden/scores.py > tests/golden/scores.json && npx biome format --write tests/golden/scores.json

Needs scikit-learn; the committed file was made with the version that it names. The expected calibration error, which scikit-learn does not have,
and the Brier score of several classes are written down here, straight from the papers.
"""

import json
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.filterwarnings("ignore")
random = np.random.default_rng(7)


def short(x):
    x = np.asarray(x, dtype=float)
    return [short(v) for v in x] if x.ndim else float(f"{x:.13g}")


def logits(rows, classes, truth, hit):
    """With three digits, so that some are equal."""
    z = random.normal(size=(rows, classes)).round(1)
    z[np.arange(rows), truth] += hit
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return (p * 1000).round() / 1000


def calibrated(truth, p, bins=10):
    """Guo et al. 2017, equation 3; bins closed on the left."""
    confidence, right = p.max(1), p.argmax(1) == truth
    place = np.minimum(bins - 1, np.floor(confidence * bins)).astype(int)
    errors = [(np.mean(place == b), abs(right[place == b].mean() - confidence[place == b].mean())) for b in np.unique(place)]
    return {"expectedError": short(sum(w * e for w, e in errors)), "largestError": short(max(e for _, e in errors))}


def classes(rows, number, hit, absent=()):
    truth = random.choice([k for k in range(number) if k not in absent], size=rows)
    p = logits(rows, number, truth, hit)
    p = p / p.sum(1, keepdims=True)
    p = np.array(short(p))
    predicted = p.argmax(1)
    # never predicted, though it occurs
    if absent:
        predicted[predicted == number - 1] = 0
    report = metrics.classification_report(truth, predicted, output_dict=True, zero_division=0)
    named = lambda r: {"precision": short(r["precision"]), "recall": short(r["recall"]), "f1": short(r["f1-score"]), "support": int(r["support"])}
    onehot = (truth[:, None] == np.arange(number)).astype(float)
    known = [k for k in range(number) if 0 < onehot[:, k].sum() < rows]
    case = {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "p": short(p),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=range(number)).tolist(),
        "perClass": {k: named(r) for k, r in report.items() if k.isdigit()},
        "macro": named(report["macro avg"]),
        "weighted": named(report["weighted avg"]),
        "accuracy": short(report["accuracy"]),
        "balancedAccuracy": short(metrics.balanced_accuracy_score(truth, predicted)),
        "auc": {k: short(metrics.roc_auc_score(onehot[:, k], p[:, k])) for k in known},
        "averagePrecision": {k: short(metrics.average_precision_score(onehot[:, k], p[:, k])) for k in known},
        "logLoss": short(metrics.log_loss(truth, p, labels=range(number))),
        "brier": short(((p - onehot) ** 2).sum(1).mean()),
        **calibrated(truth, p),
    }
    if not absent and number > 2:
        for kind in ("macro", "weighted"):
            case[f"{kind}Auc"] = short(metrics.roc_auc_score(truth, p, multi_class="ovr", average=kind))
            case[f"{kind}AveragePrecision"] = short(metrics.average_precision_score(onehot, p, average=kind))
    if number == 2:
        case["brier"] = short(metrics.brier_score_loss(truth, p[:, 1]))
        false, true, thresholds = metrics.roc_curve(truth, p[:, 1], drop_intermediate=False)
        case["roc"] = {"falsePositiveRate": short(false), "truePositiveRate": short(true), "thresholds": short(thresholds[1:])}
        precision, recall, thresholds = metrics.precision_recall_curve(truth, p[:, 1])
        case["precisionRecall"] = {
            "precision": short(precision[-2::-1]),
            "recall": short(recall[-2::-1]),
            "thresholds": short(thresholds[::-1]),
        }
    return case


def regression(rows, noise):
    truth = (random.normal(size=rows) * 10).round(2)
    predicted = (truth + noise * random.standard_t(2, size=rows)).round(2)
    counts, edges = np.histogram(truth - predicted, bins=20)
    return {
        "truth": short(truth),
        "predicted": short(predicted),
        "r2": short(metrics.r2_score(truth, predicted)),
        "rmse": short(metrics.mean_squared_error(truth, predicted, squared=False)),
        "mae": short(metrics.mean_absolute_error(truth, predicted)),
        "medianAbsoluteError": short(metrics.median_absolute_error(truth, predicted)),
        "worst": np.argsort(-np.abs(truth - predicted), kind="stable")[:10].tolist(),
        "counts": counts.tolist(),
        "edges": short(edges),
    }


golden = {
    "$comment": f"scripts/golden/scores.py with scikit-learn {sklearn.__version__}, NumPy {np.__version__}",
    "classes": {
        "two classes": classes(60, 2, 1.0),
        "two classes, all wrong": classes(30, 2, -9.0),
        "four classes": classes(60, 4, 1.5),
        "a class without rows, one never predicted": classes(40, 4, 1.5, absent=(1,)),
    },
    "regression": {"even": regression(50, 2.0), "odd": regression(51, 20.0)},
}
print(json.dumps(golden))
