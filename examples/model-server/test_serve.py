"""Tests of the model server, over real connections to a real process that serves a real model."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / ".demo" / "models"
assert MODELS.is_dir(), "run `make models` first"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(model: str, *options: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("serve.py"))]
    command += ["--model-name", "magika", "--model-version", model, "--model-dir", str(MODELS / model)]
    process = subprocess.Popen([*command, "--port", str(port), *options], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield port, process
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the server did not open its port within 60 s")


def call(port: int, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def tensor(**changes: object) -> dict[str, object]:
    entry = {"name": "bytes", "datatype": "INT32", "shape": [1, 2048], "data": [256] * 2048}
    return {"id": "a", "inputs": [entry | changes]}


def infer(port: int, body: object) -> tuple[int, dict[str, str], bytes]:
    return call(port, "POST", "/v2/models/magika/infer", body)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with serving("v3.3") as (port, _):
        yield port


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/v2/models/magika/ready"])
def test_once_the_port_is_open_the_model_is_ready(server: int, path: str) -> None:
    status, headers, _ = call(server, "GET", path)
    assert status == 200
    assert headers["x-model-version"] == "v3.3"


def test_a_prediction_names_its_label_its_score_and_the_model(server: int) -> None:
    source = Path(__file__).read_bytes()
    row = list(source[:1024]) + list(source.rstrip()[-1024:])
    status, headers, body = infer(server, tensor(data=row))
    answer = json.loads(body)
    assert (status, headers["x-model-version"]) == (200, "v3.3")
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("magika", "v3.3", "a")
    label, score = answer["outputs"]
    assert (label["name"], label["datatype"], label["shape"], label["data"]) == ("label", "BYTES", [1], ["python"])
    assert score["name"] == "score" and 0.9 < score["data"][0] <= 1


def test_a_batch_gets_an_answer_a_row(server: int) -> None:
    status, _, body = infer(server, tensor(shape=[3, 2048], data=[256] * 3 * 2048))
    assert status == 200
    assert json.loads(body)["outputs"][0]["shape"] == [3]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "text"}, "input 'text' is not known"),
        ({"datatype": "FP32"}, "datatype FP32 != INT32"),
        ({"shape": [1, 1536]}, "shape [1, 1536]"),
        ({"shape": [100_000, 2048]}, "shape [100000, 2048]"),
        ({"data": [1, 2, 3]}, "data does not fit"),
        ({"data": ["x"] * 2048}, "data does not fit"),
        ({"data": None}, "data does not fit"),
        ({"data": [2**40] * 2048}, "data does not fit"),
    ],
)
def test_what_does_not_fit_the_signature_gets_400_and_why(server: int, changes: dict[str, object], says: str) -> None:
    status, headers, body = infer(server, tensor(**changes))
    assert status == 400
    assert says in json.loads(body)["error"]
    assert headers["x-model-version"] == "v3.3"


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"inputs": []}', b'{"inputs": [1]}', b"\xff\xfe"])
def test_what_is_no_inference_request_gets_400(server: int, body: bytes) -> None:
    assert infer(server, body)[0] == 400


def test_a_body_over_the_limit_gets_413(server: int) -> None:
    assert infer(server, b" " * (4 * 1024 * 1024 + 1))[0] == 413


def test_another_model_or_version_is_not_here(server: int) -> None:
    assert call(server, "GET", "/v2/models/other")[0] == 404
    assert call(server, "GET", "/v2/models/magika/versions/v9/ready")[0] == 404
    assert call(server, "GET", "/v2/models/magika/versions/v3.3/ready")[0] == 200


def test_the_metadata_shows_that_releases_take_different_inputs(server: int) -> None:
    with serving("v1") as (port, _):
        first = json.loads(call(port, "GET", "/v2/models/magika")[2])
        assert infer(port, tensor())[0] == 400
    current = json.loads(call(server, "GET", "/v2/models/magika")[2])
    assert first["inputs"] == [{"name": "bytes", "datatype": "FP32", "shape": [-1, 1536]}]
    assert current["inputs"] == [{"name": "bytes", "datatype": "INT32", "shape": [-1, 2048]}]
    assert first["outputs"] == current["outputs"]


def test_metrics_count_answers_by_status_and_by_label(server: int) -> None:
    infer(server, tensor())
    infer(server, tensor(name="text"))
    text = call(server, "GET", "/metrics")[2].decode()
    labels = 'model_name="magika",model_version="v3.3"'
    counts = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    by_code = {name: float(value) for name, value in counts.items() if name.startswith("inference_requests_total")}
    assert any('code="200"' in name and value >= 1 for name, value in by_code.items())
    assert any('code="400"' in name and value >= 1 for name, value in by_code.items())
    assert float(counts[f"inference_request_duration_seconds_count{{{labels}}}"]) == sum(by_code.values())
    assert any(name.startswith("inference_predictions_total") for name in counts)
    assert f"inference_top_score_count{{{labels}}}" in counts


def test_sigterm_closes_the_port_and_finishes_what_is_in_flight() -> None:
    with serving("v3.3", "--slow-share", "1", "--slow-ms", "1500") as (port, process):
        slow = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        slow.request("POST", "/v2/models/magika/infer", json.dumps(tensor()))
        infer(port, b"{")  # sent after the slow one, so once it is answered the server holds that one too
        process.send_signal(signal.SIGTERM)
        assert slow.getresponse().status == 200
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_errors_on_purpose_are_500_and_say_so() -> None:
    with serving("v3.3", "--error-share", "1") as (port, _):
        status, headers, body = infer(port, tensor())
        assert (status, headers["x-model-version"]) == (500, "v3.3")
        assert "on purpose" in json.loads(body)["error"]


def test_faults_wait_until_they_are_due() -> None:
    with serving("v3.3", "--error-share", "1", "--faults-after-seconds", "3600") as (port, _):
        assert infer(port, tensor())[0] == 200


@pytest.mark.parametrize("option", [("--error-share", "2"), ("--threads", "many")])
def test_a_wrong_option_is_a_usage_error(option: tuple[str, str]) -> None:
    assert run_to_end(MODELS / "v3.3", *option).returncode == 2


def test_a_broken_model_ends_the_process_before_its_port_opens(tmp_path: Path) -> None:
    whole = (MODELS / "v3.3" / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "config.min.json").write_bytes((MODELS / "v3.3" / "config.min.json").read_bytes())
    ended = run_to_end(tmp_path)
    assert ended.returncode == 1
    assert b"cannot load the model" in ended.stderr


def test_labels_of_another_model_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes((MODELS / "v3.3" / "model.onnx").read_bytes())
    (tmp_path / "config.min.json").write_text('{"target_labels_space": ["only", "two"]}')
    ended = run_to_end(tmp_path)
    assert ended.returncode == 1
    assert b"names 2 labels" in ended.stderr


def run_to_end(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(Path(__file__).with_name("serve.py")), "--model-name", "magika"]
    command += ["--model-version", "v", "--model-dir", str(folder), "--port", str(free_port()), *options]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, env=os.environ)
