"""Tests of what the demo's table says."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from load import Record
from report import Report, Rollout, compute, read_records, render


def answer(at: float, model: str, status: int = 200, ms: float = 10) -> Record:
    return Record(at=at, ms=ms, status=status, model=model)


def only_row(records: list[Record], rollout: Rollout) -> object:
    return compute(records, [rollout]).rows[0]


def test_an_answer_that_no_model_gave_is_dropped_by_us() -> None:
    lost = Record(at=1, ms=3, error="ConnectionResetError: ")
    made_up = Record(at=2, ms=3, status=503)
    report = compute([answer(0, "1"), lost, made_up], [])
    assert (report.sent, report.dropped, report.failed) == (3, 2, 0)
    assert "2 requests were dropped" in report.problems[0]


def test_a_failure_at_a_good_model_is_a_problem_and_at_a_bad_one_is_not() -> None:
    records = [answer(0, "1", 500), answer(1, "2", 500), answer(2, "2")]
    report = compute(records, [Rollout("2", "rolled back", merged=0, bad=True)])
    assert (report.failed, report.failed_by_good, report.served_by_bad) == (2, 1, 2)
    assert report.problems == ["1 requests failed at a model that is not meant to fail"]


def test_no_requests_at_all_are_a_problem() -> None:
    assert compute([], []).problems == ["no requests were sent"]


def test_times_run_from_the_merge_and_from_the_first_bad_answer() -> None:
    records = [answer(9, "2"), answer(12, "2"), answer(13, "2", 400, ms=500), answer(15, "2"), answer(16, "1")]
    row = only_row(list(reversed(records)), Rollout("2", "rolled back", merged=10, bad=True))
    assert (row.requests, row.bad_answers) == (3, 1)
    assert row.merge_to_first == 2
    assert row.first_bad_to_last == 1.5
    assert row.command_to_last is None


def test_a_slow_answer_is_bad_where_slowness_is_what_is_wrong() -> None:
    records = [answer(1, "2", ms=400), answer(2, "2", ms=900)]
    assert only_row(records, Rollout("2", "", merged=0, bad=True, slow_ms=500)).bad_answers == 1
    assert only_row(records, Rollout("2", "", merged=0, bad=True)).bad_answers == 0


def test_a_version_that_is_tried_twice_has_a_row_each_time() -> None:
    records = [answer(1, "2"), answer(11, "2"), answer(12, "2")]
    rollouts = [Rollout("2", "", merged=0, ended=10, bad=True), Rollout("2", "", merged=10, ended=20, bad=True)]
    assert [row.requests for row in compute(records, rollouts).rows] == [1, 2]


def test_a_command_after_the_last_request_took_no_time() -> None:
    row = only_row([answer(1, "2")], Rollout("2", "", merged=0, rolled_back=5))
    assert row.command_to_last == 0


def test_a_rollout_without_requests_has_no_times() -> None:
    row = only_row([answer(1, "1")], Rollout("2", "stopped", merged=0, bad=True, rolled_back=3))
    assert (row.requests, row.merge_to_first, row.first_bad_to_last, row.command_to_last) == (0, None, None, None)


def test_the_table_has_a_line_a_rollout_and_the_sums() -> None:
    report = Report(sent=9, failed=2, dropped=0, failed_by_good=0, served_by_bad=3, rows=compute([], ROLLOUTS).rows)
    text = render(report, server_start=0.5)
    assert text.splitlines()[2].startswith("3.3    promoted")
    assert "dropped by us                  0   (must be 0)" in text
    assert "failed by a model, on purpose  2" in text
    assert "0.50 s" in text


ROLLOUTS = [Rollout("3.3", "promoted", merged=1), Rollout("3.3.1", "rolled back by command", merged=2)]


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(asdict(answer(1, "1"))) + '\n{"at": 2, "m')
    assert read_records(path) == [answer(1, "1")]
    assert read_records(tmp_path / "absent") == []


@pytest.mark.parametrize(("model", "code"), [("3.3", 0), (None, 1)])
def test_the_program_fails_when_a_request_was_dropped(tmp_path: Path, model: str | None, code: int) -> None:
    (tmp_path / "records").write_text(json.dumps(asdict(Record(at=3, ms=1, status=200, model=model))) + "\n")
    (tmp_path / "timeline").write_text(json.dumps([asdict(rollout) for rollout in ROLLOUTS]))
    program = [sys.executable, str(Path(__file__).with_name("report.py"))]
    done = subprocess.run(
        [*program, str(tmp_path / "records"), str(tmp_path / "timeline")], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "requests sent                  1" in done.stdout
