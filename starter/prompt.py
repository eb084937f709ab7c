"""Ask the person at the terminal, without holding up what runs beside it: Ctrl-C leaves at once."""

import asyncio
import os
import sys
import termios
import tty


def someone_is_there() -> bool:
    """Whether a person can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


async def ask(question: str) -> str:
    """Return a line that the person types. The end of the input counts as an empty line."""
    _say(question)
    await _ready()
    return sys.stdin.readline().strip()


async def key(question: str) -> str:
    """Return the one key that the person presses. What was typed before they were asked is no answer."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        termios.tcflush(terminal, termios.TCIFLUSH)
        _say(question)
        await _ready()
        pressed = _read(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
    _say("\n")
    return pressed


def _read(terminal: int) -> str:
    """Return what was pressed; nothing where the terminal is gone."""
    try:
        return os.read(terminal, 32).decode(errors="replace")
    except OSError:
        return ""


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


async def _ready() -> None:
    """Wait until there is something to read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sys.stdin, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin)
