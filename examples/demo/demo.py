#!/usr/bin/env python3
"""Five acts of real rollouts on this machine: real models, real git, real traffic, the real controller.

Everything the demo uses is in .demo/run of this repository and on ports that nobody else has. It ends what it started
however it ends: done, failed, Ctrl-C or SIGTERM. After a failure the folder, with all logs, is kept.
"""

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import report
from console import Console
from daemon import DEPLOYMENT, Daemon, DaemonError, Status
from report import Rollout
from sandbox import REPOSITORY, Sandbox, SandboxError, free_ports
from team import Release, Team

PATIENCE = 90  # seconds that anything may take: a rollout here takes half of that
POLL = 0.4
REPLICA_PORTS = 100
BUSY = 200  # milliseconds of a median request: beyond, requests would pile up and time out
ROLLBACK_AIM = 0.2  # seconds from the command to the last request that goes to a warm canary

FAULTS = {"threads": "1", "slowShare": "0", "slowMilliseconds": "800", "errorShare": "0", "faultsAfterSeconds": "6"}
V32 = Release("3.2", "v3.2")
V33 = Release("3.3", "v3.3")
V1 = Release("1.0", "v1", golden=False)
V1_FORCED = Release("1.0", "v1", golden=False, signature="any")
SLOW = Release("3.4-slow", "v3.3", runtime="onnx-faulty", parameters={**FAULTS, "slowShare": "0.2"})
FAILING = Release("3.4-failing", "v3.3", runtime="onnx-faulty", parameters={**FAULTS, "errorShare": "0.2"})
V331 = Release("3.3.1", "v3.3")
V332 = Release("3.3.2", "v3.3")


class DemoFailure(Exception):
    """Something that had to be true was not."""


