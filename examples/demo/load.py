#!/usr/bin/env python3
"""Sends a steady rate of real requests to a model, and writes down what became of each.

Open loop: a request is sent when it is due, whether or not those before it were answered, as users do. Every request
becomes a line of JSON in `--records`, in the order of their ends; nothing is retried, so whatever the router or the
controller drops shows. Ends after `--seconds`, or `--limit` requests, or on SIGTERM, and then waits for what is in flight.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "file-type"))
import features  # noqa: E402  (a neighbour, not a package)

CONNECTIONS = 256
HEADER_LIMIT = 64 * 1024
BODY_LIMIT = 1024 * 1024
STALL = 0.25  # seconds by which the schedule may be late before it gives up catching up
RECENT = 5.0  # seconds that the live summary looks back


@dataclass(frozen=True)
class Record:
    """One request: when it was sent (Unix time), how long it took, and who answered what."""

    at: float
    ms: float
    status: int | None = None
    model: str | None = None  # x-model-version: put on by the model server, so absent from a router's own answers
    revision: str | None = None  # x-controller-revision: put on by the router
    error: str | None = None  # why there is no answer


class Connection:
    """One HTTP/1.1 connection that is kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.reusable = True

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        return cls(*await asyncio.open_connection(host, port, limit=HEADER_LIMIT))

    async def exchange(self, head: bytes, body: bytes) -> tuple[int, dict[str, str]]:
        """Sends a request and reads its answer to the end, so that the connection can carry the next one."""
        self.writer.write(head + body)
        await self.writer.drain()
        status, headers = parse_head(await self.reader.readuntil(b"\r\n\r\n"))
        await self.skip_body(headers)
        self.reusable = headers.get("connection", "").lower() != "close"
        return status, headers

    async def skip_body(self, headers: dict[str, str]) -> None:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            left = BODY_LIMIT
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                if (left := left - size) < 0:
                    raise ValueError("the answer is too large")
                await self.reader.readexactly(size + 2)
            await self.reader.readuntil(b"\r\n")
        else:
            length = int(headers.get("content-length", "0"))
            if length > BODY_LIMIT:
                raise ValueError("the answer is too large")
            await self.reader.readexactly(length)

    def close(self) -> None:
        self.writer.close()


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = lines[0].split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not an HTTP/1 answer: {lines[0][:80]!r}")
    fields = (line.partition(":") for line in lines[1:] if line)
    return int(status), {name.strip().lower(): value.strip() for name, _, value in fields}


