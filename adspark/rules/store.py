"""Every statement on rules: each file that was set is kept as a version, the latest is in force."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.rules.conflicts import find_contradictions
from adspark.rules.definition import Rules
from adspark.rules.files import read_rules
from adspark.rules.merging import merge_rules
from adspark.rules.verdicts import VersionSummary
from adspark.validation.bounds import ID, LARGEST_ID

# Whoever sets rules waits for another one, so that each version has a number of its own.
_LOCK = text("LOCK TABLE rule_version IN SHARE ROW EXCLUSIVE MODE")
_COLUMNS = 'r.id, r.user_id, u.name AS "user", r.version, r.source, r.created_at'
_LATEST = text(f"""
    SELECT {_COLUMNS} FROM rule_version r LEFT JOIN app_user u USING (user_id)
    WHERE r.user_id IS NOT DISTINCT FROM CAST(:user_id AS int) ORDER BY r.version DESC LIMIT 1
""")  # noqa: S608  (put together from a constant)
_OF_USERS = text(f"""
    SELECT DISTINCT ON (r.user_id) {_COLUMNS}
    FROM rule_version r LEFT JOIN app_user u USING (user_id)
    WHERE r.user_id IS NOT NULL ORDER BY r.user_id, r.version DESC
""")  # noqa: S608  (put together from a constant)
_INSERT = text("""
    INSERT INTO rule_version (user_id, version, source) VALUES (:user_id, :version, :source)
""")
_READ = text(f"""
    SELECT {_COLUMNS} FROM rule_version r LEFT JOIN app_user u USING (user_id) WHERE r.id = :id
""")  # noqa: S608  (put together from a constant)
_LIST = text(f"""
    SELECT {_COLUMNS} FROM rule_version r LEFT JOIN app_user u USING (user_id)
    WHERE r.user_id IS NULL OR r.user_id = CAST(:user_id AS int)
    ORDER BY r.id DESC LIMIT :most
""")  # noqa: S608  (put together from a constant)


class StoredRules(VersionSummary):
    """A file of rules as it was set."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    user: str | None = Field(description="The name of its user, where they have one.")
    source: str = Field(description="The YAML, as it was written.")
    created_at: datetime

    @property
    def as_version(self) -> VersionSummary:
        """Which one it is, without what is in it."""
        return VersionSummary(id=self.id, user_id=self.user_id, version=self.version)

    @property
    def rules(self) -> Rules:
        """The rules in it; ConfigurationError where this version of AdSpark refuses them."""
        return read_rules(self.source, source=f"rules of {self.name}")


@dataclass(frozen=True)
class RulesInForce:
    """The rules that a user's variants are checked by, and the versions that they are from."""

    rules: Rules
    versions: tuple[VersionSummary, ...]


async def save_rules(
    session: AsyncSession, *, written: str, user_id: int | None
) -> tuple[StoredRules, bool]:
    """Store a file as the next version. Does not commit.

    Args:
        written: the YAML.
        user_id: whose rules; None for the workspace's, which are for everybody.

    Returns:
        The version in force, and whether it is new: the same text again is the same version.

    Raises:
        InvalidQueryError: the number of the user is out of bounds.
        ConfigurationError: as `read_rules`, or the rules of the workspace and of a user, which add
            to them, contradict each other.
    """
    ID.check("user", user_id)
    rules = read_rules(written, source="rules")
    await session.execute(_LOCK)
    await _check_together(session, rules, user_id)
    latest = await read_latest(session, user_id=user_id)
    if latest is not None and latest.source == written:
        return latest, False
    version = 1 if latest is None else latest.version + 1
    values = {"user_id": user_id, "version": version, "source": written}
    await session.execute(_INSERT, values)
    stored = await read_latest(session, user_id=user_id)
    if stored is None:
        raise RuntimeError("A version that was stored in this transaction is not there.")
    return stored, True


async def _check_together(session: AsyncSession, rules: Rules, user_id: int | None) -> None:
    """Refuse a user's rules, or with None the workspace's, to which others are added so that nobody
    could keep to both."""
    said, others = list[str](), "the workspace's"
    if user_id is None:
        others = "those of users"
        for row in await session.execute(_OF_USERS):
            own = StoredRules.model_validate(row)
            whose = f"user {own.user_id}" + (f" ({own.user})" if own.user else "")
            said += [f"{whose}: {one}" for one in _describe_contradictions(rules, own.rules)]
    elif workspace := await read_latest(session, user_id=None):
        said = _describe_contradictions(workspace.rules, rules)
    if said:
        together = f"These rules and {others}, which are in force together, contradict each other:"
        raise ConfigurationError("\n".join([together, *said]))


def _describe_contradictions(workspace: Rules, own: Rules) -> list[str]:
    """What nobody could keep to, where a user's rules add to the workspace's; a sentence each."""
    merged = merge_rules(workspace, own)
    return [
        f"{field}: {getattr(merged, str(field))[at]!r} {problem}."
        for (field, at), problem in find_contradictions(merged)
    ]


async def read_latest(session: AsyncSession, *, user_id: int | None) -> StoredRules | None:
    """The latest version of a user, or with None of the workspace; None: nothing was ever set."""
    row = (await session.execute(_LATEST, {"user_id": user_id})).one_or_none()
    return None if row is None else StoredRules.model_validate(row)


async def read_in_force(session: AsyncSession, *, user_id: int) -> RulesInForce | None:
    """The rules for a user's variants; None: there are none.

    Raises:
        ConfigurationError: this version of AdSpark refuses what is stored; says what to correct.
    """
    stored = [await read_latest(session, user_id=whose) for whose in (None, user_id)]
    found = [one for one in stored if one is not None]
    workspace, own = [Rules() if one is None else one.rules for one in stored]
    rules = merge_rules(workspace, own)
    if not rules.given:
        return None
    return RulesInForce(rules, tuple(one.as_version for one in found))


async def read_version(session: AsyncSession, *, version_id: int) -> StoredRules:
    """A stored version by its id. Raises InvalidQueryError where there is none."""
    row = None
    if 0 < version_id <= LARGEST_ID:
        row = (await session.execute(_READ, {"id": version_id})).one_or_none()
    if row is None:
        raise InvalidQueryError(
            "rules",
            f"there is no stored version with the id {version_id}",
            command="see them with: adspark rules history",
        )
    return StoredRules.model_validate(row)


async def list_versions(
    session: AsyncSession, *, user_id: int | None, most: int
) -> list[StoredRules]:
    """The stored versions of the workspace and of a user, the latest first.

    Args:
        user_id: None for the workspace's alone.
        most: how many.
    """
    rows = await session.execute(_LIST, {"user_id": user_id, "most": most})
    return [StoredRules.model_validate(row) for row in rows]
