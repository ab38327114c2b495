#!/usr/bin/env python3
"""Measures what the README promises, on the controller as it is shipped, with real git, Envoy and model servers.

Prints a line a figure, `name value limit ok|SHORT`, and exits 1 when one falls short, 2 when one cannot be measured.
Notes go to standard error. Standard library only; what it starts is known by its folder and ended with it.
"""

import argparse
import asyncio
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import git_figures
import surface_figures

ROOT = Path(__file__).resolve().parents[1]
SERVER = ROOT / "Tests" / "Integration" / "Fixtures" / "model_server.py"
PATIENCE = 120.0  # seconds for anything to happen
START = 1.5  # seconds that the model server of the merge takes until its port opens

RUNTIME = """\
apiVersion: controller/v1
kind: ServingRuntime
metadata: {name: echo}
spec:
  formats: [{name: echo}]
  command: [%s, "-SE", %s, "--host=${host}", "--port=${port}", "--model-name=${model.name}",
    "--model-version=${model.version}", "--model-path=${model.path}", "--faults=${parameters.faults}"]
  readiness: {path: "/v2/models/${model.name}/ready", period: %s, timeout: 1s}
  shutdown: {drain: 1s, grace: 5s}
"""

DEPLOYMENT = """\
apiVersion: controller/v1
kind: ModelDeployment
metadata: {name: %(name)s}
spec:
  model: {name: echo, version: "%(version)s", format: echo, uri: "%(uri)s"}
  runtime: echo
  parameters: {faults: "%(faults)s"}
  route: {pathPrefix: "/%(name)s"}
  rollout:
    steps: [{weight: 50, atLeast: 1h, atMost: 2h}]
    bakeTime: 0s
"""


# A push to main as GitHub tells of it, but for most of its 8 KB about the repository and its people.
PUSH = b'{"ref":"refs/heads/main","forced":false,"commits":[],"padding":"' + b"x" * 8192 + b'"}'


class Unmeasured(Exception):
    """A figure could not be had; the message says why."""


