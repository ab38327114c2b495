"""The demo's own corner of the machine: one folder, some ports, and the processes that were started from it.

Replicas and Envoy outlive the controller by design, so ending the demo means finding them. They are told by what the
demo gave them: replicas (and all that the demo starts itself) have a PATH that begins with this folder, Envoy has its
configuration in it. No other process is ever signalled.
"""

import fcntl
import os
import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# A Unix socket's address has room for 107 bytes, and Envoy's lies deepest in the folder.
LONGEST_FOLDER = 107 - len("/state/envoy/run/admin.sock")


class SandboxError(Exception):
    """The demo cannot have its corner; the message says what to do."""


class Sandbox:
    def __init__(self, folder: Path, virtual_environment: Path) -> None:
        self.folder = folder.resolve()
        self.binaries = self.folder / "bin"
        self.virtual_environment = virtual_environment
        self.envoy = (virtual_environment / "bin" / "envoy-proxy").resolve()
        if len(str(self.folder)) > LONGEST_FOLDER:
            raise SandboxError(f"{self.folder} is too long for Unix sockets in it: clone to a shorter path")
        if not self.envoy.is_file():
            raise SandboxError(f"{self.envoy} is missing: run `make setup`")
        self.lock: int | None = None

    def open(self) -> None:
        """Takes the folder for this run alone, and clears away what an earlier run that was killed left."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.folder.parent / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError("another `make demo` is running in this folder") from None
        self.end_processes()
        shutil.rmtree(self.folder, ignore_errors=True)
        # The controller's socket may only be in a folder of its owner's.
        self.folder.mkdir(mode=0o700)
        self.binaries.mkdir()
        server = self.virtual_environment / "bin" / "magika-model-server"
        if not server.is_file():
            raise SandboxError(f"{server} is missing: run `make setup`")
        (self.binaries / server.name).symlink_to(server)

    def environment(self) -> dict[str, str]:
        """What the demo's processes get: their PATH is what they are known by."""
        return {**os.environ, "PATH": f"{self.binaries}:{os.environ.get('PATH', os.defpath)}"}

    def processes(self) -> list[int]:
        """The processes that run and are the demo's, its own Python aside."""
        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [number for number in numbers if number != os.getpid() and self.owns(number)]

    def owns(self, pid: int) -> bool:
        process = Path("/proc") / str(pid)
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            if any(entry.startswith(b"PATH=" + os.fsencode(self.binaries) + b":") for entry in environment):
                return True
            arguments = (process / "cmdline").read_bytes()
            return (process / "exe").resolve() == self.envoy and os.fsencode(self.folder) + b"/" in arguments
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False  # ended meanwhile, or another user's

    def end_processes(self, grace: float = 8) -> None:
        """SIGTERM to all that is the demo's, SIGKILL to what is left after `grace` seconds.

        Raises a `SandboxError` when something does not go away.
        """
        for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5)):
            deadline = time.monotonic() + wait
            for pid in self.processes():
                self.signal(pid, number)
            while self.processes() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not self.processes():
                return
        raise SandboxError(f"processes {self.processes()} do not end: end them by hand")

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Signals a process of the demo's, and never one that got its number since."""
        with suppress(ProcessLookupError, PermissionError):
            handle = os.pidfd_open(pid)
            try:
                if self.owns(pid):  # once more: from here on the handle keeps the number from meaning another
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    def close(self, keep: bool) -> None:
        self.end_processes()
        if not keep:
            shutil.rmtree(self.folder)
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> range:
    """`count` ports in a row that nobody uses, below those that the system gives to outgoing connections."""
    for first in range(18_500, 30_000, count):
        if all(is_free(port) for port in range(first, first + count)):
            return range(first, first + count)
    raise SandboxError(f"there are no {count} free ports in a row between 18500 and 30000 on 127.0.0.1")
