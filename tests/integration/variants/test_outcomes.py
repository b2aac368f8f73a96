"""Approvals by prompt, rule, advertiser and reviewer, and the agreement between reviewers."""

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.users.store import add_user
from adspark.variants.reviews.approvals import Group, read_outcomes
from adspark.variants.reviews.store import Review, save_review
from tests.support.checked import KEPT
from tests.support.variants_at_hand import AD, OTHER, ask, finish, stocked

# Ad, prompt, who requested it; what users 1 and 2 said of it, the second one last.
DECIDED = (
    (AD, "Red", 1, (True, None)),
    (AD, "Red", 1, (False, True)),
    (OTHER, "Red", 1, (True, True)),
    (OTHER, "Blue", 7, (True, False)),
    (OTHER, "Blue", 7, (None, None)),
)


async def _decide(session: AsyncSession) -> None:
    await add_user(session, name="Ana", user_id=1)
    for ad, prompt, user, said in DECIDED:
        asked = await ask(session, ad, prompt=prompt, user_id=user)
        made = await finish(session, asked, rule_check=KEPT)
        for reviewer, is_approved in enumerate(said, 1):
            if is_approved is not None:
                review = Review(user_id=reviewer, is_approved=is_approved)
                await save_review(session, variant=made, review=review)
                await session.commit()


async def test_the_last_word_counts_by_prompt_and_each_by_reviewer(database: Database) -> None:
    async with stocked(database) as session:
        await _decide(session)
        found = await read_outcomes(session)
        own = await read_outcomes(session, user_id=7)

    def counted(group: Group) -> dict[str, tuple[int, int]]:
        return {one.name: (one.approved.hits, one.approved.cases) for one in found.by(group)}

    assert counted(Group.PROMPT) == {"Red": (3, 3), "Blue": (0, 1)}
    assert counted(Group.RULE) == {"banned words: not checked": (3, 4), "languages: passed": (3, 4)}
    assert list(counted(Group.ADVERTISER).values()) == [(3, 4)]
    assert counted(Group.REVIEWER) == {"Ana": (3, 4), "user 2": (2, 3)}
    assert (found.agreement.hits, found.agreement.cases) == (1, 3)
    assert [one.name for one in own.by(Group.PROMPT)] == ["Blue"]
    assert (own.agreement.hits, own.agreement.cases) == (0, 1)


async def test_without_decisions_there_is_nothing_to_say(database: Database) -> None:
    async with stocked(database) as session:
        await finish(session, await ask(session))
        found = await read_outcomes(session)
    assert found.approvals == []
    assert found.agreement.sentence == "no cases"
