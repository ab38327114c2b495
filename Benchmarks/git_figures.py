"""What git costs: the daemon's part of it against git's own commands, on a real server, in the same run."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFESTS = 10_000
MANY = 100_000  # references, and files, of a large repository
ROUNDS = 9
MERGES = 10_000
MERGED = 100  # manifests of the repository that they go to: what is kept of each is full after a third of the merges
WINDOW = 500  # of them, whose median is compared
PATIENCE = 300  # seconds for any one command

RUNTIME = """\
apiVersion: controller/v1
kind: ServingRuntime
metadata: {name: onnx}
spec:
  formats: [{name: onnx, priority: 1}]
  protocol: open-inference-v2
  command: [serve, "--port=${port}", "--model=${model.path}"]
  readiness: {path: "/v2/models/${model.name}/ready"}
"""

MANIFEST = """\
# Served by team-%(team)03d; see https://models.example/cards/model-%(number)05d for what it is good at, what it was
# trained on, and whom to ask. Owners are told of every rollout.
apiVersion: controller/v1
kind: ModelDeployment
metadata:
  name: model-%(number)05d
  namespace: team-%(team)03d
  labels: {team: team-%(team)03d, tier: standard}
spec:
  model:
    name: model-%(number)05d
    version: "%(version)s"
    format: onnx
    uri: https://models.example/model-%(number)05d/%(version)s.tar.gz
    digest: sha256:%(digest)064x
    source: {run: "https://mlflow.example/runs/%(digest)032x", commit: "%(digest)040x"}
  replicas: 2
  resources: {cpu: "2", memory: 1Gi}
  route: {pathPrefix: /team-%(team)03d/model-%(number)05d}
  slos:
    - {name: availability, objective: 99.5, indicator: {availability: {}}, window: 30d}
    - {name: latency, objective: 95, indicator: {latency: {below: 250ms}}, window: 30d}
  rollout:
    steps:
      - {weight: 5, atLeast: 2m}
      - {weight: 25, atLeast: 2m}
      - {weight: 50, atLeast: 2m}
    bakeTime: 10m
