#!/usr/bin/env python3
"""Makes small wrong changes to the core, one at a time, and shows that simulation or tests catch each.

Every change of mutations.py is applied to a copy of the core, built for release, and run: first the simulator's hostile
worlds, then, if they notice nothing, the tests of analysis, rollouts, plans, scenarios and bugs once found. A line a change; the last line is
`N caught, M survived`. Exits 1 when one survived, 2 when a change does not fit the code any more or does not build.
Standard library only. What it makes is in .build-mutate, and is kept: a second run builds less.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / ".build-mutate" / "package"
# What the simulator and the tests of the core need; no adapter, no surface.
FOLDERS = [
    "Sources/Core",
    "Sources/Engine",
    "Sources/Shims/CYaml",
    "Sources/simulate",
    "Tests/Core/AnalysisTests",
    "Tests/Core/PlanningTests",
    "Tests/Core/RolloutsTests",
    "Tests/Engine/ReconciliationTests",
    "Tests/Engine/SimulationTests",
    "Tests/Scenarios",
]
SUITES = "AnalysisTests|RolloutsTests|PlanningTests|ScenarioTests|ReconciliationTests|FoundBugTests|MillionRunTests"
SIMULATOR = "--product simulate"
TESTS = "--build-tests"
PATIENCE = 300  # seconds for a run: a change that makes it go on for ever is noticed by that


class Unusable(Exception):
    """A change that does not fit, or a tree that does not build; the message says which."""


def reduced_manifest() -> str:
    """Package.swift with only the targets whose folders were copied, and without warnings as errors: a wrong change may
    well leave a variable unused."""
    text = (ROOT / "Package.swift").read_text(encoding="utf-8")
    head, rest = text.split("    targets: [\n", 1)
    body, tail = rest.split("\n    ],\n    swiftLanguageModes", 1)
    targets = re.findall(r"^        \.\w*[tT]arget\(.*?^        \),?$|^        \.\w*[tT]arget\([^\n]*\),?$", body, re.M | re.S)
    kept = [target for target in targets if any(f'path: "{folder}' in target for folder in FOLDERS)]
    kept += [target for target in re.findall(r"^        \.systemLibrary\(.*?^        \),?$", body, re.M | re.S) if "CYaml" in target]
    head = re.sub(r"^        \.executable\(name: \"(?!simulate).*\n", "", head, flags=re.M)
    # Packages that nothing uses any more would be built all the same, and again for every test.
    used = set(re.findall(r'package: "([^"]+)"', "".join(kept)))
    packages = re.compile(r'^        \.package\(url: "[^"]*/([^"/]+)".*\n', re.M)
    head = packages.sub(lambda package: package[0] if package[1] in used else "", head)
    tail = tail.replace("        .treatAllWarnings(as: .error),\n", "")
    return head + "    targets: [\n" + ",\n".join(target.rstrip(",") for target in kept) + "\n    ],\n    swiftLanguageModes" + tail


def copy_tree() -> None:
    """Copies what differs, so that only that is built anew."""
    for folder in FOLDERS:
        source, copy = ROOT / folder, PACKAGE / folder
        wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
        present = {path.relative_to(copy) for path in copy.rglob("*") if path.is_file()} if copy.is_dir() else set()
        for path in present - wanted:
            (copy / path).unlink()
        for path in wanted:
            write(copy / path, (source / path).read_bytes())
    write(PACKAGE / "Package.swift", reduced_manifest().encode())


def write(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def run(*command: str) -> tuple[int | None, str]:
    """The exit status, nothing when the run took too long, and what was printed."""
    try:
        done = subprocess.run(
            command, cwd=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
        return None, output.decode(errors="replace") if isinstance(output, bytes) else output
    return done.returncode, done.stdout


def build(what: str) -> str | None:
    """The first error, if there is one."""
    done = subprocess.run(
        ["swift", "build", "--configuration", "release", *what.split()],
        cwd=PACKAGE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    return errors[0] if errors else done.stdout[-500:]


def caught_by(runs: int) -> str | None:
    """What notices that the core is wrong. The tests are built only where the simulation notices nothing."""
    if error := build(SIMULATOR):
        raise Unusable(f"does not build: {error}")
    status, output = run(".build/release/simulate", "--runs", str(runs), "--seed", "1")
    if status is None:
        return f"simulation: it did not end within {PATIENCE} s"
    if status != 0:
        found = re.search(r"^seed (\d+): (.*)", output, re.M)
        return f"simulation, seed {found[1]}: {found[2][:90]}" if found else f"simulation: it ended with {status}"
    if error := build(TESTS):
        raise Unusable(f"the tests do not build: {error}")
    status, output = run("swift", "test", "--configuration", "release", "--skip-build", "--filter", SUITES)
    if status is None:
        return f"tests: they did not end within {PATIENCE} s"
    if status != 0:
        found = re.search(r'^\S+ Test "?([^"\n]+?)"? recorded an issue', output, re.M)
        return f"test: {found[1][:90]}" if found else f"tests: they ended with {status}"
    return None


def mutate(mutation: Mutation, runs: int) -> str | None:
    path = PACKAGE / mutation.file
    text = path.read_text(encoding="utf-8")
    count = text.count(mutation.was)
    if count != 1:
        raise Unusable(f"{mutation.file} holds the text {count} times; mend mutations.py:\n{mutation.was}")
    try:
        path.write_text(text.replace(mutation.was, mutation.becomes), encoding="utf-8")
        return caught_by(runs)
    finally:
        path.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", type=re.compile, default=re.compile(""), help="a regular expression of names")
    parser.add_argument("--runs", type=int, default=3000, help="hostile worlds for each change (default 3000)")
    parser.add_argument("--part", default="1/1", help="such as 2/3, to share the changes among three copies of the tree")
    parser.add_argument("--list", action="store_true", help="only list the changes, and check that they fit the code")
    options = parser.parse_args()
    first, step = (int(part) for part in options.part.split("/"))
    chosen = [mutation for mutation in MUTATIONS if options.filter.search(mutation.name)][first - 1 :: step]
    if options.list:
        return list_mutations(chosen)
    copy_tree()
    print(f"# building the core as it is; then {len(chosen)} changes", file=sys.stderr, flush=True)
    try:
        catcher = caught_by(options.runs)
    except Unusable as error:
        print(f"error: the core as it is {error}", file=sys.stderr)
        return 2
    if catcher:
        print(f"error: the core as it is fails already, by {catcher}", file=sys.stderr)
        return 2
    survivors, unusable = [], 0
    for number, mutation in enumerate(chosen, 1):
        start = time.monotonic()
        try:
            catcher = mutate(mutation, options.runs)
        except Unusable as error:
            unusable += 1
            print(f"{number:2} unusable {mutation.name}: {error}", flush=True)
            continue
        if catcher is None:
            survivors.append(mutation)
        word = "caught" if catcher else "SURVIVED"
        seconds = time.monotonic() - start
        print(f"{number:2} {word:8} {mutation.name}: {catcher or mutation.why} ({seconds:.0f} s)", flush=True)
    if unusable:
        print(f"error: {unusable} of {len(chosen)} changes could not be tried, see above", file=sys.stderr)
    print(f"{len(chosen) - len(survivors) - unusable} caught, {len(survivors)} survived")
    return 2 if unusable else 1 if survivors else 0


def list_mutations(chosen: list[Mutation]) -> int:
    bad = 0
    for mutation in chosen:
        count = (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.was)
        bad += count != 1
        print(f"{mutation.name}: {mutation.why}" + ("" if count == 1 else f" [the text is there {count} times]"))
    print(f"{len(chosen)} changes, {bad} do not fit the code")
    return 2 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
