"""Reads the table of metrics in every form with pandas and with Polars, and compares it with the study's own files.

metrics.py OUT FOLDER: the study in OUT, whose table is in FOLDER as metrics.csv, metrics.json and metrics.parquet, each written by
`inkling export OUT --metrics FILE`.
"""

import json
import math
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.parquet as pq

TEXTS = ["run", "task", "network", "data_set", "head", "part", "metric", "settings"]
TYPES = {**dict.fromkeys(TEXTS, "string"), "epoch": "Int32", "step": "Int64", "value": "float64"}
POLARS = {**dict.fromkeys(TEXTS, pl.String), "epoch": pl.Int32, "step": pl.Int64, "value": pl.Float64}


def plain(value):
    """A value as Python has it, so that all readers agree on what is absent."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def rows(table):
    """Rows of a pandas table as lists."""
    return [[plain(value) for value in row] for row in table.itertuples(index=False, name=None)]


def expected(study):
    """Every loss, accuracy and learning rate of the study, from its own files."""
    found = []
    for run in json.loads((study / "study.json").read_text())["runs"]:
        folder, spec = study / "runs" / run["id"], run["spec"]
        common = [run["id"], run["task"], run["title"]]
        if spec["kind"] not in ("train", "trial", "perceptron"):
            continue
        for line in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()):
            if spec["kind"] == "perceptron":
                found.append([*common, None, "training", line["iteration"], None, "error", line["train_error"]])
                continue
            heads = [head["name"] for head in spec["model"]["heads"]]
            if line["kind"] == "steps":
                found.append([*common, None, None, None, line["step"], "learning_rate", line["learning_rate"]])
                if "heads" in line:
                    found.append([*common, None, "training", None, line["step"], "loss", line["loss"]])
                for head, own in zip(heads, line.get("heads", [line])):
                    for metric in ("loss", "accuracy"):
                        if own[metric] is not None:
                            found.append([*common, head, "training", None, line["step"], metric, own[metric]])
            elif line["kind"] in ("epoch", "trial"):
                # A training of a sweep has seen no test image.
                for head, own in zip(heads, line["heads"] if line["kind"] == "trial" else [line, *line.get("further", [])]):
                    for part, key in (("training", "train"), ("validation", "validation"), ("test", "test")):
                        if own.get(key) is not None:
                            at = [*common, head, part, line["epoch"], line["step"]]
                            found.append([*at, "loss", own[key]["loss"]])
                            found.append([*at, "accuracy", own[key]["correct"] / own[key]["images"]])
    return found


def settings(study):
    """The values of a sweep's keys by the ids of its trainings and, of the chosen point, of its choice."""
    record = json.loads((study / "study.json").read_text())
    found = {}
    for run in record["runs"]:
        if run["spec"]["kind"] == "choice":
            points = record["study"]["sweep"]["points"]
            found = {trial: point for trials, point in zip(run["spec"]["points"], points) for trial in trials}
            choice = json.loads((study / "runs" / run["id"] / "result.json").read_text())["outcome"]
            if choice["point"] is not None:
                found[run["id"]] = points[choice["point"]]
    return found


def main():
    study, folder = map(Path, sys.argv[1:])
    path = folder / "metrics"
    tables = {
        "pandas, Parquet": rows(pd.read_parquet(f"{path}.parquet")),
        "pandas, CSV": rows(pd.read_csv(f"{path}.csv", dtype=TYPES, keep_default_na=False, na_values=[""])),
        "pandas, JSON": rows(pd.read_json(f"{path}.json", dtype=TYPES, precise_float=True)),
        "Polars, Parquet": [list(row) for row in pl.read_parquet(f"{path}.parquet").rows()],
        "Polars, CSV": [list(row) for row in pl.read_csv(f"{path}.csv", schema_overrides=POLARS).rows()],
        "Polars, JSON": [list(row) for row in pl.read_json(f"{path}.json", schema_overrides=POLARS).rows()],
        "pyarrow": [list(row.values()) for row in pq.read_table(f"{path}.parquet").to_pylist()],
    }
    first = json.loads(Path(f"{path}.json").read_text())
    first = [list(row.values()) for row in first]
    for reader, table in tables.items():
        if table != first:
            different = next((pair for pair in zip(table, first) if pair[0] != pair[1]), (len(table), len(first)))
            sys.exit(f"{reader}: {different}")
    schema = pl.read_parquet(f"{path}.parquet").schema
    if dict(schema) != {name: POLARS[name] for name in schema.names()}:
        sys.exit(f"types in Parquet: {schema}")

    without_set = [row[:3] + row[4:10] for row in first]
    wanted = expected(study)
    # A perceptron's accuracy and a sweep's test are of their outcomes, not of lines.
    of_lines = {"learning_rate", "loss", "accuracy", "error"}
    of_outcomes = lambda row: (row[1], row[7]) == ("perceptron", "accuracy") or (row[1], row[4]) == ("sweep", "test")
    compared = [row for row in without_set if row[7] in of_lines and not of_outcomes(row)]
    if compared != wanted:
        different = next((pair for pair in zip(compared, wanted) if pair[0] != pair[1]), (len(compared), len(wanted)))
        sys.exit(f"not as in the study's files: {different}")
    swept = settings(study)
    for row in first:
        if (json.loads(row[10]) if row[10] else None) != swept.get(row[0]):
            sys.exit(f"not the settings of the study's sweep: {row}")
    print(f"{len(first)} rows in {len(tables)} readers alike; {len(wanted)} of them as in the study's files")
    for form in ("csv", "json", "parquet"):
        print(f"{form}: {Path(f'{path}.{form}').stat().st_size} bytes")


if __name__ == "__main__":
    main()
