"""What people see: messages to standard error, answers to standard output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

messages = Console(stderr=True, highlight=False, soft_wrap=True)
answers = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(text: str) -> None:
    """One line for the person at the terminal."""
    messages.print(text, markup=False)


def fail(text: str) -> NoReturn:
    """End the program with a message and exit status 1."""
    messages.print(f"crm-api: {text}", style="bold red" if messages.is_terminal else None, markup=False)
    raise SystemExit(1)


def answer_json(value: object) -> None:
    """One line of JSON on standard output, for programs."""
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()


@contextmanager
def waiting(text: str, *, shown: bool = True) -> Iterator[Progress]:
    """A spinner with a text while something takes time; where there is no terminal, one plain line."""
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=messages, transient=True, disable=not messages.is_terminal
    )
    if shown and not messages.is_terminal:
        say(f"{text} …")
    with progress:
        progress.add_task(text, total=None)
        yield progress
