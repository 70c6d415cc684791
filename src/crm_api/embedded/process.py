"""Child processes that end with their parent, and the remains of parents that ended without them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The operating system user that servers run as when this process is root (PostgreSQL refuses root)."""

    name: str
    uid: int
    gid: int


def end_with_parent(sig: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `sig` to the child when this process dies, however it dies (Linux only).

    The request does not survive a change of user, which is why it is made here: subprocess changes the user before
    it calls this. Elsewhere than on Linux an orphan stays until the next start on its data finds and ends it.
    """
    parent = os.getpid()

    def before_exec() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
            if os.getppid() != parent:  # it died between fork and prctl
                os._exit(1)

    return before_exec


def spawn(
    command: Sequence[str | Path],
    *,
    on_parent_death: signal.Signals,
    account: Account | None = None,
    output: IO[bytes] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C in the terminal reaches only its parent, who stops it in order."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        cwd=cwd,
        env=env,
        start_new_session=True,
        preexec_fn=end_with_parent(on_parent_death),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def run_as(account: Account | None, command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as `account` and keep what it prints."""
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=server_environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def server_environment() -> dict[str, str]:
    """This environment without libpq's variables (PGPORT would move the server) and with a locale that exists everywhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))} | {"LC_ALL": "C"}


def open_log(path: Path, *, keep: bool) -> IO[bytes]:
    """Open a server's log, readable by its owner only, since it may quote statements."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if keep else os.O_TRUNC)
    return os.fdopen(os.open(path, flags, 0o600), "ab" if keep else "wb")


def command_line(pid: int) -> str | None:
    """The command line of a live process, or None if there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    proc = Path(f"/proc/{pid}")
    if proc.exists():
        try:
            if (proc / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return None
            return (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait until a process that is not our child has ended; False if it still runs after `seconds`."""
    deadline = time.monotonic() + seconds
    while command_line(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end_orphan(pid: int, *, marks: Sequence[str], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """End process `pid` if its command line holds all `marks`, with each signal and its patience in turn.

    The marks guard against a process id that has since been given to a stranger.
    """
    for sig, patience in signals:
        line = command_line(pid)
        if line is None or not all(mark in line for mark in marks):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sig)
        if wait_gone(pid, patience):
            return


def stop(process: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> None:
    """Stop a child with each signal and its patience in turn, at last with SIGKILL."""
    for sig, patience in (*signals, (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(sig)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
