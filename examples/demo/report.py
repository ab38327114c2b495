#!/usr/bin/env python3
"""Computes, from the load generator's records alone, what users of the model saw of each rollout.

    report.py RECORDS TIMELINE

TIMELINE is the JSON list of rollouts that demo.py writes: what was merged and commanded, and when. Exits 1 when a
request was dropped or a good model's request failed.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from load import Record  # noqa: E402  (a neighbour, not a package)


@dataclass
class Rollout:
    """One change of the model, as the demo made it. Times are Unix times."""

    version: str
    outcome: str
    merged: float
    bad: bool = False
    slow_ms: float | None = None  # answers from here on are bad too
    rolled_back: float | None = None  # when the operator's command was started
    ended: float | None = None  # when the demo saw the rollout's end: the next one may use the version again


@dataclass(frozen=True)
class Row:
    """What the requests tell about one rollout. Seconds; nothing where it does not apply."""

    rollout: Rollout
    requests: int
    bad_answers: int
    merge_to_first: float | None
    first_bad_to_last: float | None
    command_to_last: float | None


@dataclass(frozen=True)
class Report:
    sent: int
    failed: int
    dropped: int
    failed_by_good: int
    served_by_bad: int
    rows: list[Row]

    @property
    def problems(self) -> list[str]:
        found = []
        if self.dropped:
            found.append(f"{self.dropped} requests were dropped: no model's answer reached the client")
        if self.failed_by_good:
            found.append(f"{self.failed_by_good} requests failed at a model that is not meant to fail")
        if not self.sent:
            found.append("no requests were sent")
        return found


def is_dropped(record: Record) -> bool:
    """Whether no model answered: there was no answer, or a proxy made it up."""
    return record.model is None


def is_bad(record: Record, slow_ms: float | None) -> bool:
    failed = record.status is None or record.status >= 400
    return failed or (slow_ms is not None and record.ms >= slow_ms)


def compute(records: Iterable[Record], rollouts: Iterable[Rollout]) -> Report:
    records, rollouts = sorted(records, key=lambda record: record.at), list(rollouts)
    answered = [record for record in records if not is_dropped(record)]
    bad_versions = {rollout.version for rollout in rollouts if rollout.bad}
    failed = [record for record in answered if is_bad(record, None)]
    return Report(
        sent=len(records),
        failed=len(failed),
        dropped=len(records) - len(answered),
        failed_by_good=sum(record.model not in bad_versions for record in failed),
        served_by_bad=sum(record.model in bad_versions for record in answered),
        rows=[compute_row(answered, rollout) for rollout in rollouts],
    )


def compute_row(answered: list[Record], rollout: Rollout) -> Row:
    end = float("inf") if rollout.ended is None else rollout.ended
    its = [record for record in answered if record.model == rollout.version and rollout.merged <= record.at <= end]
    bad = [record for record in its if is_bad(record, rollout.slow_ms)]
    first_bad = min((record.at + record.ms / 1000 for record in bad), default=None)
    last = its[-1].at if its else None
    return Row(
        rollout=rollout,
        requests=len(its),
        bad_answers=len(bad),
        merge_to_first=its[0].at - rollout.merged if its else None,
        first_bad_to_last=span(first_bad, last) if rollout.bad else None,
        command_to_last=span(rollout.rolled_back, last),
    )


def span(begin: float | None, end: float | None) -> float | None:
    """From `begin` to `end`; 0 when the end came first."""
    return None if begin is None or end is None else max(0, end - begin)


def render(report: Report, server_start: float | None = None) -> str:
    def seconds(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f} s"

    heads = ["model", "outcome", "requests", "bad", "merge to 1st request", "1st bad to last", "command to last"]
    table = [heads]
    for row in report.rows:
        times = [row.merge_to_first, row.first_bad_to_last, row.command_to_last]
        counts = [str(row.requests), str(row.bad_answers)]
        table.append([row.rollout.version, row.rollout.outcome, *counts, *map(seconds, times)])
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]

    def align(line: list[str]) -> str:
        cells = (text.ljust(width) if i < 2 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths)))
        return "  ".join(cells).rstrip()

    lines = [align(heads), "  ".join("-" * width for width in widths), *map(align, table[1:]), ""]
    lines += [
        f"requests sent                  {report.sent}",
        f"failed by a model, on purpose  {report.failed - report.failed_by_good}",
        f"failed by a good model         {report.failed_by_good}   (must be 0)",
        f"dropped by us                  {report.dropped}   (must be 0)",
        f"served by a bad canary         {report.served_by_bad}",
    ]
    if server_start is not None:
        lines.append(f"the model server's own start   {server_start:.2f} s, part of merge to 1st request")
    return "\n".join(lines)


def read_records(path: Path) -> list[Record]:
    """The records so far; a line that is just being written is left for the next time."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [Record(**json.loads(line)) for line in lines]


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: report.py RECORDS TIMELINE")
    rollouts = [Rollout(**rollout) for rollout in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))]
    report = compute(read_records(Path(sys.argv[1])), rollouts)
    print(render(report))
    for problem in report.problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
