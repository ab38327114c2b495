"""What the demo says: its story, and what is going on at the moment."""

import sys
import textwrap
import time
from typing import TextIO

WIDTH = 100


class Console:
    """Prints the story on lines of its own, and the moment on one line that is replaced (on a terminal) or printed
    when it changes (elsewhere)."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.begin = time.monotonic()
        self.last_key: object = None
        self.live = False

    def title(self, text: str) -> None:
        self.end_live()
        self.put("\n" + self.bold(text) + "\n" + self.bold("-" * len(text)))

    def say(self, text: str) -> None:
        self.end_live()
        self.put(textwrap.fill(" ".join(text.split()), WIDTH))

    def show(self, text: str) -> None:
        """Something that a program printed, or a file holds: as it is, moved in."""
        self.end_live()
        self.put(textwrap.indent(printable(text.rstrip("\n")), "    "))

    def ok(self, text: str) -> None:
        self.end_live()
        self.put(f"  {self.green('ok')}  {text}")

    def now(self, key: object, text: str, extra: str = "") -> None:
        """The moment; `key` says whether it is another one than the last, `extra` is only for those who watch."""
        clock = f"{time.monotonic() - self.begin:6.1f} s  "
        if self.is_terminal:
            self.stream.write("\r\x1b[K" + printable(f"{clock}{text}{extra}")[: WIDTH + 20])
            self.stream.flush()
            self.live = True
        elif key != self.last_key:
            self.put(printable(clock + text))
        self.last_key = key

    def end_live(self) -> None:
        if self.live:
            self.stream.write("\n")
            self.live = False
        self.last_key = None

    def put(self, text: str) -> None:
        self.stream.write(text + "\n")
        self.stream.flush()

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.is_terminal else text

    def green(self, text: str) -> str:
        return f"\x1b[32m{text}\x1b[0m" if self.is_terminal else text


def printable(text: str) -> str:
    """`text` without what a terminal would obey instead of showing it."""
    return "".join(character if character.isprintable() or character in "\n\t" else "?" for character in text)
