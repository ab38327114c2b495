"""The controller under the demo: its daemon, and its commands as an operator types them."""

import json
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import REPOSITORY, Sandbox

DEPLOYMENT = "file-type"


class DaemonError(Exception):
    """The daemon or a command of it did not do what it must."""


@dataclass(frozen=True)
class Status:
    """One deployment, as `controller get NAME --output json` shows it."""

    json: dict[str, Any]

    @property
    def phase(self) -> str:
        return self.json["phase"]

    @property
    def stable(self) -> str | None:
        """The stable model's version."""
        return (self.json.get("stable") or {}).get("modelVersion")

    @property
    def canary(self) -> str | None:
        return (self.json.get("canary") or {}).get("modelVersion")

    @property
    def canary_weight(self) -> int:
        """Percent; 0 also when there is no canary, or its weight is not known."""
        return (self.json.get("canary") or {}).get("weight") or 0

    @property
    def canary_endpoints(self) -> list[str]:
        return sorted(replica.get("endpoint") or "" for replica in (self.json.get("canary") or {}).get("replicas", []))

    def quarantine(self, version: str) -> str | None:
        """Why a version is quarantined; nothing when it is not."""
        reasons = [entry["reason"] for entry in self.json["quarantined"] if entry["modelVersion"] == version]
        return reasons[-1] if reasons else None

    def describe(self) -> str:
        """One line: where the traffic is, how far the rollout is, and what it waits for."""
        parts = [self.phase.ljust(12), f"stable {self.stable or '-'}"]
        if self.canary:
            # After a start it is unknown for a moment, and not 0.
            weight = self.json["canary"].get("weight", "?")
            parts.append(f"canary {self.canary} at {weight} %")
        parts += [f"{gate['name']} {gate['outcome']}" for gate in self.json["gates"] if gate["outcome"] == "failed"]
        parts += [f"held: {hold['why']}" for hold in self.json["holds"]]
        return ", ".join(parts)

    @property
    def key(self) -> tuple[object, ...]:
        """What makes one moment another than the last."""
        return self.phase, self.stable, self.canary, self.canary_weight, len(self.json["holds"])


class Daemon:
    def __init__(
        self, program: Path, sandbox: Sandbox, port: int, replica_ports: range, remote: Path, models: Path
    ) -> None:
        self.program, self.sandbox, self.remote, self.models = program, sandbox, remote, models
        self.port, self.replica_ports = port, replica_ports
        self.socket = sandbox.folder / "controller.sock"
        self.log = sandbox.folder / "controller.log"
        self.configuration = sandbox.folder / "controller.yaml"
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self) -> None:
        runtimes = [REPOSITORY / "manifests" / "runtimes", REPOSITORY / "examples" / "demo" / "runtimes"]
        settings = {
            "stateDirectory": str(self.sandbox.folder / "state"),
            "socket": str(self.socket),
            "poll": "1s",
            "runtimes": [str(folder) for folder in runtimes],
            "repositories": [
                {
                    "name": "models",
                    "url": self.remote.as_uri(),
                    "branch": "main",
                    "path": "deployments",
                    "interval": "2s",
                    "notes": True,
                }
            ],
            "artifacts": {"fileRoots": [str(self.models)]},
            "local": {
                "envoy": str(self.sandbox.envoy),
                "listen": f"127.0.0.1:{self.port}",
                "ports": f"{self.replica_ports.start}-{self.replica_ports.stop - 1}",
            },
        }
        self.configuration.write_text(to_yaml(settings) + "\n", encoding="utf-8")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "run", "--config", self.configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.sandbox.folder,
                env=self.sandbox.environment(),
                start_new_session=True,  # so that Ctrl-C reaches the demo alone, which ends things in their order
            )
        deadline = time.monotonic() + 30
        while self.ask("get", "--output", "json") is None:
            if self.process.poll() is not None:
                raise DaemonError(f"the controller ended with {self.process.returncode}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise DaemonError(f"the controller does not answer on {self.socket}:\n{self.last_words()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """`kill -9`, as a crash."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """SIGTERM, as an administrator; SIGKILL when it takes longer than it may."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:]) or "(it wrote nothing)"

    def ask(self, *arguments: str) -> str | None:
        """What a command prints; nothing when it fails, as while the daemon is down."""
        done = self.run(*arguments)
        return done.stdout if done.returncode == 0 else None

    def command(self, *arguments: str) -> str:
        """What an operator's command prints; an error when it fails."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise DaemonError(f"`controller {' '.join(arguments)}` exited {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.program), *arguments, "--socket", str(self.socket)]
        environment = {**self.sandbox.environment(), "NO_COLOR": "1"}
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environment)

    def status(self) -> Status | None:
        """The deployment; nothing while the daemon is down or does not know it yet."""
        text = self.ask("get", DEPLOYMENT, "--output", "json")
        if text is None:
            return None
        answer = json.loads(text)
        deployments = answer["deployments"] if "deployments" in answer else [answer]
        found = [deployment for deployment in deployments if deployment["name"] == DEPLOYMENT]
        return Status(found[0]) if found else None


def to_yaml(value: object, indent: str = "") -> str:
    """YAML of mappings, lists and scalars; every string quoted as JSON quotes it, which YAML reads."""
    if isinstance(value, dict):
        lines = []
        for key, inner in value.items():
            nested = isinstance(inner, (dict, list))
            lines.append(f"{indent}{key}:" + ("\n" + to_yaml(inner, indent + "  ") if nested else f" {json.dumps(inner)}"))
        return "\n".join(lines)
    if isinstance(value, list):
        items = []
        for inner in value:
            text = to_yaml(inner, indent + "  ")
            items.append(indent + "- " + text[len(indent) + 2 :])
        return "\n".join(items)
    return indent + json.dumps(value)
