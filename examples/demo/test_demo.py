"""Tests of the demo's parts that need no controller: its corner of the machine, its team, its configuration."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from console import Console, printable
from daemon import Daemon, Status, to_yaml
from demo import FAILING, SLOW, V1, V1_FORCED, V32, V33, Demo
from sandbox import REPOSITORY, Sandbox, SandboxError, free_ports
from team import EXAMPLE, MANIFEST, Release, Team, digest

MODELS = REPOSITORY / ".demo" / "models"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path / "run", REPOSITORY / ".venv")
    sandbox.open()
    yield sandbox
    sandbox.close(keep=False)


def sleeper(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True)


def test_only_processes_that_were_started_from_the_folder_are_ended(sandbox: Sandbox) -> None:
    own, other = sleeper(sandbox.environment()), sleeper(dict(os.environ))
    try:
        assert sandbox.processes() == [own.pid]
        sandbox.end_processes()
        assert own.poll() is not None or own.wait(timeout=5) is not None
        assert other.poll() is None
    finally:
        for process in (own, other):
            process.kill()
            process.wait()


def test_a_process_that_ignores_sigterm_is_killed(sandbox: Sandbox) -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, env=sandbox.environment(), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    sandbox.end_processes(grace=0.3)
    assert process.wait(timeout=5) == -9
    process.stdout.close()


def test_naming_the_folder_does_not_make_a_process_the_demos(sandbox: Sandbox) -> None:
    reader = subprocess.Popen(["tail", "-f", "/dev/null", str(sandbox.folder / "controller.log")], stderr=-3)
    try:
        assert reader.pid not in sandbox.processes()
    finally:
        reader.kill()
        reader.wait()


def test_two_demos_in_one_folder_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="another"):
        Sandbox(sandbox.folder, REPOSITORY / ".venv").open()


def test_a_folder_too_deep_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="too long"):
        Sandbox(tmp_path / ("x" * 100), REPOSITORY / ".venv")


def test_what_a_killed_demo_left_is_cleared_away(tmp_path: Path) -> None:
    first = Sandbox(tmp_path / "run", REPOSITORY / ".venv")
    first.open()
    left = sleeper(first.environment())
    (first.folder / "old").touch()
    assert first.lock is not None
    os.close(first.lock)  # as the end of its process does
    second = Sandbox(tmp_path / "run", REPOSITORY / ".venv")
    second.open()
    assert left.wait(timeout=5) == -15
    assert not (second.folder / "old").exists()
    second.close(keep=False)
    assert not second.folder.exists()


def test_free_ports_are_in_a_row() -> None:
    ports = free_ports(20)
    assert len(ports) == 20 and ports.step == 1


def test_a_release_changes_its_own_lines_only() -> None:
    example = (EXAMPLE / MANIFEST).read_text()
    text = SLOW.manifest(example, MODELS)
    assert f'    version: "3.4-slow"\n    format: onnx\n    uri: file://{MODELS}/v3.3\n    digest: sha256:' in text
    assert "  runtime: onnx-faulty\n" in text and 'slowShare: "0.2"' in text
    assert "  golden: golden/file-type.jsonl\n" in text
    assert len(text.splitlines()) == len(example.splitlines())


def test_a_release_may_leave_the_golden_predictions_out() -> None:
    example = (EXAMPLE / MANIFEST).read_text()
    assert "golden" not in V1.manifest(example, MODELS)
    assert "signature: any" in V1_FORCED.manifest(example, MODELS)


def test_a_digest_is_what_the_tools_of_every_machine_say(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/x", "a", "b.txt"):
        (tmp_path / name).write_text(name)
    script = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert digest(tmp_path) == "sha256:" + said.split()[0]


def test_the_example_names_the_digest_of_its_model() -> None:
    assert f"    digest: {digest(MODELS / 'v3.2')}\n" in (EXAMPLE / MANIFEST).read_text()


def test_a_manifest_without_the_expected_lines_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 lines for the field version"):
        V33.manifest("kind: ModelDeployment\n", MODELS)


def test_faulty_releases_give_their_runtime_every_parameter_it_asks_for() -> None:
    runtime = (REPOSITORY / "examples/demo/runtimes/onnx-faulty.yaml").read_text()
    for release in (SLOW, FAILING):
        for name in release.parameters:
            assert f"${{parameters.{name}}}" in runtime
    assert runtime.count("${parameters.") == len(SLOW.parameters) + 1  # threads: an argument and the environment


def test_merges_reach_the_remote_and_notes_come_back(sandbox: Sandbox) -> None:
    team = Team(sandbox, MODELS)
    team.set_up()
    team.merge(V32, "First")
    before = team.commit()
    merged = team.merge(Release("3.3", "v3.3"), "Second")
    assert abs(merged - time.time()) < 60
    assert team.commit() != before
    remote = team.git("--git-dir", str(team.remote), "log", "--format=%s", "main")
    assert remote.split() == ["Second", "First"]
    removed = [line for line in team.change().splitlines() if line.startswith("-")]
    added = [line for line in team.change().splitlines() if line.startswith("+")]
    assert removed == [
        '-    version: "3.2"',
        f"-    uri: file://{MODELS}/v3.2",
        f"-    digest: {digest(MODELS / 'v3.2')}",
    ]
    assert added == [
        '+    version: "3.3"',
        f"+    uri: file://{MODELS}/v3.3",
        f"+    digest: {digest(MODELS / 'v3.3')}",
    ]
    assert team.note() is None
    team.git("--git-dir", str(team.remote), "notes", "--ref=rollouts", "add", "-m", '{"file-type": 1}', team.commit())
    note = team.note()
    assert note is not None and "Second" in note and '{"file-type": 1}' in note


def test_the_configuration_names_the_demos_own_places(sandbox: Sandbox) -> None:
    daemon = Daemon(Path("/bin/false"), sandbox, 18500, range(18600, 18700), sandbox.folder / "models.git", MODELS)
    daemon.configure()
    text = daemon.configuration.read_text()
    assert f'socket: "{sandbox.folder}/controller.sock"' in text
    assert '  listen: "127.0.0.1:18500"\n  ports: "18600-18699"' in text
    assert '- name: "models"\n    url: "file:///' in text
    assert '    path: "deployments"\n    interval: "2s"\n    notes: true' in text


def test_yaml_of_nested_values() -> None:
    assert to_yaml({"a": [1, "b"], "c": {"d": [{"e": True, "f": ["g"]}]}}) == (
        'a:\n  - 1\n  - "b"\nc:\n  d:\n    - e: true\n      f:\n        - "g"'
    )


def test_a_status_is_one_line() -> None:
    json = {
        "phase": "stepping",
        "stable": {"modelVersion": "3.2"},
        "canary": {"modelVersion": "3.3", "weight": 25, "replicas": [{"endpoint": "127.0.0.1:1"}]},
        "gates": [{"name": "errors", "outcome": "failed"}, {"name": "latency", "outcome": "passed"}],
        "holds": [],
        "quarantined": [{"modelVersion": "1.0", "reason": "signature"}],
    }
    status = Status(json)
    assert status.describe() == "stepping    , stable 3.2, canary 3.3 at 25 %, errors failed"
    unseen = Status(json | {"canary": {"modelVersion": "3.3"}, "gates": []})
    assert unseen.describe() == "stepping    , stable 3.2, canary 3.3 at ? %"
    assert (status.quarantine("1.0"), status.quarantine("3.3")) == ("signature", None)
    assert status.canary_endpoints == ["127.0.0.1:1"]
    empty = Status({"phase": "pending", "gates": [], "holds": [], "quarantined": []})
    assert (empty.stable, empty.canary, empty.canary_weight, empty.canary_endpoints) == (None, None, 0, [])


def test_a_gate_is_not_taken_for_another_whose_name_ends_alike() -> None:
    assert Demo.names_gate("the gate errors failed", "errors")
    assert not Demo.names_gate("the gate client-errors failed", "errors")


def test_away_from_a_terminal_a_moment_is_printed_once() -> None:
    stream = StringIO()
    console = Console(stream)
    console.now("a", "first", "  (3 sent)")
    console.now("a", "first", "  (9 sent)")
    console.now("b", "second")
    assert [line.split("s  ", 1)[1] for line in stream.getvalue().splitlines()] == ["first", "second"]


def test_what_would_steer_a_terminal_is_not_printed() -> None:
    assert printable("a\x1b[31mb\u202ec\n") == "a?[31mb?c\n"
