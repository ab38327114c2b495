"""What the API costs the reconcile loop: 1,000 watchers and 200 reads a second, on 10,000 deployments.

The loop and the server are the real ones, over a world in memory. Both sides share this machine, so that what the
load takes is in the figures, too.
"""

import asyncio
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

DEPLOYMENTS = 10_000
ROLLOUTS = 500
WATCHERS = 1_000
READS = 200  # a second
COMMANDS = 5  # a second: what there is to tell
CONNECTIONS = 32  # over which the reads go
PATIENCE = 600.0  # seconds for the fleet to be there, and for all to be told what there is
SECONDS = float(os.environ.get("SURFACE_SECONDS", "600"))
BEFORE = min(60.0, SECONDS)
NAMESPACES = 50


class Server:
    def __init__(self, process: asyncio.subprocess.Process, socket: str) -> None:
        self.process, self.socket, self.lock = process, socket, asyncio.Lock()

    async def sample(self) -> tuple[float, float, float]:
        """When, how long the loop has been busy, and the resident memory in MiB."""
        async with self.lock:
            self.process.stdin.write(b"\n")
            busy, _, memory = (await asyncio.wait_for(self.process.stdout.readline(), 60)).split()
        return time.monotonic(), float(busy), float(memory)

    async def share(self, seconds: float) -> float:
        """The milliseconds of each second in which the loop is busy: one tick of it looks at all deployments."""
        begin, busy, _ = await self.sample()
        await asyncio.sleep(seconds)
        end, later, _ = await self.sample()
        return (later - busy) / (end - begin) * 1000

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self.socket, limit=1 << 20)


@asynccontextmanager
async def served(program: Path) -> AsyncIterator[Server]:
    # A socket's path has room for 107 bytes.
    folder = tempfile.mkdtemp(prefix="cs-", dir="/tmp")
    process = await asyncio.create_subprocess_exec(
        program,
        "surface",
        str(DEPLOYMENTS),
        str(ROLLOUTS),
        f"{folder}/c.sock",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        if line != b"ready\n":
            raise RuntimeError(f"the server did not start: {line.decode()}")
        yield Server(process, f"{folder}/c.sock")
    finally:
        process.kill()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


class Counts:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.watching = self.messages = self.broken = self.refused = 0


async def watch(server: Server, number: int, door: asyncio.Semaphore, counts: Counts) -> None:
    """A tenth of them of all deployments, a third of one, the others of a namespace."""
    scope = "" if number % 10 == 0 else f"?namespace=team-{number % NAMESPACES}"
    if number % 3 == 1:
        scope = f"?deployment=team-{number % NAMESPACES}/model-{number}"
    # A socket's queue of those who come is short, and asyncio takes a full one for a connection.
    async with door:
        reader, writer = await server.connect()
        writer.write(f"GET /api/v1/watch{scope} HTTP/1.1\r\nHost: controller\r\n\r\n".encode())
        status = await reader.readline()
    if b" 200 " not in status:
        counts.refused += 1
        return
    counts.watching += 1
    while chunk := await reader.read(1 << 16):
        counts.messages += chunk.count(b"event: ")
    counts.broken += 1


class Connection:
    """One after the other over HTTP/1.1."""

    def __init__(self, server: Server) -> None:
        self.server, self.lock = server, asyncio.Lock()
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: str = "", headers: str = "") -> tuple[int, str]:
        """The status and the tag."""
        async with self.lock:
            if self.streams is None:
                self.streams = await self.server.connect()
            reader, writer = self.streams
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: controller\r\n{headers}{length}\r\n{body}".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            await reader.readexactly(int(fields.get("content-length", "0")))
            return int(head.split(" ", 2)[1]), fields.get("etag", "")


def paths(draw: random.Random) -> str:
    deployment = draw.randrange(DEPLOYMENTS)
    name = f"team-{deployment % NAMESPACES}/model-{deployment}"
    return draw.choice(
        [
            f"/api/v1/deployments/{name}",
            f"/api/v1/deployments?namespace=team-{deployment % NAMESPACES}",
            f"/api/v1/deployments?limit=50&after={name}",
            "/api/v1/deployments?phase=stepping&limit=100",
            "/api/v1/events?limit=50",
            "/healthz",
        ]
    )