class Summary:
    """What the last seconds looked like, for a person to watch."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.sent = self.answered = self.failed = self.dropped = 0
        self.recent: deque[Record] = deque()

    def add(self, record: Record) -> None:
        self.answered += record.status is not None
        self.failed += record.status is not None and record.status >= 400
        self.dropped += record.model is None
        self.recent.append(record)

    def write(self) -> None:
        if self.path is None:
            return
        now = time.time()
        while self.recent and self.recent[0].at < now - RECENT:
            self.recent.popleft()
        times = sorted(record.ms for record in self.recent if record.status is not None)
        summary = {
            "time": now,
            "sent": self.sent,
            "answered": self.answered,
            "failed": self.failed,
            "dropped": self.dropped,
            "recent": {
                "seconds": RECENT,
                "count": len(self.recent),
                "models": Counter(record.model or "none" for record in self.recent),
                "p50": times[len(times) // 2] if times else None,
                "p99": times[len(times) * 99 // 100] if times else None,
            },
        }
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(summary))
        scratch.replace(self.path)


class Generator:
    """Sends `bodies`, in a random order, at a steady rate."""

    def __init__(self, options: argparse.Namespace, bodies: list[bytes], records: TextIO) -> None:
        self.options, self.bodies, self.records = options, bodies, records
        self.summary = Summary(options.summary)
        self.idle: list[Connection] = []
        self.tickets = asyncio.Semaphore(CONNECTIONS)
        self.order = random.Random(options.seed)
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        begin = due = loop.time()
        async with asyncio.TaskGroup() as requests:
            writer = asyncio.create_task(self.write_summaries())
            while self.summary.sent < self.options.limit and not await self.stops_before(due):
                if loop.time() - begin >= self.options.seconds:
                    break
                # After a stall of the whole machine the schedule moves on: making up for it would be a burst that
                # no user sent.
                due = max(due, loop.time() - STALL) + 1 / self.options.rate
                self.summary.sent += 1
                requests.create_task(self.send(self.order.choice(self.bodies)))
        writer.cancel()
        self.summary.write()
        for connection in self.idle:
            connection.close()

    async def stops_before(self, due: float) -> bool:
        """Waits until the next request is due, or until it is time to stop."""
        try:
            async with asyncio.timeout_at(due):
                await self.stopping.wait()
        except TimeoutError:
            pass
        return self.stopping.is_set()

    async def write_summaries(self) -> None:
        while True:
            self.summary.write()
            await asyncio.sleep(0.5)

    async def send(self, body: bytes) -> None:
        async with self.tickets:
            begin, at = time.perf_counter(), time.time()
            try:
                async with asyncio.timeout(self.options.timeout):
                    status, headers = await self.exchange(body)
            except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                record = Record(at, since(begin), error=f"{type(error).__name__}: {error}")
            else:
                record = Record(
                    at, since(begin), status, headers.get("x-model-version"), headers.get("x-controller-revision")
                )
        self.summary.add(record)
        self.records.write(json.dumps(asdict(record)) + "\n")
        self.records.flush()

    async def exchange(self, body: bytes) -> tuple[int, dict[str, str]]:
        host, port = self.options.host, self.options.port
        connection = self.idle.pop() if self.idle else await Connection.open(host, port)
        head = f"POST {self.options.path} HTTP/1.1\r\nhost: {host}:{port}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        try:
            answer = await connection.exchange(head.encode("latin-1"), body)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            self.idle.append(connection)
        else:
            connection.close()
        return answer


def since(begin: float) -> float:
    return round((time.perf_counter() - begin) * 1000, 3)


def read_bodies(roots: Iterable[Path]) -> list[bytes]:
    """One request a file, of the files in and below `roots` that the model can look at."""
    found = []
    for root in roots:
        for path in sorted([root] if root.is_file() else root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                body = features.request(path.read_bytes())
                if body is not None:
                    found.append(json.dumps(body, separators=(",", ":")).encode())
    return found


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--path", default="/v2/models/magika/infer")
    parser.add_argument("--files", required=True, type=Path, nargs="+", help="files and folders to ask about")
    parser.add_argument("--rate", default=40, type=float, help="requests a second")
    parser.add_argument("--seconds", default=60, type=float)
    parser.add_argument("--limit", default=1_000_000, type=int, help="requests at the most")
    parser.add_argument("--timeout", default=10, type=float, help="seconds until a request counts as lost")
    parser.add_argument("--records", required=True, type=Path, help="where the lines of JSON go")
    parser.add_argument("--summary", type=Path, help="a file that is replaced twice a second")
    parser.add_argument("--seed", default=1, type=int, help="of the order of the requests")
    options = parser.parse_args(arguments)
    if options.rate <= 0 or options.seconds <= 0 or options.limit <= 0 or options.timeout <= 0:
        parser.error("--rate, --seconds, --limit and --timeout must be above 0")
    if options.host not in ("127.0.0.1", "::1", "localhost"):
        parser.error("--host must be this machine: the load is for a server of your own")
    return options


def main() -> None:
    options = parse(sys.argv[1:])
    bodies = read_bodies(options.files)
    if not bodies:
        sys.exit(f"error: no file of {features.SMALLEST} bytes or more in {' '.join(map(str, options.files))}")
    with options.records.open("a", encoding="utf-8") as records:
        asyncio.run(Generator(options, bodies, records).run())


if __name__ == "__main__":
    main()