class Demo:
    def __init__(self, sandbox: Sandbox, controller: Path, rate: float) -> None:
        self.sandbox, self.rate = sandbox, rate
        self.console = Console()
        ports = free_ports(REPLICA_PORTS + 2)
        self.port, self.spare_port = ports[0], ports[1]
        self.models = REPOSITORY / ".demo" / "models"
        self.team = Team(sandbox, self.models)
        self.daemon = Daemon(controller, sandbox, self.port, ports[2:], self.team.remote, self.models)
        self.records = sandbox.folder / "requests.jsonl"
        self.summary = sandbox.folder / "load.json"
        self.load: subprocess.Popen[bytes] | None = None
        self.rollouts: list[Rollout] = []
        self.server_start: float | None = None

    def run(self) -> None:
        self.set_the_stage()
        self.act_1_promotion()
        self.act_2_another_signature()
        self.act_3_slow_and_failing()
        self.act_4_operator_rollback()
        self.act_5_crash()
        self.end_load()
        self.tell_the_result()

    # MARK: The acts

    def set_the_stage(self) -> None:
        self.console.title("Setting the stage")
        self.console.say(
            f"""A bare git repository with one ModelDeployment, a controller that watches its branch main every 2 s,
            and Envoy on 127.0.0.1:{self.port}. All of it is in {self.sandbox.folder}."""
        )
        self.team.set_up()
        self.team.merge(V32, "Serve file-type with Magika 3.2")
        self.daemon.configure()
        self.daemon.start()
        self.wait("3.2 to serve", lambda status: status.phase == "settled" and status.stable == V32.version)
        self.console.ok("Magika 3.2 serves: a first revision has nothing to be compared with, so it takes over at once")
        self.start_load()
        self.server_start = self.measure_server_start()
        self.console.ok(f"{self.rate:g} real requests a second, from files of this repository")

    def act_1_promotion(self) -> None:
        self.console.title("Act 1: a good release is promoted")
        rollout = self.merge(V33, "Upgrade Magika to 3.3")
        weights: list[int] = []

        def reaches(weight: int) -> Callable[[Status], bool]:
            def holds(status: Status) -> bool:
                weights.append(status.canary_weight)
                return status.canary_weight >= weight or self.is_promoted(status, V33)

            return holds

        self.wait("3.3 to get a quarter of the traffic", reaches(25))
        self.console.say(f"$ controller status {DEPLOYMENT}")
        self.console.show(self.daemon.command("status", DEPLOYMENT))
        self.wait("3.3 to be promoted", reaches(101))
        self.wait("3.3 to end its bake", lambda status: status.phase == "settled" and status.stable == V33.version)
        self.finish(rollout, "promoted")
        seen = sorted(set(weights))
        self.check({5, 25, 50} <= set(seen), f"the canary went through 5, 25 and 50 % (seen: {seen})")
        self.check_only_bad_failed()

    def act_2_another_signature(self) -> None:
        self.console.title("Act 2: a model that takes another input")
        self.console.say(
            """Magika 1.0 takes 1536 floats where 3.x takes 2048 integers. It starts, is ready, and would answer 400 to
            every client: a gate on 5xx would promote it."""
        )
        rollout = self.merge(V1, "Go back to Magika 1.0", bad=True)
        self.wait("1.0 to be stopped", self.is_rolled_back(V1))
        reason = self.quarantine_reason(V1)
        self.finish(rollout, "stopped by the preflight")
        self.check("signature" in reason.lower(), f"stopped by the signature preflight: {reason}")
        self.check(self.count(V1, rollout) == 0, "no request went to 1.0")

        self.console.say(
            """The team insists: `signature: any` switches the preflight off, and an operator lifts the quarantine with
            `controller retry`. Now only the gate on 4xx stands between 1.0 and everybody."""
        )
        rollout = self.merge(V1_FORCED, "Accept Magika 1.0's other input", bad=True)
        self.wait("the new manifest to arrive", self.is_at_commit(self.team.commit()))
        self.operate("retry", DEPLOYMENT, "--why", "the clients are about to be changed")
        self.wait("1.0 to be tried", lambda status: status.canary == V1.version or status.phase == "rolling-back")
        self.wait("1.0 to be rolled back", self.is_rolled_back(V1))
        reason = self.quarantine_reason(V1)
        self.finish(rollout, "rolled back by a gate (no preflight)")
        self.check("client-errors" in reason, f"rolled back by client-errors: {reason}")
        self.check(self.count(V1, rollout) > 0, "some requests had to go to 1.0 to find that out")
        self.check_only_bad_failed()

    def act_3_slow_and_failing(self) -> None:
        self.console.title("Act 3: a release that is slow, and one that fails, on a share of requests")
        for release, gate, subject in [
            (SLOW, "latency", "Release 3.4, slow on one request in five"),
            (FAILING, "errors", "Release 3.4, failing on one request in five"),
        ]:
            slow_ms = 500 if release is SLOW else None
            rollout = self.merge(release, subject, bad=True, slow_ms=slow_ms)
            self.wait(f"{release.version} to be rolled back", self.is_rolled_back(release))
            reason = self.quarantine_reason(release)
            self.finish(rollout, "rolled back by a gate")
            self.check(self.names_gate(reason, gate), f"rolled back by {gate}: {reason}")
            self.check_only_bad_failed()
            self.show_note()

    def act_4_operator_rollback(self) -> None:
        self.console.title("Act 4: an SRE takes a promoted release back")
        rollout = self.merge(V331, "Repackage Magika 3.3 as 3.3.1")
        self.wait("3.3.1 to bake", lambda status: status.phase == "baking" and status.stable == V331.version)
        self.console.ok("3.3.1 is promoted and bakes: 3.3 is kept warm")
        rollout.rolled_back = time.time()
        self.operate("rollback", DEPLOYMENT, "--why", "support reports wrong labels for audio files")
        status = self.wait("3.3 to be back", self.is_rolled_back(V331))
        self.finish(rollout, "rolled back by command")
        self.check(status.stable == V33.version, "3.3 serves again, and 3.3.1 is quarantined")
        seconds = report.compute(self.read_records(), [rollout]).rows[0].command_to_last
        self.check(seconds is not None, "requests went to 3.3.1 before the command")
        aim = "within" if seconds is not None and seconds <= ROLLBACK_AIM else "NOT within"
        self.console.ok(f"the last request to 3.3.1 was sent {seconds:.3f} s after the command: {aim} {ROLLBACK_AIM} s")
        self.check_only_bad_failed()
        self.console.say("What the controller says about it:")
        self.console.show(self.daemon.command("explain", DEPLOYMENT))

    def act_5_crash(self) -> None:
        self.console.title("Act 5: the controller dies in the middle of a rollout")
        rollout = self.merge(V332, "Repackage Magika 3.3 as 3.3.2")
        self.wait("3.3.2 to get traffic", lambda status: status.canary == V332.version and status.canary_weight > 0)
        before = self.daemon.status()
        self.daemon.kill()
        self.console.ok("kill -9 of the controller: models and Envoy go on, and the weights stay")
        sent = self.read_summary().get("sent", 0)
        self.wait_for_load(sent + int(3 * self.rate))
        self.check_only_bad_failed()
        self.daemon.start()
        after = self.wait("the controller to go on", lambda status: status.canary == V332.version)
        kept = before is not None and before.canary_endpoints == after.canary_endpoints != []
        self.check(kept, "the controller is back and found its replicas again: none was started anew")
        self.wait("3.3.2 to be promoted", lambda status: self.is_promoted(status, V332))
        self.finish(rollout, "promoted")
        self.check_only_bad_failed()

    def tell_the_result(self) -> None:
        self.console.title("What the clients saw")
        timeline = self.sandbox.folder / "timeline.json"
        timeline.write_text(json.dumps([asdict(rollout) for rollout in self.rollouts]), encoding="utf-8")
        result = report.compute(self.read_records(), self.rollouts)
        self.console.show(report.render(result, self.server_start))
        if result.problems:
            raise DemoFailure("; ".join(result.problems))

    # MARK: What is done

    def merge(self, release: Release, subject: str, bad: bool = False, slow_ms: float | None = None) -> Rollout:
        merged = self.team.merge(release, subject)
        self.console.say(f"Merged: {subject}")
        self.console.show(self.team.change())
        rollout = Rollout(release.version, "", merged, bad=bad, slow_ms=slow_ms)
        self.rollouts.append(rollout)
        return rollout

    def operate(self, *command: str) -> None:
        self.console.say(f"$ controller {' '.join(part if ' ' not in part else repr(part) for part in command)}")
        self.console.show(self.daemon.command(*command))

    def finish(self, rollout: Rollout, outcome: str) -> None:
        self.settle_records()
        rollout.ended = time.time()
        rollout.outcome = outcome
        self.console.ok(f"{rollout.version}: {outcome}, {time.time() - rollout.merged:.0f} s after the merge")

    def show_note(self) -> None:
        deadline = time.monotonic() + 30
        while (note := self.team.note()) is None:
            if time.monotonic() > deadline:
                raise DemoFailure("the commit has no note from the controller: see `git log --notes=rollouts`")
            time.sleep(POLL)
        self.console.say("The commit carries the outcome, for every clone to see: git log -1 --notes=rollouts")
        self.console.show(note)

    # MARK: What must be true

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            raise DemoFailure(f"not true: {what}")
        self.console.ok(what)

    def check_only_bad_failed(self) -> None:
        problems = report.compute(self.read_records(), self.rollouts).problems
        if problems:
            raise DemoFailure("; ".join(problems))
        self.console.ok("no request was dropped, and none failed at a good model")

    def is_rolled_back(self, release: Release) -> Callable[[Status], bool]:
        def holds(status: Status) -> bool:
            if status.stable == release.version and status.phase == "settled":
                raise DemoFailure(f"{release.version} was promoted")
            return status.phase == "settled" and status.quarantine(release.version) is not None

        return holds

    @staticmethod
    def is_promoted(status: Status, release: Release) -> bool:
        return status.stable == release.version and status.phase in ("baking", "settled")

    @staticmethod
    def is_at_commit(commit: str) -> Callable[[Status], bool]:
        return lambda status: (status.json.get("desired") or {}).get("commit") == commit

    @staticmethod
    def names_gate(reason: str, gate: str) -> bool:
        """Whether `gate` is named in the reason, and not as a part of another's name (`errors` of `client-errors`)."""
        return gate in reason.replace(f"client-{gate}", "")

    def quarantine_reason(self, release: Release) -> str:
        status = self.daemon.status()
        return (status.quarantine(release.version) if status else None) or ""

    def count(self, release: Release, rollout: Rollout) -> int:
        return sum(record.model == release.version and record.at >= rollout.merged for record in self.read_records())

    def wait(self, what: str, until: Callable[[Status], bool]) -> Status:
        """Shows what goes on until it is as it should be."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.check_processes()
            status = self.daemon.status()
            if status is not None:
                self.console.now(status.key, status.describe(), self.describe_load())
                if until(status):
                    self.console.end_live()
                    return status
            if time.monotonic() > deadline:
                last = status.describe() + f"\n{status.json['message']}" if status else "it does not answer"
                raise DemoFailure(f"waited {PATIENCE} s for {what}; the controller's last words: {last}")
            time.sleep(POLL)

    def check_processes(self) -> None:
        if self.daemon.process is not None and self.daemon.process.poll() is not None:
            raise DemoFailure(
                f"the controller ended by itself with {self.daemon.process.returncode}:\n{self.daemon.last_words()}"
            )
        if self.load is not None and self.load.poll() is not None:
            raise DemoFailure(f"the load generator ended by itself with {self.load.returncode}: see load.log")

    # MARK: The load

    def start_load(self) -> None:
        files = [REPOSITORY / name for name in ("Makefile", "README.md", "Sources", "Tests", "manifests")]
        files = [path for path in [*files, REPOSITORY / "examples" / "file-type" / "samples"] if path.exists()]
        command = [sys.executable, str(REPOSITORY / "examples" / "demo" / "load.py"), "--port", str(self.port)]
        command += ["--rate", str(self.rate), "--seconds", "900", "--records", str(self.records)]
        command += ["--summary", str(self.summary), "--files", *map(str, files)]
        with (self.sandbox.folder / "load.log").open("ab") as log:
            self.load = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.sandbox.environment(),
                start_new_session=True,
            )
        self.wait_for_load(int(3 * self.rate))
        p50 = self.read_summary()["recent"]["p50"]
        if p50 is None or p50 > BUSY:
            raise DemoFailure(
                f"a request takes {p50} ms and ought to take 15: other programs use this machine's processors; "
                f"try again when they are done, or with fewer requests: make demo RATE={self.rate / 4:g}"
            )
        self.check_only_bad_failed()

    def end_load(self) -> None:
        if self.load is None:
            return
        self.load.send_signal(signal.SIGTERM)
        code = self.load.wait(timeout=30)
        self.load = None
        if code != 0:
            raise DemoFailure(f"the load generator ended with {code}: see load.log")

    def wait_for_load(self, sent: int) -> None:
        """Until that many requests were sent in all."""
        deadline = time.monotonic() + PATIENCE
        while (now := self.read_summary().get("sent", 0)) < sent:
            self.check_processes()
            if time.monotonic() > deadline:
                raise DemoFailure(f"only {now} of {sent} requests were sent in {PATIENCE} s: see load.log")
            time.sleep(0.1)

    def settle_records(self) -> None:
        """Until the requests that are in flight now have surely been written down."""
        if self.load is not None:
            self.wait_for_load(self.read_summary().get("sent", 0) + int(self.rate))

    def read_summary(self) -> dict[str, Any]:
        return json.loads(self.summary.read_text(encoding="utf-8")) if self.summary.exists() else {}

    def describe_load(self) -> str:
        summary = self.read_summary()
        if not summary:
            return ""
        recent = summary["recent"]
        p50 = recent["p50"] or 0
        return f"  |  {summary['sent']} sent, {summary['dropped']} dropped, p50 {p50:.0f} ms"

    def read_records(self) -> list[report.Record]:
        return report.read_records(self.records)

    def measure_server_start(self) -> float:
        """How long the model server needs by itself, under the same load: what no controller can be faster than."""
        command = [str(self.sandbox.binaries / "magika-model-server"), "--model-name", "magika", "--model-version", "0"]
        command += ["--model-dir", str(self.models / V33.model), "--port", str(self.spare_port)]
        begin = time.monotonic()
        log = (self.sandbox.folder / "server-start.log").open("ab")
        with log, subprocess.Popen(command, stdout=log, stderr=log, env=self.sandbox.environment()) as server:
            try:
                while not is_open(self.spare_port):
                    if server.poll() is not None or time.monotonic() - begin > PATIENCE:
                        raise DemoFailure("the model server does not start by itself: see server-start.log")
                    time.sleep(0.02)
                return time.monotonic() - begin
            finally:
                server.kill()

    def clean_up(self, keep: bool) -> None:
        """Ends all that was started. The order keeps the controller from replacing replicas that are ended."""
        if self.load is not None:
            self.load.kill()
            self.load.wait()
        self.daemon.stop()
        self.sandbox.close(keep=keep)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Interrupted(Exception):
    """Ctrl-C or SIGTERM."""


def interrupt(number: int, _: object) -> None:
    raise Interrupted(signal.Signals(number).name)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--controller", required=True, type=Path, help="the program, such as .build/debug/controller")
    parser.add_argument("--rate", default=40, type=float, help="requests a second")
    parser.add_argument("--keep", action="store_true", help="keep .demo/run, with logs and records, also on success")
    options = parser.parse_args(arguments)
    options.controller = options.controller.resolve()
    if not options.controller.is_file():
        parser.error(f"{options.controller} does not exist: run `make build`")
    return options


def main() -> int:
    options = parse(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    begin = time.monotonic()
    demo, code = None, 1
    try:
        sandbox = Sandbox(REPOSITORY / ".demo" / "run", REPOSITORY / ".venv")
        if shutil.which("git") is None:
            raise SandboxError("git is missing: install it")
        sandbox.open()
        demo = Demo(sandbox, options.controller, options.rate)
        demo.run()
        code = 0
    except (DemoFailure, DaemonError, SandboxError, RuntimeError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
    except Interrupted as error:
        print(f"\ninterrupted by {error}", file=sys.stderr)
        code = 130
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # cleaning up is not to be interrupted; it is bounded
        if demo is not None:
            keep = options.keep or code != 0
            demo.clean_up(keep=keep)
            if keep:
                print(f"logs and records: {demo.sandbox.folder}", file=sys.stderr)
    if code == 0:
        print(f"\nAll five acts in {time.monotonic() - begin:.0f} s; everything that was started has ended.")
    return code


if __name__ == "__main__":
    sys.exit(main())
