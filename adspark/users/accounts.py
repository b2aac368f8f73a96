"""Every statement on accounts: passwords, which are kept as Argon2 hashes, and sessions."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.models import Role
from adspark.text.normalized import LONGEST_WHOLE, normalize_whole
from adspark.text.storable import UNSTORABLE
from adspark.validation.names import clean_name, name_key

SESSION_DAYS = 7
"""After which a browser has to sign in again."""

_BUCKETS = 1024  # over which names and addresses are spread, so that few rows count them
_SHORTEST, _LONGEST = 10, 200  # characters of a password

_SAVE = text("""
    WITH ended AS (DELETE FROM account_session WHERE user_id = :user_id)
    INSERT INTO account (user_id, password_hash, role)
    SELECT user_id, :password_hash, :role FROM app_user WHERE user_id = :user_id
    ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash,
        role = excluded.role, locked_at = NULL, updated_at = now()
    RETURNING (SELECT name FROM app_user WHERE user_id = :user_id)
""")
_FORGET_ATTEMPTS = text("DELETE FROM rate_slot WHERE name = :counter")
_LOCK = text("""
    WITH ended AS (DELETE FROM account_session WHERE user_id = :user_id)
    UPDATE account SET locked_at = now(), updated_at = now()
    WHERE user_id = :user_id AND locked_at IS NULL RETURNING user_id
""")
_FIND = text("""
    SELECT user_id, u.name, role, password_hash
    FROM account JOIN app_user u USING (user_id) WHERE u.name_key = :key AND locked_at IS NULL
""")
_BEGIN = text("""
    WITH expired AS (DELETE FROM account_session WHERE expires_at <= now())
    INSERT INTO account_session (token_hash, user_id, expires_at)
    VALUES (:token_hash, :user_id, now() + make_interval(days => :days))
""")
_READ = text("""
    SELECT user_id, u.name, a.role
    FROM account_session s JOIN account a USING (user_id) JOIN app_user u USING (user_id)
    WHERE token_hash = :token_hash AND expires_at > now() AND locked_at IS NULL
""")
_END = text("DELETE FROM account_session WHERE token_hash = :token_hash")


class SignedIn(BaseModel):
    """Who is signed in."""

    model_config = ConfigDict(frozen=True)

    user_id: int
    name: str
    role: Role


async def save_password(session: AsyncSession, *, user_id: int, password: str, role: Role) -> None:
    """Let a user sign in with a password; ends the sessions of the one before, and wrong ones that
    were tried count no more. Does not commit.

    Args:
        user_id: of a user with a name.
        password: of 10 to 200 characters in Unicode's composed form, in which it is kept: keyboards
            write the same letter in either (NIST SP 800-63B, 3.1.1.2).
        role: what they may do.

    Raises:
        InvalidQueryError: the password cannot be used, or the user has no name.
    """
    password = normalize_whole("NFC", password) if is_short(password) else ""
    if not _SHORTEST <= len(password) <= _LONGEST or UNSTORABLE.search(password):
        raise InvalidQueryError(
            "password", f"give one of {_SHORTEST} to {_LONGEST} characters; this cannot be used."
        )
    hashed = await asyncio.to_thread(_hasher().hash, password)
    values = {"user_id": user_id, "password_hash": hashed, "role": role.value}
    if (name := await session.scalar(_SAVE, values)) is None:
        raise InvalidQueryError(
            "user",
            f"user {user_id} has no name to sign in with",
            command=f"give it one with: adspark users add NAME --number {user_id}",
        )
    if ":" in name:  # which HTTP Basic takes for the end of the name (RFC 7617, 2)
        raise InvalidQueryError(
            "user",
            f"user {user_id} has a name with a colon, with which programs cannot sign in",
            command=f"give another one with: adspark users rename {user_id} NAME",
        )
    await session.execute(_FORGET_ATTEMPTS, {"counter": attempts_counter("name", name_key(name))})


async def lock_account(session: AsyncSession, *, user_id: int) -> bool:
    """Let a user sign in no more, and end their sessions; False where they could not before.

    Does not commit.
    """
    return await session.scalar(_LOCK, {"user_id": user_id}) is not None


async def check_password(session: AsyncSession, *, name: str, password: str) -> SignedIn | None:
    """The user of this name, where the password is theirs; takes as long where nobody has it.

    Args:
        name: as it is typed.
        password: as it is typed.
    """
    is_name = is_short(name) and not UNSTORABLE.search(name)
    key = name_key(clean_name(name)) if is_name else ""
    found = (await session.execute(_FIND, {"key": key})).mappings().one_or_none()
    hashed = found["password_hash"] if found else _hash_of_nobody()
    # Versions before this one kept a password as it was typed. Nobody has an empty one.
    forms = [normalize_whole("NFC", password), password] if is_short(password) else [""]
    cut = dict.fromkeys(one[: _LONGEST + 1] for one in forms)
    is_right = await asyncio.to_thread(_is_password, hashed, cut)
    return SignedIn(**{k: found[k] for k in SignedIn.model_fields}) if found and is_right else None


async def begin_session(session: AsyncSession, *, user_id: int) -> str:
    """Sign a user in; returns the token for the browser's cookie. Does not commit."""
    token = secrets.token_urlsafe(32)
    values = {"token_hash": _hash(token), "user_id": user_id, "days": SESSION_DAYS}
    await session.execute(_BEGIN, values)
    return token


async def find_session(session: AsyncSession, *, token: str) -> SignedIn | None:
    """Who is signed in with this token; None where it has expired or never was."""
    row = (await session.execute(_READ, {"token_hash": _hash(token)})).mappings().one_or_none()
    return None if row is None else SignedIn.model_validate(row)


async def end_session(session: AsyncSession, *, token: str) -> None:
    """Sign a browser out. Does not commit."""
    await session.execute(_END, {"token_hash": _hash(token)})


def is_short(typed: str) -> bool:
    """Whether a name or a password can be one of an account's: far longer ones are not looked at,
    for Unicode's forms and hashes take time."""
    return len(typed) <= LONGEST_WHOLE


def attempts_counter(kind: str, value: str) -> str:
    """The name of the rate limit that counts wrong passwords for a name, or from an address."""
    number = int(hashlib.sha256(value.encode()).hexdigest(), 16) % _BUCKETS
    return f"sign-in {kind} {number}"


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _is_password(hashed: str, forms: Iterable[str]) -> bool:
    for password in forms:
        with suppress(VerificationError, InvalidHashError):
            return _hasher().verify(hashed, password)
    return False


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
