#!/usr/bin/env python3
"""Writes a manual page for the controller and for each of its commands, from what the program says of itself.

    controller --experimental-dump-help | packaging/manual_pages.py FOLDER DATE VERSION
"""

import json
import pathlib
import re
import sys


def text(words: str) -> str:
    """Text as roff takes it: no line begins a request, and a dash is the one that people type."""
    words = words.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", words)


def bold(words: str) -> str:
    return f"\\fB{text(words)}\\fR"


def value(argument: dict) -> str:
    return f"\\fI{text(argument['valueName'])}\\fR"


def spelled(name: dict) -> str:
    return bold(("--" if name["kind"] == "long" else "-") + name["name"])


def heading(argument: dict) -> str:
    """How an argument is typed: `-o, --output FORMAT`."""
    if argument["kind"] == "positional":
        return value(argument) + (" ..." if argument["isRepeating"] else "")
    names = sorted(argument["names"], key=lambda name: (name["kind"] == "long", name["name"]))
    words = ", ".join(spelled(name) for name in names)
    return words if argument["kind"] == "flag" else f"{words} {value(argument)}"


def synopsis(command: dict, title: str) -> str:
    words = [bold(title)]
    for argument in shown(command):
        if argument["kind"] == "positional":
            item = heading(argument)
        elif argument["kind"] == "flag":
            item = spelled(argument["preferredName"])
        else:
            item = f"{spelled(argument['preferredName'])} {value(argument)}"
        words.append(f"[{item}]" if argument["isOptional"] else item)
    if command.get("subcommands"):
        words.append("\\fIcommand\\fR ...")
    return "\n".join(words)


def shown(command: dict) -> list[dict]:
    return [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]


def prose(discussion: str) -> list[str]:
    """The description in paragraphs, and its examples as they are typed."""
    before, _, examples = discussion.partition("EXAMPLES\n")
    lines = [".SH DESCRIPTION"]
    for paragraph in filter(None, re.split(r"\n\s*\n", before.strip())):
        lines += [".PP"] if len(lines) > 1 else []
        if any(line.startswith("  ") for line in paragraph.splitlines()):
            lines += [".nf", text(paragraph), ".fi"]
        else:
            lines.append(text(" ".join(paragraph.split())))
    if examples:
        typed = "\n".join(line.removeprefix("  ") for line in examples.rstrip().splitlines())
        lines += [".SH EXAMPLES", ".nf", text(typed), ".fi"]
    return lines if lines != [".SH DESCRIPTION"] else []


def options(command: dict) -> list[str]:
    lines: list[str] = []
    for argument in shown(command):
        words = argument.get("abstract", "")
        if "defaultValue" in argument and argument["kind"] != "flag":
            words += f" Default: {argument['defaultValue']}."
        lines += [".TP", heading(argument), text(" ".join(words.split())) or "\\&"]
    return [".SH OPTIONS", *lines] if lines else []


EXIT = """.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
Refused, not found, or problems were found.
.TP
.B 2
The command line is wrong, or a file cannot be read.
.TP
.B 3
No controller answers on the socket."""

FILES = """.SH FILES
.TP
.I /etc/controller/controller.yaml
The configuration, unless
.B \\-\\-config
names another.
.TP
.I /run/controller/controller.sock
The socket of the API.
.TP
.I /var/lib/controller
All that must survive a restart."""


def page(command: dict, title: str, date: str, version: str, others: list[str]) -> str:
    name = title.replace(" ", "-")
    abstract = command.get("abstract", "").rstrip(".")
    lines = [
        f'.TH {name.upper().replace("-", chr(92) + "-")} 1 "{date}" "controller {version}" "Controller Manual"',
        ".SH NAME",
        f"{text(name)} \\- {text(abstract[:1].lower() + abstract[1:])}",
        ".SH SYNOPSIS",
        ".nh",
        ".ad l",
        synopsis(command, title),
        ".ad b",
        ".hy",
        *prose(command.get("discussion", "")),
        *options(command),
    ]
    children = [child for child in command.get("subcommands", []) if child["shouldDisplay"]]
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", bold(child["commandName"]), text(child.get("abstract", ""))]
    lines += [EXIT, FILES, ".SH SEE ALSO", ",\n".join(f"{bold(other)}(1)" for other in others)]
    return "\n".join(lines) + "\n"


def pages(command: dict, title: str) -> list[tuple[str, dict]]:
    found = [(title, command)]
    for child in command.get("subcommands", []):
        if child["shouldDisplay"] and child["commandName"] != "help":
            found += pages(child, f"{title} {child['commandName']}")
    return found


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: controller --experimental-dump-help | packaging/manual_pages.py FOLDER DATE VERSION")
    folder, date, version = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    described = json.load(sys.stdin)
    if described["serializationVersion"] != 0:
        sys.exit("error: this program describes itself in another form: bring packaging/manual_pages.py up to it")
    folder.mkdir(parents=True, exist_ok=True)
    all_pages = pages(described["command"], described["command"]["commandName"])
    names = [title.replace(" ", "-") for title, _ in all_pages]
    for title, command in all_pages:
        own = title.replace(" ", "-")
        others = [name for name in names if name.startswith(own + "-")] if own == names[0] else [names[0]]
        (folder / f"{own}.1").write_text(page(command, title, date, version, others))
    print(f"{len(all_pages)} manual pages in {folder}")


if __name__ == "__main__":
    main()
