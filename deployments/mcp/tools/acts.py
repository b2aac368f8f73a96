"""The acts that cost money: checked, with their price, before anything is begun."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from adspark.errors import InvalidQueryError, ServiceUnavailableError
from adspark.library.ads.details import plan_details
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.bounds import PROMPT
from adspark.validation.stored import clean_ad_id
from adspark.variants.budget import read_budget
from adspark.variants.requests import (
    VariantRequest,
    check_originals,
    check_request,
    request_variants,
)
from adspark.watches.reports.watch_pages import read_look_cost, read_watch_line
from adspark.watches.stored import WatchState
from deployments.gallery.generations import check_generator_takes, read_limits, start_requested
from deployments.gallery.runs import read_progress, start_once
from deployments.mcp.lookup import find_watch_id
from deployments.mcp.tool import Arguments, Asked, Text

_MOST_ADS = 20  # of one call
_SHOWN = 100  # characters of a prompt in the purpose
_PAUSED = "It has not begun: its pool is paused; an operator resumes it."


class Act(StrEnum):
    """What money is spent on."""

    LOOK_NOW = "look_now"
    DETAILS = "look_up_details"
    VARIANTS = "request_variants"


class State(StrEnum):
    """How far an act is."""

    TO_CONFIRM = "to_confirm"
    BEGUN = "begun"
    NOTHING_TO_DO = "nothing_to_do"


class SpendArguments(Arguments):
    """What to spend on; without a confirmation nothing is spent."""

    act: Annotated[
        Act,
        Field(
            description=(
                "look_now: at a watch. look_up_details: of ads (copy, landing page, countries). "
                "request_variants: of ads, with a prompt."
            )
        ),
    ]
    watch: Annotated[Text | None, Field(description="For look_now.")] = None
    ads: Annotated[
        tuple[Text, ...],
        Field(max_length=_MOST_ADS, description="Ids, for the others."),
    ] = ()
    prompt: Annotated[
        Annotated[str, Field(max_length=int(PROMPT.most))] | None,
        Field(description="For request_variants: what they are to be like."),
    ] = None
    review: Annotated[bool, Field(description="A person is asked to review the variants.")] = True
    confirmation: Annotated[
        Annotated[str, Field(max_length=2000)] | None,
        Field(description="What a call without it has answered, unchanged; the user has agreed."),
    ] = None


class Spending(BaseModel):
    """What an act costs, or that it has begun."""

    state: State
    purpose: str = Field(description="What it is for, and what it costs at most.")
    searches_at_most: int = 0
    generations: int = 0
    confirmation: str | None = Field(default=None, description="To give back, unchanged.")
    run: UUID | None = Field(default=None, description="The flow run that was started.")
    variants: list[int] = Field(default_factory=list, description="Numbers of those requested.")
    then: str = Field(description="What to do next.")


@dataclass(frozen=True)
class Plan:
    """An act that was checked, with its price; `begin` does it, once for each key."""

    spending: Spending
    begin: Callable[[UUID], Awaitable[dict[str, object]]] | None = None


async def _plan_look(asked: Asked, arguments: SpendArguments) -> Plan:
    if arguments.watch is None:
        raise InvalidQueryError("watch", "name the watch to look at.")
    watch_id = await find_watch_id(asked.session, arguments.watch)
    line = await read_watch_line(asked.session, watch_id=watch_id)
    if line is None or line.row.state is WatchState.PAUSED:
        raise InvalidQueryError("watch", f"watch {watch_id} is paused; resume it in the gallery.")
    definition = line.row.definition
    most = (await read_look_cost(asked.session, line=line)).most
    if not most:
        raise InvalidQueryError("watch", f"the month's budget of watch {watch_id} is spent.")
    price = counted(most, "search")
    await asked.session.rollback()  # no connection waits for Prefect

    async def begin(key: UUID) -> dict[str, object]:
        run = await start_once("process-watch", {"watch_id": watch_id}, key=str(key), again=False)
        usual = "Its outcome: list_watches and list_news, in a minute or two."
        return {"run": run, "then": await _after_start(run, usual)}

    purpose = f"At most {price}: look now at watch {watch_id} ({_on_a_line(definition.name)})."
    return _to_confirm(purpose, begin, searches=most)


async def _plan_details(asked: Asked, arguments: SpendArguments) -> Plan:
    if not arguments.ads:
        raise InvalidQueryError("ads", "name the ads whose details to look up.")
    plan = await plan_details(asked.session, ads=arguments.ads, most=1)
    await asked.session.rollback()  # nobody waits for the ads' locks while Prefect answers
    if not plan.ads:
        return Plan(
            Spending(
                state=State.NOTHING_TO_DO,
                purpose="Nothing to pay: the details of all these ads were looked up before.",
                then="Read them with show_ad.",
            )
        )

    async def begin(key: UUID) -> dict[str, object]:
        run = await start_once("fetch-details", {"ads": [*plan.ads]}, key=str(key), again=False)
        return {
            "run": run,
            "then": await _after_start(run, "Read them with show_ad, in a minute or two."),
        }

    price = counted(len(plan.ads), "search")
    purpose = f"At most {price}: look up the details of {', '.join(plan.ads)}."
    return _to_confirm(purpose, begin, searches=len(plan.ads))


async def _plan_variants(asked: Asked, arguments: SpendArguments) -> Plan:
    session = asked.session
    ads = list(dict.fromkeys(map(clean_ad_id, arguments.ads)))
    if not ads:
        raise InvalidQueryError("ads", "name the ads to make variants of.")
    wanted = check_request(
        VariantRequest(
            original_ad_id="",
            prompt=arguments.prompt or "",
            user_id=asked.visitor.user_id,
            wants_review=arguments.review,
        )
    )
    try:
        await check_originals(session, ads)
    except InvalidQueryError as error:
        raise error.beside("ads") from None
    if arguments.confirmation is None:  # one that is confirmed may be begun already
        (await read_budget(session, user_id=asked.visitor.user_id)).check(len(ads))
    await session.rollback()  # no connection waits for Prefect
    await check_generator_takes(asked.gallery.settings, [wanted.prompt])
    requests = [wanted.model_copy(update={"original_ad_id": one}) for one in ads]

    async def begin(key: UUID) -> dict[str, object]:
        made = await request_variants(session, requests=requests, key=key)
        await session.commit()
        if not await start_requested(session, made):
            away = "Prefect is away; they begin by themselves once it is back."
            return {"variants": made, "then": away}
        await session.rollback()  # no connection waits for Prefect
        is_paused = (await read_limits(asked.gallery)).paused_pool is not None
        return {
            "variants": made,
            "then": _PAUSED if is_paused else "Follow them with show_variants.",
        }

    price = counted(len(ads), "generation")
    prompt = _on_a_line(wanted.prompt)
    shown = prompt if len(prompt) <= _SHOWN else f"{prompt[: _SHOWN - 1]}…"
    purpose = f"{price}: a variant of {', '.join(ads)}, by the prompt: {shown}"
    return _to_confirm(purpose, begin, generations=len(ads))


async def _after_start(run: UUID, usual: str) -> str:
    """What to do next: the usual, but where the run waits in a paused pool."""
    with suppress(ServiceUnavailableError):  # it has begun all the same
        progress = await read_progress(run)
        if progress is not None and progress.state == "paused":
            return _PAUSED
    return usual


def _to_confirm(
    purpose: str,
    begin: Callable[[UUID], Awaitable[dict[str, object]]],
    *,
    searches: int = 0,
    generations: int = 0,
) -> Plan:
    then = (
        "Nothing is spent yet. Tell the user this price; only if they agree, call again with the "
        "same arguments and the confirmation."
    )
    spending = Spending(
        state=State.TO_CONFIRM,
        purpose=purpose,
        searches_at_most=searches,
        generations=generations,
        then=then,
    )
    return Plan(spending, begin)


def _on_a_line(written: str) -> str:
    """As it is in the answer, so that its confirmation can be given back unchanged."""
    return " ".join(plain(written).split())


PLANS = {
    Act.LOOK_NOW: _plan_look,
    Act.DETAILS: _plan_details,
    Act.VARIANTS: _plan_variants,
}
"""How each is checked and priced."""

NEEDED = {
    Act.LOOK_NOW: ("watch",),
    Act.DETAILS: ("ads",),
    Act.VARIANTS: ("ads", "prompt", "review"),
}
"""The arguments that go with each."""
