"""Passwords: hashed with argon2id in threads of their own, and what they must be like.

Hashing costs 20 MiB and some 30 ms of a CPU on purpose. Two threads do it, and few callers may wait for them: whoever comes when
all places are taken is told to try again (503), so that a flood of sign-ins slows sign-ins and nothing else.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from crm_api.core.errors import InvalidValue, Unavailable
from crm_api.core.text import fold

SHORTEST: Final = 12
LONGEST: Final = 128
THREADS: Final = 2
WAITING: Final = 30
"""Callers beyond those being served; with two threads the last of them waits about half a second."""

_OVERLONG: Final = 1024
_RETRY_AFTER: Final = 2

T = TypeVar("T")

# What people choose first, without digits, signs and repetitions (see `_bare`). Twelve characters rule the short ones out by
# themselves; what is looked for here is one of these made longer.
_COMMON: Final = (
    "password", "passwort", "passw", "letmein", "welcome", "willkommen", "iloveyou", "monkey", "dragon", "football", "baseball",
    "princess", "sunshine", "superman", "batman", "master", "shadow", "michael", "jennifer", "charlie", "computer", "internet",
    "qwertyuiop", "qwertzuiop", "azertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "zxcvbnm", "yxcvbnm", "asdf",
    "abcdefghijklmnopqrstuvwxyz", "abcdefghijkl", "abcdefgh", "abcdef", "abcd", "abc", "admin", "administrator", "root", "login",
    "changeme", "secret", "geheim", "default", "test", "user", "guest", "hallo", "hello", "summer", "winter", "spring", "autumn",
    "sommer", "januar", "january", "trustno", "whatever", "starwars", "pokemon", "company", "crm",
)  # fmt: skip
_WORDS: Final = tuple(sorted(_COMMON, key=len, reverse=True))
_LEET: Final = str.maketrans("01345678@$!", "oleasgtbasi")
_SEQUENCES: Final = ("01234567890123456789", "98765432109876543210")
_FEWEST: Final = 5
"""Different characters."""


def prepare(password: str) -> str:
    """The password as it is hashed: the same however a keyboard composes its letters (NFKC, as NIST SP 800-63B 3.1.1.2 has it)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *about: str) -> None:
    """Refuses what is too short, too long, tried first by everybody, or made from what is known `about` its owner.

    Raises InvalidValue `min_length`, `max_length`, `invalid_characters`, `password_common` or `password_personal`.
    """
    text = prepare(password)
    if "\x00" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidValue("invalid_characters")
    if len(text) < SHORTEST:
        raise InvalidValue("min_length", min_length=SHORTEST)
    if len(text) > LONGEST:
        raise InvalidValue("max_length", max_length=LONGEST)
    if len(set(text)) < _FEWEST or _is_common(text):
        raise InvalidValue("password_common")
    folded = fold(text)
    for item in about:
        for part in (fold(item), *re.split(r"[^a-z0-9]+", fold(item))):
            if len(part) >= 4 and part in folded and len(folded.replace(part, "")) < SHORTEST - 4:
                raise InvalidValue("password_personal")


def _is_common(text: str) -> bool:
    """Whether little is left of it once well-known words, runs of digits and repetitions are taken out."""
    plain = re.sub(r"(19|20)\d\d", " ", fold(text))
    return any(_bare(form) < _FEWEST for form in (plain, plain.translate(_LEET)))


def _bare(text: str) -> int:
    for word in _WORDS:
        text = text.replace(word, " ")
    for length in range(8, 2, -1):
        for sequence in _SEQUENCES:
            for start in range(10):
                text = text.replace(sequence[start : start + length], " ")
    text = re.sub(r"(.+?)\1+", r"\1", text)
    return len(re.sub(r"[\s!-/:-@\[-`{-~]", "", text))


class Passwords:
    """Makes and checks hashes. One for the process; the threads start with the first use."""

    def __init__(self, memory_kib: int = 19_456, time_cost: int = 2, parallelism: int = 1, *, waiting: int = WAITING) -> None:
        self._hasher = PasswordHash((Argon2Hasher(memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism),))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._places = THREADS + waiting
        self._taken = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store. Raises Unavailable when too many are waiting."""
        return await self._run(lambda: self._hasher.hash(prepare(password)))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether the password is right, and a hash to store instead where the settings have risen since.

        Without a stored hash it takes as long to say no. Raises Unavailable when too many are waiting.
        """
        return await self._run(lambda: self._verify(prepare(password[:_OVERLONG]), stored))

    def _verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        if stored is None:
            if self._nobodys is None:
                self._nobodys = self._hasher.hash("nobody has this password")
            self._hasher.verify(password, self._nobodys)
            return False, None
        try:
            return self._hasher.verify_and_update(password, stored)
        except PwdlibError:  # a hash of a kind that nobody makes any more
            return False, None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._taken >= self._places:
            raise Unavailable("Too many people are signing in at the moment.", _RETRY_AFTER)
        self._taken += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._threads, work)
            # The place is free when the thread is, also if whoever waited for it has gone.
            future.add_done_callback(self._free)
        except BaseException:
            self._taken -= 1
            raise
        return await asyncio.shield(future)

    def _free(self, future: asyncio.Future[Any]) -> None:
        self._taken -= 1
        if not future.cancelled():
            future.exception()  # looked at, so that nobody is warned of it when the one who waited has gone

    def close(self) -> None:
        """Lets the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