async def read(connections: list[Connection], counts: Counts, until: float) -> None:
    """At their times, whether the ones before were answered or not."""
    draw = random.Random(1)
    tags: dict[str, str] = {}

    async def one(path: str, connection: Connection) -> None:
        begin = time.monotonic()
        known = f"If-None-Match: {tags[path]}\r\n" if path in tags else ""
        status, tag = await connection.send("GET", path, headers=known)
        counts.times.append(time.monotonic() - begin)
        if status not in (200, 304):
            raise RuntimeError(f"{path} was answered {status}")
        if tag:
            tags[path] = tag

    async with asyncio.TaskGroup() as group:
        number, begin = 0, time.monotonic()
        while (due := begin + number / READS) < until:
            await asyncio.sleep(max(0, due - time.monotonic()))
            group.create_task(one(paths(draw), connections[number % len(connections)]))
            number += 1


async def command(server: Server, until: float) -> None:
    connection, number = Connection(server), 0
    while time.monotonic() < until:
        await asyncio.sleep(1 / COMMANDS)
        deployment = number // 2 % DEPLOYMENTS
        verb = "resume" if number % 2 else "pause"
        path = f"/api/v1/deployments/team-{deployment % NAMESPACES}/model-{deployment}/commands"
        status, _ = await connection.send("POST", path, json.dumps({"verb": verb, "why": "to be told"}))
        if status != 200:
            raise RuntimeError(f"{path} was answered {status}")
        number += 1


async def measure(program: Path) -> dict[str, tuple[float, float, str]]:
    async with served(program) as server:
        before = await server.share(BEFORE)
        counts = Counts()
        door = asyncio.Semaphore(CONNECTIONS)
        watchers = [asyncio.create_task(watch(server, number, door, counts)) for number in range(WATCHERS)]
        deadline = time.monotonic() + PATIENCE
        while counts.watching + counts.refused < WATCHERS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{counts.watching} of {WATCHERS} watch after {PATIENCE:.0f} s")
            await asyncio.sleep(0.1)
        # Those who have just come are told what there is.
        told = -1
        while told != counts.messages and time.monotonic() < deadline:
            told = counts.messages
            await asyncio.sleep(2)
        connections = [Connection(server) for _ in range(CONNECTIONS)]
        until = time.monotonic() + SECONDS
        # A minute in, all that is kept of readers has been filled.
        start = asyncio.create_task(later(server, min(60, SECONDS / 4)))
        loaded, _, _ = await asyncio.gather(
            server.share(SECONDS), read(connections, counts, until), command(server, until)
        )
        _, _, memory = await server.sample()
        _, _, first = await start
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    counts.times.sort()
    p99 = counts.times[int(len(counts.times) * 0.99)] * 1000
    print(
        f"# surface: {counts.watching} watchers, {counts.broken} broken off, {counts.messages} messages; "
        f"{len(counts.times)} reads, median {counts.times[len(counts.times) // 2] * 1000:.2f} ms; the loop busy "
        f"{before:.1f} ms/s before and {loaded:.1f} ms/s under load; {first:.0f} MiB, then {memory:.0f} MiB",
        file=sys.stderr,
    )
    return {
        "surface-loop-before": (before, 1000, "ms/s"),
        "surface-loop-loaded": (loaded, before * 1.5, "ms/s"),
        "surface-read-p99": (p99, 50, "ms"),
        "surface-watchers-lost": (float(counts.broken + counts.refused), 0, ""),
        "surface-memory-growth": (memory / first, 1.1, ""),
    }


async def later(server: Server, seconds: float) -> tuple[float, float, float]:
    await asyncio.sleep(seconds)
    return await server.sample()


def figures(program: Path) -> dict[str, tuple[float, float, str]]:
    # Each side has a descriptor for each connection, and the server takes half of what it may open.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    return asyncio.run(measure(program))
