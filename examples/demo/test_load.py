"""Tests of the load generator, against small servers that misbehave in known ways."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from load import Connection, Record, parse_head, read_bodies
from report import read_records

HERE = Path(__file__).resolve().parent


class Model(BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        inputs = json.loads(body)["inputs"][0]
        assert (inputs["shape"], len(inputs["data"])) == ([1, 2048], 2048)
        if self.path == "/reset":
            self.close_connection = True
            return
        if self.path == "/slow":
            time.sleep(0.3)
        self.send_response(503 if self.path == "/made-up" else 200)
        if self.path != "/made-up":
            self.send_header("x-model-version", "3.3")
            self.send_header("X-Controller-Revision", "abc")
        if self.path == "/chunked":
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
            return
        self.send_header("content-length", "2")
        if self.path == "/close":
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    accepted = 0

    def process_request(self, request: object, client: object) -> None:
        self.accepted += 1
        super().process_request(request, client)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener(("127.0.0.1", 0), Model) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def command(folder: Path, port: int, *options: str) -> list[str]:
    files = str(HERE.parent / "file-type" / "samples")
    fixed = ["--port", str(port), "--records", str(folder / "records"), "--summary", str(folder / "summary")]
    return [sys.executable, str(HERE / "load.py"), "--files", files, *fixed, *options]


def run(folder: Path, port: int, *options: str) -> tuple[list[Record], dict[str, object]]:
    subprocess.run(command(folder, port, *options), check=True, timeout=60)
    return read_records(folder / "records"), json.loads((folder / "summary").read_text())


def test_every_request_is_recorded_with_who_answered(listener: Listener, tmp_path: Path) -> None:
    records, summary = run(tmp_path, listener.server_port, "--rate", "200", "--limit", "50")
    assert len(records) == 50
    assert {(record.status, record.model, record.revision, record.error) for record in records} == {
        (200, "3.3", "abc", None)
    }
    assert all(record.ms > 0 for record in records)
    assert (summary["sent"], summary["answered"], summary["failed"], summary["dropped"]) == (50, 50, 0, 0)


def test_connections_are_used_again(listener: Listener, tmp_path: Path) -> None:
    run(tmp_path, listener.server_port, "--rate", "50", "--limit", "40")
    assert listener.accepted < 20


@pytest.mark.parametrize("path", ["/chunked", "/close"])
def test_other_ways_to_end_an_answer_are_read_to_the_end(listener: Listener, tmp_path: Path, path: str) -> None:
    records, _ = run(tmp_path, listener.server_port, "--rate", "200", "--limit", "20", "--path", path)
    assert [record.status for record in records] == [200] * 20


def test_a_lost_connection_is_a_dropped_request(listener: Listener, tmp_path: Path) -> None:
    records, summary = run(tmp_path, listener.server_port, "--rate", "200", "--limit", "10", "--path", "/reset")
    assert len(records) == summary["dropped"] == 10
    assert all(record.status is None and record.error for record in records)


def test_an_answer_without_the_models_mark_is_a_dropped_request(listener: Listener, tmp_path: Path) -> None:
    _, summary = run(tmp_path, listener.server_port, "--rate", "200", "--limit", "10", "--path", "/made-up")
    assert (summary["answered"], summary["failed"], summary["dropped"]) == (10, 10, 10)


def test_nobody_listening_is_recorded_too(tmp_path: Path) -> None:
    with Listener(("127.0.0.1", 0), Model) as server:
        port = server.server_port
    records, _ = run(tmp_path, port, "--rate", "200", "--limit", "5")
    assert all(record.error and "ConnectionRefusedError" in record.error for record in records)


def test_slow_answers_do_not_hold_up_the_next_requests(listener: Listener, tmp_path: Path) -> None:
    records, _ = run(tmp_path, listener.server_port, "--rate", "100", "--limit", "50", "--path", "/slow")
    times = sorted(record.at for record in records)
    assert times[-1] - times[0] < 50 * 0.3 / 2  # one after the other they would take 15 s


def test_an_answer_that_takes_too_long_is_lost(listener: Listener, tmp_path: Path) -> None:
    options = ["--rate", "100", "--limit", "5", "--path", "/slow", "--timeout", "0.05"]
    records, _ = run(tmp_path, listener.server_port, *options)
    assert all(record.error and "TimeoutError" in record.error for record in records)


def test_it_stops_on_sigterm_and_waits_for_what_is_in_flight(listener: Listener, tmp_path: Path) -> None:
    arguments = command(tmp_path, listener.server_port, "--rate", "20", "--path", "/slow", "--seconds", "600")
    process = subprocess.Popen(arguments)
    deadline = time.monotonic() + 30
    while not read_records(tmp_path / "records") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    records = read_records(tmp_path / "records")
    assert records and all(record.status == 200 for record in records)
    assert len(records) == json.loads((tmp_path / "summary").read_text())["sent"]


@pytest.mark.parametrize("option", [("--host", "192.0.2.1"), ("--rate", "0"), ("--seconds", "-1")])
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, option: tuple[str, str]) -> None:
    done = subprocess.run(command(tmp_path, 1, *option), capture_output=True, timeout=60, check=False)
    assert done.returncode == 2


def test_heads_are_read_whatever_their_case() -> None:
    assert parse_head(b"HTTP/1.1 200 OK\r\nX-Model-Version:  3.3 \r\na: b:c\r\n\r\n") == (
        200,
        {"x-model-version": "3.3", "a": "b:c"},
    )
    with pytest.raises(ValueError):
        parse_head(b"SSH-2.0-x y\r\n\r\n")


def test_an_answer_without_end_is_refused() -> None:
    async def skip(text: bytes, headers: dict[str, str]) -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(text)
        reader.feed_eof()
        await Connection(reader, None).skip_body(headers)  # type: ignore[arg-type]

    with pytest.raises(ValueError):
        asyncio.run(skip(b"", {"content-length": "999999999"}))
    with pytest.raises(ValueError):
        asyncio.run(skip(b"fffffff\r\n", {"transfer-encoding": "chunked"}))


def test_files_that_no_model_can_look_at_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"1234567")
    (tmp_path / "blank").write_bytes(b" " * 50)
    (tmp_path / "text").write_bytes(b"  enough of it\n")
    assert len(read_bodies([tmp_path])) == 1
