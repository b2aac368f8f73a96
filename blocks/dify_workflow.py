"""The block that holds a Dify workflow: key, address, and what its inputs and outputs mean."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Annotated, Self

from pydantic import Field, HttpUrl, SecretStr

from adspark.errors import InvalidCredentialsError
from adspark.generators.dify.client import DEFAULT_URL, FIRST_EVENT, SILENCE, DifyClient
from adspark.generators.dify.generator import LISTED_WITHIN, LOST_AFTER, RUN_LIMIT, DifyGenerator
from adspark.generators.dify.inputs import WorkflowMapping
from adspark.settings import Settings
from adspark.validation.bounds import SECONDS, Range, TimeLimit
from blocks.configured import ConfiguredBlock

_USUAL = WorkflowMapping()
_SILENCE = Range(10.001, 86_400)  # seconds; Dify's pings are 10 apart


class DifyWorkflow(ConfiguredBlock):
    """A Dify workflow that makes variants; the key is stored encrypted and shown to nobody."""

    _block_type_name = "Dify Workflow"
    _block_type_slug = "dify-workflow"
    _description = "A Dify workflow app that makes ad variants from a picture and a prompt."
    _documentation_url = HttpUrl("https://docs.dify.ai/en/api-reference")
    _logo_url = HttpUrl("https://docs.dify.ai/favicon.ico")

    api_key: SecretStr = Field(description="The app's key, app-…: Dify, API Access.")
    base_url: str = Field(DEFAULT_URL, description="Dify's address, up to and with /v1.")
    workflow_id: str | None = Field(
        None, description="A published version of the workflow; empty: the newest."
    )
    prompt_input: str = Field(
        _USUAL.prompt_input, description="The workflow's input for the prompt."
    )
    picture_input: str = Field(
        _USUAL.picture_input,
        description="Its input for the original's picture: a text takes an address, a file a file.",
    )
    original_copy_input: str | None = Field(
        _USUAL.original_copy_input,
        description="Its input for the original's words; empty: it wants none.",
    )
    rules_input: str | None = Field(
        _USUAL.rules_input,
        description="Its input for the brand rules, which is filled where it has one.",
    )
    text_output: str = Field(_USUAL.text_output, description="The output that holds the copy.")
    picture_output: str = Field(
        _USUAL.picture_output, description="The output that holds the picture."
    )
    run_limit: TimeLimit = Field(
        RUN_LIMIT, description="Seconds until a run is stopped; Dify's own is 1200."
    )
    first_event: TimeLimit = Field(FIRST_EVENT, description="Seconds until a run's first sign.")
    silence: Annotated[float, _SILENCE] = Field(
        SILENCE, description="Seconds that a stream may be silent; pings are 10."
    )
    lost_after: Annotated[float, SECONDS] = Field(
        LOST_AFTER,
        description="Seconds after which a run whose answer was lost and that Dify's log does not "
        "show is submitted again.",
    )
    listed_within: Annotated[float, SECONDS] = Field(
        LISTED_WITHIN,
        description="Seconds after which Dify's log shows a run that has begun; one that it does "
        "not show is submitted again, if Dify answered with a failure.",
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Key, address and version of `settings`.

        Raises:
            InvalidCredentialsError: ADSPARK_DIFY_KEY is not set.
        """
        if settings.dify_key is None:
            raise InvalidCredentialsError(
                "Variants need Dify's key: set ADSPARK_DIFY_KEY, or save the block "
                "dify-workflow/adspark; to try without one: adspark up --sandbox; to use a model "
                "of your own: ADSPARK_GENERATOR=chat."
            )
        return cls(
            api_key=settings.dify_key,
            base_url=settings.dify_url,
            workflow_id=settings.dify_workflow_id,
        )

    @asynccontextmanager
    async def open_generator(self) -> AsyncIterator[DifyGenerator]:
        """The generator, over a client that this block closes."""
        named = {one.name for one in fields(WorkflowMapping)}
        mapping = WorkflowMapping(**self.model_dump(include=named))
        async with DifyClient(
            self.api_key,
            base_url=self.base_url,
            workflow_id=self.workflow_id,
            first_event=self.first_event,
            silence=self.silence,
        ) as client:
            yield DifyGenerator(
                client,
                mapping,
                run_limit=self.run_limit,
                lost_after=self.lost_after,
                listed_within=self.listed_within,
            )
