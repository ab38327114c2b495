"""The model team under the demo: its git repository, and the changes that it merges."""

import hashlib
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import REPOSITORY, Sandbox

EXAMPLE = REPOSITORY / "examples" / "file-type"
MANIFEST = Path("deployments") / "file-type.yaml"


@dataclass(frozen=True)
class Release:
    """One content of the manifest: what differs from the example's."""

    version: str
    model: str  # the folder below .demo/models
    runtime: str = "onnx"
    parameters: dict[str, str] = field(default_factory=lambda: {"threads": "1"})
    golden: bool = True
    signature: str = "unchanged"

    def manifest(self, example: str, models: Path) -> str:
        parameters = ", ".join(f'{name}: "{value}"' for name, value in self.parameters.items())
        fields = {
            "version": f'"{self.version}"',
            "uri": (models / self.model).as_uri(),
            "digest": digest(models / self.model),
            "runtime": self.runtime,
            "parameters": f"{{{parameters}}}",
            "signature": self.signature,
        }
        text = example
        for name, value in fields.items():
            text = replace_line(text, name, lambda indent, name=name, value=value: f"{indent}{name}: {value}\n")
        return text if self.golden else replace_line(text, "golden", lambda _: "")


def digest(folder: Path) -> str:
    """What a manifest calls a directory's digest: SHA-256 over the output of `sha256sum` for its files, sorted by path."""
    lines = b""
    for path in sorted(path.relative_to(folder).as_posix().encode() for path in folder.rglob("*") if path.is_file()):
        sum = hashlib.sha256((folder / path.decode()).read_bytes()).hexdigest()
        lines += sum.encode() + b"  " + path + b"\n"
    return f"sha256:{hashlib.sha256(lines).hexdigest()}"


def replace_line(text: str, name: str, line: object) -> str:
    """`text` with the one line of the field `name` replaced by what `line` makes of its indentation."""
    pattern = re.compile(rf"^( *){name}: .*\n", re.MULTILINE)
    result, count = pattern.subn(lambda match: line(match.group(1)), text)
    if count != 1:
        raise ValueError(f"{MANIFEST} has {count} lines for the field {name} instead of one")
    return result


class Team:
    def __init__(self, sandbox: Sandbox, models: Path) -> None:
        self.sandbox, self.models = sandbox, models
        self.remote = sandbox.folder / "models.git"
        self.clone = sandbox.folder / "clone"

    def set_up(self) -> None:
        """A bare repository, as on a git host, and a clone of it with the example's files."""
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.remote), at=self.sandbox.folder)
        shutil.copytree(EXAMPLE / "deployments", self.clone / "deployments")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.remote.as_uri())

    def merge(self, release: Release, subject: str) -> float:
        """Commits a release and pushes it to the watched branch; the Unix time at which it was there."""
        example = (EXAMPLE / MANIFEST).read_text(encoding="utf-8")
        (self.clone / MANIFEST).write_text(release.manifest(example, self.models), encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        self.git("push", "--quiet", "origin", "main")
        return time.time()

    def commit(self) -> str:
        return self.git("rev-parse", "HEAD").strip()

    def change(self) -> str:
        """The lines that the last commit changed."""
        diff = self.git("show", "--format=", "--unified=0", "HEAD", "--", str(MANIFEST))
        return "\n".join(line for line in diff.splitlines() if re.match(r"^[-+](?![-+])", line))

    def note(self) -> str | None:
        """The last commit with the controller's note on it; nothing while it has none."""
        fetched = self.try_git("fetch", "--quiet", "origin", "+refs/notes/rollouts:refs/notes/rollouts")
        if not fetched or not self.try_git("notes", "--ref=rollouts", "show", "HEAD"):
            return None
        return self.git("log", "-1", "--notes=rollouts", "--format=%h %s%n%N")

    def git(self, *arguments: str, at: Path | None = None) -> str:
        done = self.run(arguments, at)
        if done.returncode != 0:
            raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def try_git(self, *arguments: str) -> bool:
        return self.run(arguments, None).returncode == 0

    def run(self, arguments: tuple[str, ...], at: Path | None) -> subprocess.CompletedProcess[str]:
        # Nothing of the user's own git configuration: no hooks, no signing, no rewritten addresses.
        environment = {
            **self.sandbox.environment(),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Search team",
            "GIT_AUTHOR_EMAIL": "search@models.example",
            "GIT_COMMITTER_NAME": "Search team",
            "GIT_COMMITTER_EMAIL": "search@models.example",
        }
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            environment.pop(name, None)
        return subprocess.run(
            ["git", *arguments],
            cwd=at or self.clone,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
        )
