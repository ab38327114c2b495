#!/usr/bin/env python3
"""Writes deployments/golden/file-type.jsonl: requests from samples/ with the labels that every good release must give.

A golden prediction has to hold for the next release too, or it would stop every change: so it asks for the label, and
for a score that is close to what the releases of today agree on.
"""

import json
import sys
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "model-server")]
import features  # noqa: E402  (neighbours, not packages)
from serve import Classifier  # noqa: E402

EXPECTED = {
    "Counter.java": "java",
    "backup.sh": "shell",
    "fleet.json": "json",
    "median.py": "python",
    "orders.csv": "csv",
    "page.html": "html",
    "queue.c": "c",
}
TOLERANCE = 0.2


def main() -> None:
    models = HERE.parent.parent / ".demo" / "models"
    releases = [Classifier(models / release, threads=1) for release in ("v3.2", "v3.3")]
    lines = []
    for name, label in EXPECTED.items():
        numbers = features.features((HERE / "samples" / name).read_bytes())
        answers = [release.predict(numpy.array([numbers], dtype=numpy.int32)) for release in releases]
        scores = [score for _, (score,) in answers]
        if any(found != label for (found,), _ in answers) or max(scores) - min(scores) > TOLERANCE:
            sys.exit(f"error: the releases do not agree that {name} is {label}: {answers}")
        outputs = [{"name": "label", "data": [label]}, {"name": "score", "data": [round(sum(scores) / len(scores), 3)]}]
        request = {"inputs": [{"name": "bytes", "datatype": "INT32", "shape": [1, len(numbers)], "data": numbers}]}
        prediction = {"request": request, "expected": {"outputs": outputs}, "tolerance": TOLERANCE}
        lines.append(json.dumps(prediction, separators=(",", ":")))
    (HERE / "deployments" / "golden" / "file-type.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} golden predictions")


if __name__ == "__main__":
    main()