"""


def path(number: int) -> str:
    return f"deployments/team-{number % 100:03d}/model-{number:05d}.yaml"


def manifest(number: int, version: int) -> bytes:
    values = {"number": number, "team": number % 100, "version": version, "digest": number * 1000 + version}
    return (MANIFEST % values).encode()


class Server:
    """A bare repository behind `git daemon`, and `core-benchmark` that watches it."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="gb-", dir="/tmp"))
        self.remote = self.folder / "served" / "models.git"
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.commits = 0
        self.daemon: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self, manifests: int) -> None:
        self.remote.parent.mkdir()
        self.git("init", "--quiet", "--bare", "-b", "main", str(self.remote))
        self.git("-C", str(self.remote), "config", "gc.auto", "0")
        files = {"runtime.yaml": RUNTIME.encode()} | {path(n): manifest(n, 1) for n in range(manifests)}
        self.commit(files)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"git://127.0.0.1:{port}/models.git"
        command = ["git", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", f"--port={port}"]
        self.daemon = subprocess.Popen(
            [*command, f"--base-path={self.remote.parent}", str(self.remote.parent)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while subprocess.run(["git", "ls-remote", self.url], env=self.environment, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError("git daemon does not answer")
            time.sleep(0.05)

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            check=True,
            env=self.environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
        )
        return done.stdout

    def commit(self, files: dict[str, bytes]) -> None:
        self.commits += 1
        stream = [b"commit refs/heads/main\ncommitter Bench <bench@models.example> %d +0000\n" % self.commits]
        stream.append(b"data 6\nChange\n" + (b"from refs/heads/main^0\n" if self.commits > 1 else b""))
        stream += [b"M 100644 inline %s\ndata %d\n%s\n" % (n.encode(), len(b), b) for n, b in files.items()]
        self.git("-C", str(self.remote), "fast-import", "--quiet", stdin=b"".join(stream))

    def prepare(self, changes: list[dict[str, bytes]]) -> list[str]:
        """Commits one after the other that no branch names yet, in one pack: their ids."""
        stream, marks = [], self.folder / "marks"
        for number, files in enumerate(changes, 1):
            self.commits += 1
            parent = b"from refs/heads/main^0\n" if number == 1 else b""
            stream.append(b"commit refs/heads/coming\nmark :%d\n" % number)
            stream.append(b"committer Bench <bench@models.example> %d +0000\ndata 6\nChange\n" % self.commits + parent)
            stream += [b"M 100644 inline %s\ndata %d\n%s\n" % (n.encode(), len(b), b) for n, b in files.items()]
        arguments = ("fast-import", "--quiet", f"--export-marks={marks}")
        self.git("-C", str(self.remote), *arguments, stdin=b"".join(stream))
        pairs = (line.split() for line in marks.read_text(encoding="utf-8").splitlines())
        ids = {int(mark[1:]): commit for mark, commit in pairs}
        return [ids[number] for number in range(1, len(changes) + 1)]

    def move(self, commit: str) -> None:
        """As a push ends, without a program."""
        reference = self.remote / "refs" / "heads" / "main"
        draft = reference.with_suffix(".lock")
        draft.write_text(commit + "\n", encoding="utf-8")
        draft.replace(reference)

    def enlarge(self) -> None:
        """As many references and files as a large monorepo has."""
        self.commit({f"data/{n % 300:03d}/{n:06d}.csv": b"%d\n" % n for n in range(MANY - MANIFESTS)})
        head = self.git("-C", str(self.remote), "rev-parse", "main").decode().strip()
        # Written as git packs them, sorted.
        references = "".join(f"{head} refs/tags/build-{n:06d}\n" for n in range(MANY))
        header = "# pack-refs with: peeled fully-peeled sorted \n"
        packed = self.remote / "packed-refs"
        packed.write_text(f"{header}{head} refs/heads/main\n{references}", encoding="utf-8")

    def close(self) -> None:
        if self.daemon is not None:
            self.daemon.terminate()
            self.daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Watcher:
    """The daemon's own git, reader and loop, in a program that does what it is told."""

    def __init__(self, server: Server, name: str) -> None:
        folder = server.folder / name
        folder.mkdir()
        self.process = subprocess.Popen(
            [server.program, "git", server.url, folder],
            env=server.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, word: str) -> list[float]:
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended with {self.process.wait()}")
        return [float(part) for part in line.split()]

    def memory(self) -> float:
        """MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)


@contextmanager
def serving(program: Path, manifests: int = MANIFESTS) -> Iterator[Server]:
    server = Server(program)
    try:
        server.start(manifests)
        yield server
    finally:
        server.close()


@contextmanager
def watching(server: Server, name: str) -> Iterator[Watcher]:
    watcher = Watcher(server, name)
    try:
        yield watcher
    finally:
        watcher.close()


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def note(text: str) -> None:
    print(f"# git: {text}", file=sys.stderr, flush=True)


def cold(server: Server) -> float:
    """From nothing to the desired state, against what git and libyaml alone take for the same."""
    ratios = []
    for round in range(3):
        clone = server.folder / f"cold-{round}.git"
        cloned = milliseconds(lambda: server.git("clone", "--quiet", "--bare", "--depth=1", server.url, str(clone)))
        listed = server.git("-C", str(clone), "ls-tree", "-r", "--format=%(objectname)", "HEAD")
        start = time.perf_counter()
        blobs = server.git("-C", str(clone), "cat-file", "--batch", stdin=listed)
        read = (time.perf_counter() - start) * 1000
        done = subprocess.run([server.program, "events"], input=blobs, stdout=subprocess.PIPE, check=True, timeout=60)
        parsed, texts, _ = (float(part) for part in done.stdout.split())
        with watching(server, f"cold-{round}") as watcher:
            polled, decoded, _, _, deployments = watcher.say("poll")
        if deployments != MANIFESTS or texts != MANIFESTS + 1:
            raise RuntimeError(f"{deployments:.0f} deployments of {texts:.0f} texts, {MANIFESTS} expected")
        ratios.append((polled + decoded) / (cloned + read + parsed))
        baseline = f"clone {cloned:.0f}, cat-file {read:.0f}, libyaml {parsed:.0f}"
        note(f"cold start {polled:.0f} + reading {decoded:.0f} ms against {baseline} ms: {ratios[-1]:.2f}")
    return statistics.median(ratios)


def warm(server: Server, watcher: Watcher, what: str) -> tuple[float, float, float, float, int]:
    """Polls with nothing new and with one changed file, in turn with git's own commands.

    Ratio of an idle poll, of a commit; milliseconds of both; the most decisions that one commit took.
    """
    clone = server.folder / f"{what}.git"
    server.git("clone", "--quiet", "--bare", "--depth=1", server.url, str(clone))
    idle, listed, changed, fetched, decisions = [], [], [], [], 0
    for round in range(ROUNDS):
        listed.append(milliseconds(lambda: server.git("ls-remote", "--refs", server.url, "refs/heads/main")))
        idle.append(sum(watcher.say("poll")[:3]))
        number = (round * 1117) % MANIFESTS
        server.commit({path(number): manifest(number, 2 + server.commits)})
        reference = "+refs/heads/main:refs/heads/main"
        fetch = ["-C", str(clone), "fetch", "--quiet", "--no-tags", server.url, reference]
        fetched.append(milliseconds(lambda: server.git(*fetch)))
        *times, decided, _ = watcher.say("poll")
        changed.append(sum(times))
        decisions = max(decisions, int(decided))
        watcher.say("look")
        parts = " + ".join(f"{time:.1f}" for time in times)
        note(f"{what}: idle {idle[-1]:.1f} against {listed[-1]:.1f} ms; commit {parts} against {fetched[-1]:.1f} ms")
    medians = [statistics.median(values) for values in (idle, listed, changed, fetched)]
    return medians[0] / medians[1], medians[2] / medians[3], medians[0], medians[2], decisions


def figures(program: Path) -> dict[str, tuple[float, float, str]]:
    with serving(program) as server:
        start = cold(server)
        with watching(server, "watched") as watcher:
            watcher.say("poll")
            watcher.say("settle")
            idle, commit, idle_time, commit_time, decisions = warm(server, watcher, "small")
            server.enlarge()
            watcher.say("poll")
            _, _, idle_many, commit_many, _ = warm(server, watcher, "large")
    return {
        "git-cold-start": (start, 1.5, "x"),
        "git-idle-poll": (idle, 1.2, "x"),
        "git-one-commit": (commit, 1.3, "x"),
        "git-one-commit-decisions": (decisions, 1, ""),
        "git-idle-poll-many": (idle_many / idle_time, 1.2, "x"),
        "git-one-commit-many": (commit_many / commit_time, 1.2, "x"),
    }


def merges(program: Path) -> dict[str, tuple[float, float, str]]:
    """One merge after the other: what the last ones cost against the first ones."""
    times, memory, descriptors = [], [], []
    with serving(program, MERGED) as server, watching(server, "watched") as watcher:
        watcher.say("poll")
        watcher.say("settle")
        numbers = [(number * 117) % MERGED for number in range(MERGES)]
        changes = [{path(n): manifest(n, 2 + count)} for count, n in enumerate(numbers)]
        for number, commit in enumerate(server.prepare(changes)):
            server.move(commit)
            *spent, decided, _ = watcher.say("poll")
            if decided != 1:
                raise RuntimeError(f"merge {number} took {decided:.0f} decisions")
            watcher.say("look")
            times.append(sum(spent))
            if (number + 1) % WINDOW == 0:
                memory.append(watcher.memory())
                descriptors.append(watcher.descriptors())
                window = statistics.median(times[-WINDOW:])
                parts = f"{window:.1f} ms, {memory[-1]:.0f} MiB, {descriptors[-1]} descriptors"
                note(f"{number + 1} merges of {MERGES}: {parts}")
    # The first window fills caches; what is remembered of each deployment is bounded, and full by the half.
    first, last = (statistics.median(part) for part in (times[WINDOW : 2 * WINDOW], times[-WINDOW:]))
    return {
        "git-merges-time": (last / first, 1.2, "x"),
        "git-merges-memory": (memory[-1] / memory[len(memory) // 2 - 1], 1.1, "x"),
        "git-merges-descriptors": (max(descriptors) - descriptors[0], 2, ""),
    }