def eventually(what: str, condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + PATIENCE
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise Unmeasured(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.01)


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row, below those that the system gives to outgoing connections."""

    def is_free(port: int) -> bool:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
            return True

    for first in range(18_000 + os.getpid() % 100 * 100, 31_000, count):
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise Unmeasured(f"there are no {count} free ports in a row")


class Bench:
    """A daemon in a folder of its own, with a repository to merge to."""

    def __init__(self, controller: Path, interval: str, probes: str, secret: str | None) -> None:
        self.controller, self.interval, self.probes, self.secret = controller, interval, probes, secret
        # Below /tmp, because a Unix socket's path has room for 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="cb-", dir="/tmp"))
        self.port = free_ports(40)
        self.socket = self.folder / "c.sock"
        self.clone, self.remote = self.folder / "clone", self.folder / "remote.git"
        self.model = self.folder / "models" / "weights"
        self.daemon: subprocess.Popen[bytes] | None = None
        # The folder in it is what replicas are known by.
        self.environment = {
            "PATH": f"{self.folder}/bin:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.folder),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Bench",
            "GIT_AUTHOR_EMAIL": "bench@models.example",
            "GIT_COMMITTER_NAME": "Bench",
            "GIT_COMMITTER_EMAIL": "bench@models.example",
        }

    def start(self) -> None:
        envoy = (ROOT / ".venv" / "bin" / "envoy-proxy").resolve()
        python = (ROOT / ".venv" / "bin" / "python").resolve()
        for program in (self.controller, envoy, python):
            if not program.is_file():
                raise Unmeasured(f"{program} is missing: run `make setup release`")
        self.model.parent.mkdir()
        self.model.write_text("weights\n", encoding="utf-8")
        self.git("init", "--quiet", "--bare", "-b", "main", str(self.remote))
        self.git("init", "--quiet", "-b", "main", str(self.clone))
        runtime = RUNTIME % (json.dumps(str(python)), json.dumps(str(SERVER)), self.probes)
        (self.clone / "runtime.yaml").write_text(runtime, encoding="utf-8")
        settings = {
            "stateDirectory": f"{self.folder}/state",
            "socket": str(self.socket),
            "repositories": [{"name": "models", "url": self.remote.as_uri(), "interval": self.interval, "notes": True}],
            "artifacts": {"fileRoots": [str(self.model.parent)]},
            "local": {
                "envoy": str(envoy),
                "listen": f"127.0.0.1:{self.port}",
                "ports": f"{self.port + 1}-{self.port + 38}",
            },
        }
        if self.secret:
            file = self.folder / "webhook-secret"
            file.write_text(self.secret, encoding="utf-8")
            settings["webhooks"] = {"listen": f"127.0.0.1:{self.port + 39}"}
            settings["repositories"][0]["webhook"] = {"kind": "github", "secretFile": str(file)}
        # JSON is YAML.
        (self.folder / "controller.yaml").write_text(json.dumps(settings), encoding="utf-8")
        with (self.folder / "controller.log").open("wb") as log:
            self.daemon = subprocess.Popen(
                [self.controller, "run", "--config", self.folder / "controller.yaml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        eventually("the controller answers", lambda: self.fleet() is not None)

    def merge(self, name: str, version: str, faults: str = "none", uri: str | None = None) -> float:
        """The time at which the change was in the watched branch."""
        values = {"name": name, "version": version, "faults": faults, "uri": uri or self.model.as_uri()}
        (self.clone / f"{name}.yaml").write_text(DEPLOYMENT % values, encoding="utf-8")
        self.git("-C", str(self.clone), "add", "--all")
        self.git("-C", str(self.clone), "commit", "--quiet", "-m", f"Serve {name} {version}")
        self.git("-C", str(self.clone), "push", "--quiet", str(self.remote), "main")
        return time.time()

    def deliver(self, body: bytes) -> None:
        """Tells of a push as GitHub does."""
        code = hmac.new((self.secret or "").encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={code}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port + 39, timeout=10)
        try:
            connection.request("POST", "/webhooks/models", body=body, headers=headers)
            if (status := connection.getresponse().status) != 202:
                raise Unmeasured(f"a delivery is answered with {status}")
        finally:
            connection.close()

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], check=True, env=self.environment, timeout=60)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.controller, *arguments, "--socket", self.socket]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=self.environment, check=False)

    def fleet(self) -> dict[str, dict] | None:
        """The deployments by name; nothing while the daemon does not answer."""
        done = self.command("get", "--output", "json")
        if self.daemon is not None and self.daemon.poll() is not None:
            raise Unmeasured((self.folder / "controller.log").read_text(encoding="utf-8"))
        if done.returncode != 0:
            return None
        return {deployment["name"]: deployment for deployment in json.loads(done.stdout)["deployments"]}

    def status(self, name: str) -> dict:
        return (self.fleet() or {}).get(name) or {}

    def serves(self, name: str, version: str) -> None:
        def check() -> bool:
            status = self.status(name)
            return status.get("phase") == "settled" and (status.get("stable") or {}).get("modelVersion") == version

        eventually(f"{name} {version} serves", check)

    def canary(self, name: str) -> str:
        """Waits for the canary's traffic; its revision as the router names it."""

        def check() -> str | None:
            canary = self.status(name).get("canary") or {}
            return canary["revision"][:10] if canary.get("weight") else None

        return str(eventually(f"the canary of {name} has traffic", check))

    def processes(self) -> list[int]:
        wanted = os.fsencode(self.folder) + b"/"

        def is_own(pid: int) -> bool:
            try:
                process = Path("/proc") / str(pid)
                return wanted in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                return False  # ended meanwhile, or another user's

        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [pid for pid in numbers if pid != os.getpid() and is_own(pid)]

    def start_of(self, argument: str) -> float | None:
        """When its process with that argument was started, in seconds since the machine was; exact to 10 ms."""
        for pid in self.processes():
            try:
                process = Path("/proc") / str(pid)
                if argument.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    fields = (process / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
                    return int(fields[19]) / os.sysconf("SC_CLK_TCK")
            except OSError:
                pass  # ended meanwhile
        return None

    def close(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
        deadline = time.monotonic() + 10
        while (pids := self.processes()) and time.monotonic() < deadline:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # ended meanwhile
            time.sleep(0.02)
        shutil.rmtree(self.folder)


class ModelHost:
    """A server of models that remembers when it was first asked for which, in seconds since the machine's start."""

    def __init__(self) -> None:
        self.asked: dict[str, float] = {}
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.setdefault(self.path.strip("/"), time.clock_gettime(time.CLOCK_BOOTTIME))
                body = f"the weights of {self.path}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def address(self, version: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{version}"

    def __enter__(self) -> "ModelHost":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Load:
    """Users on connections of their own: about 200 requests a second; remembers who answered when."""

    USERS = 8

    def __init__(self, bench: Bench, name: str) -> None:
        self.answers: list[tuple[float, int, str]] = []  # Unix seconds of the end, status, revision
        self.errors: list[Exception] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.use, args=(bench.port, name)) for _ in range(self.USERS)]
        for thread in self.threads:
            thread.start()

    def use(self, port: int, name: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            # The server answers 404 under this path; whose answer it is, is all that matters.
            while not self.ended.wait(self.USERS / 200):
                connection.request("POST", f"/{name}", body="{}")
                answer = connection.getresponse()
                answer.read()
                self.answers.append((time.time(), answer.status, answer.headers.get("x-controller-revision", "")))
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(error)
        finally:
            connection.close()

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise Unmeasured(f"requests failed: {self.errors}")

    def times(self, revision: str) -> list[float]:
        return sorted(time for time, _, by in self.answers if by == revision)


@contextmanager
def running(
    controller: Path, interval: str = "2s", probes: str = "250ms", secret: str | None = None
) -> Iterator[Bench]:
    bench = Bench(controller, interval, probes, secret)
    try:
        bench.start()
        yield bench
    finally:
        bench.close()


# MARK: - Figures

Figures = dict[str, tuple[float, float, str]]  # by name: value, limit, unit


def rollback(controller: Path) -> Figures:
    """From the start of `controller rollback` to the last request that the warm canary answered: the median of five."""
    values = []
    with running(controller) as bench:
        bench.merge("echo", "1")
        bench.serves("echo", "1")
        for round in range(2, 7):
            load = Load(bench, "echo")
            try:
                bench.merge("echo", str(round))
                revision = bench.canary("echo")
                eventually("the canary answers", lambda: len(load.times(revision)) > 50)
                start = time.time()
                done = bench.command("rollback", "echo", "--why", "measured")
                if done.returncode != 0:
                    raise Unmeasured(f"controller rollback: {done.stderr}")
                bench.serves("echo", "1")
                time.sleep(0.5)
            finally:
                load.end()
            values.append((load.times(revision)[-1] - start) * 1000)
    note("rollback", values)
    return {"rollback-command-to-last-canary-request": (statistics.median(values), 200, "ms")}


def merge(controller: Path) -> Figures:
    """From the push to the canary's first answer, less what its server takes to start: the worst of three."""
    values = []
    with running(controller) as bench:
        bench.merge("echo", "1")
        bench.serves("echo", "1")
        for round in range(2, 5):
            load = Load(bench, "echo")
            try:
                pushed = bench.merge("echo", str(round), f"start={START}")
                revision = bench.canary("echo")
                eventually("the canary answers", lambda: load.times(revision))
                bench.command("rollback", "echo", "--why", "measured")
                bench.serves("echo", "1")
            finally:
                load.end()
            values.append(load.times(revision)[0] - pushed - START)
    note("merge", values)
    return {"merge-to-first-canary-request-beyond-server-start": (max(values), 5, "s")}


def webhook(controller: Path) -> Figures:
    """From a delivery, the push being in the repository, to the first effect: the medians of nine. That is a replica's
    process where the model is on the machine already, and a request for the model where it is not."""
    started, asked = [], []
    with running(controller, interval="1h", secret=secrets.token_hex(32)) as bench, ModelHost() as host:
        bench.merge("echo", "1")
        bench.deliver(PUSH)
        bench.serves("echo", "1")
        for round in range(2, 20):
            time.sleep(3)  # what the last round has git told, and wakes that are free again
            version = str(round)
            bench.merge("echo", version, uri=host.address(version) if round % 2 else None)
            begin = time.clock_gettime(time.CLOCK_BOOTTIME)
            bench.deliver(PUSH)
            time.sleep(1)  # without a look that takes time from who is measured
            argument = f"--model-version={version}"
            start = eventually(f"a replica of {version} is started", lambda: bench.start_of(argument))
            if round % 2:
                asked.append((host.asked[version] - begin) * 1000)
            else:
                started.append((float(start) - begin) * 1000)
            bench.canary("echo")
            bench.command("rollback", "echo", "--why", "measured")
            bench.serves("echo", "1")
    note("webhook, model here", started)
    note("webhook, model elsewhere", asked)
    return {
        "webhook-to-first-replica": (statistics.median(started), 500, "ms"),
        "webhook-to-first-fetch": (statistics.median(asked), 500, "ms"),
    }


def idle(controller: Path) -> Figures:
    """A daemon with ten deployments of which nothing is asked, over 60 s; git and replicas are looked at as often as by
    default."""
    names = [f"model-{number}" for number in range(10)]
    with running(controller, interval="30s", probes="1s") as bench:
        for name in names:
            bench.merge(name, "1")
        for name in names:
            bench.serves(name, "1")
        time.sleep(5)
        process = Path("/proc") / str(bench.daemon.pid)

        def seconds() -> float:
            # With its children that ended: git, for the polls.
            fields = (process / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
            return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

        begin, used = time.monotonic(), seconds()
        time.sleep(60)
        share = (seconds() - used) / (time.monotonic() - begin) * 100
        status = (process / "status").read_text(encoding="utf-8")
        memory = int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024
    return {"idle-memory-ten-deployments": (memory, 60, "MiB"), "idle-cpu-ten-deployments": (share, 1, "%")}


def printed_by(program: str) -> Callable[[Path], Figures]:
    """The figures that a program prints, which was built beside the controller and runs the core alone."""
    return lambda controller: of_program(controller.with_name(program))


def of_program(program: Path) -> Figures:
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, timeout=900, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    if done.returncode not in (0, 1) or any(len(line) != 4 for line in lines):
        raise Unmeasured(f"{program.name} ended with {done.returncode}: {done.stdout}")

    def number(text: str) -> tuple[float, str]:
        digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%")
        return float(digits), text[len(digits) :]

    return {name: (number(value)[0], *number(limit)) for name, value, limit, _ in lines}


def of_git(figures: Callable[[Path], Figures]) -> Callable[[Path], Figures]:
    """Of the daemon's own git, in a program that was built beside the controller."""

    def measure(controller: Path) -> Figures:
        try:
            return figures(controller.with_name("core-benchmark"))
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise Unmeasured(f"git: {error}") from error

    return measure


def of_surface(controller: Path) -> Figures:
    """Of the API beside the reconcile loop, in a program that was built beside the controller."""
    try:
        return surface_figures.figures(controller.with_name("core-benchmark"))
    except (OSError, RuntimeError, ExceptionGroup, asyncio.TimeoutError) as error:
        raise Unmeasured(f"surface: {error}") from error


def note(name: str, values: list[float]) -> None:
    print(f"# {name}: {', '.join(f'{value:.3g}' for value in values)}", file=sys.stderr)


FIGURES: list[tuple[list[str], Callable[[Path], Figures]]] = [
    (["rollback-command-to-last-canary-request"], rollback),
    (["merge-to-first-canary-request-beyond-server-start"], merge),
    (["webhook-to-first-replica", "webhook-to-first-fetch"], webhook),
    (["idle-memory-ten-deployments", "idle-cpu-ten-deployments"], idle),
    (["core-tick", "core-growth", "core-memory"], printed_by("core-benchmark")),
    (
        [
            "judging-update",
            "judging-10000-gates",
            "judging-false-rollbacks",
            "judging-false-rollbacks-incident",
            "judging-fivefold-errors",
            "judging-fivefold-bad-answers",
            "judging-half-failing",
            "judging-promotion",
            "judging-not-promoted",
        ],
        printed_by("judging-benchmark"),
    ),
    (
        [
            "git-cold-start",
            "git-idle-poll",
            "git-one-commit",
            "git-one-commit-decisions",
            "git-idle-poll-many",
            "git-one-commit-many",
        ],
        of_git(git_figures.figures),
    ),
    (["git-merges-time", "git-merges-memory", "git-merges-descriptors"], of_git(git_figures.merges)),
    (
        [
            "surface-loop-before",
            "surface-loop-loaded",
            "surface-read-p99",
            "surface-watchers-lost",
            "surface-memory-growth",
        ],
        of_surface,
    ),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controller", type=lambda text: Path(text).resolve(), required=True, help="the program")
    parser.add_argument("--filter", type=re.compile, default=re.compile(""), help="a regular expression of names")
    options = parser.parse_args()
    print(f"# load averages: {', '.join(f'{load:.1f}' for load in os.getloadavg())}", file=sys.stderr)
    short = False
    for names, measure in FIGURES:
        if not any(options.filter.search(name) for name in names):
            continue
        try:
            figures = measure(options.controller)
        except Unmeasured as error:
            print(f"error: {', '.join(names)}: {error}", file=sys.stderr)
            return 2
        for name, (value, limit, unit) in figures.items():
            if options.filter.search(name):
                short |= value > limit
                print(f"{name} {value:.3g}{unit} {limit:g}{unit} {'ok' if value <= limit else 'SHORT'}", flush=True)
    return 1 if short else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("error: interrupted: what was started has ended, and no more is measured", file=sys.stderr)
        sys.exit(130)
