"""The inputs of a Dify workflow: checked against the app's form, filled from a request."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.generators.base import GenerationRequest
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.payloads import AppForm, FormField
from adspark.text.shortened import cut

_LONGEST_RULES = 4000  # characters; a model reads them with every prompt
_NO_RULES = "No rules."  # an input that is required takes no empty text
_TEXTS = ("text-input", "paragraph")


@dataclass(frozen=True)
class WorkflowMapping:
    """Which inputs and outputs of a workflow mean what; the defaults are the guide's workflow.

    The kind of `picture_input` in the app's form decides whether it gets an address or a file.
    `rules_input` is filled where the form has such an input for text.
    """

    prompt_input: str = "prompt"
    picture_input: str = "url"
    original_copy_input: str | None = None
    rules_input: str | None = "rules"
    text_output: str = "text"
    picture_output: str = "json"


def check_form(form: AppForm, mapping: WorkflowMapping, prompt: str) -> None:
    """Refuse what the workflow would refuse, or be silent about for minutes.

    Args:
        form: of the app.
        mapping: what its inputs mean.
        prompt: for the input of the prompt.

    Raises:
        InvalidQueryError: the prompt does not fit; names the limit.
        ConfigurationError: the workflow's inputs are not as the mapping says.
    """
    fields = {field.variable: field for field in reversed(form.fields)}  # the first of a name
    for variable in (mapping.prompt_input, mapping.picture_input):
        if variable not in fields:
            listed = ", ".join(field.variable for field in form.fields) or "none"
            raise ConfigurationError(
                f"Dify's workflow has no input {variable!r} (it has: {listed}). Correct "
                f"prompt_input and picture_input of the block dify-workflow/adspark."
            )
    known = {mapping.prompt_input, mapping.picture_input, mapping.original_copy_input}
    known |= {field.variable for field in [_find_rules_field(form, mapping)] if field}
    for field in form.fields:
        if field.required and field.variable not in known:
            raise ConfigurationError(
                f"Dify's workflow requires the input {field.variable!r}, which AdSpark does "
                f"not fill. Make it optional, or name it in the block dify-workflow/adspark."
            )
    _check_prompt(fields[mapping.prompt_input], prompt)


async def fill_inputs(
    client: DifyClient, mapping: WorkflowMapping, request: GenerationRequest
) -> dict[str, JsonValue]:
    """The inputs of a run, the picture uploaded.

    Args:
        client: open.
        mapping: what the workflow's inputs mean.
        request: what they are filled from.

    Raises:
        ConfigurationError: the workflow's inputs cannot take it.
        AdSparkError: as `DifyClient.upload`.
    """
    form = await client.form()
    words = form.field(mapping.original_copy_input) if mapping.original_copy_input else None
    if words is not None and words.required and not request.original_copy:
        raise ConfigurationError(
            f"Dify's workflow requires the input {words.variable!r}, but the words of this "
            f"original are not known. Make it optional."
        )
    field = form.field(mapping.picture_input)
    inputs: dict[str, JsonValue] = {
        mapping.prompt_input: request.prompt,
        mapping.picture_input: await _upload_picture(client, mapping, request, field),
    }
    if words is not None and request.original_copy:
        inputs[words.variable] = request.original_copy[: words.max_length]
    if (rules := _find_rules_field(form, mapping)) is not None:
        inputs[rules.variable] = _cut_rules(request.rules or _NO_RULES, rules.max_length)
    return inputs


def _find_rules_field(form: AppForm, mapping: WorkflowMapping) -> FormField | None:
    """The form's input for rules, where it has one that takes text and means nothing else."""
    taken = (mapping.prompt_input, mapping.picture_input, mapping.original_copy_input)
    if mapping.rules_input is None or mapping.rules_input in taken:
        return None
    found = form.field(mapping.rules_input)
    return found if found is not None and found.kind in _TEXTS else None


def _cut_rules(rules: str, most: int | None) -> str:
    """As much of the rules as the input takes, cut between words."""
    return cut(rules, min(most or _LONGEST_RULES, _LONGEST_RULES))


async def _upload_picture(
    client: DifyClient,
    mapping: WorkflowMapping,
    request: GenerationRequest,
    field: FormField | None,
) -> JsonValue:
    """Upload the picture; an input of text gets its address at Dify, else the picture's own."""
    picture = request.original
    uploaded = await client.upload(
        picture.content, name=picture.name, media_type=picture.media_type, user=request.key
    )
    if field is None or not field.takes_files:
        own = uploaded.source_url and client.absolute(uploaded.source_url)
        return _choose_address([own, picture.address], mapping, field)
    file: JsonValue = {
        "type": "image",
        "transfer_method": "local_file",
        "upload_file_id": uploaded.id,
    }
    return [file] if field.kind == "file-list" else file


def _choose_address(
    addresses: Sequence[str | None], mapping: WorkflowMapping, field: FormField | None
) -> str:
    """The first address that there is and that the field takes."""
    known = [address for address in addresses if address]
    if not known:
        raise ConfigurationError(
            f"This Dify gives uploads no address, and the ad's picture has none on the internet; "
            f"make the workflow's input {mapping.picture_input!r} a file."
        )
    longest = field.max_length if field is not None else None
    for address in known:
        if not longest or len(address) <= longest:
            return address
    raise ConfigurationError(
        f"The workflow's input {mapping.picture_input!r} takes at most {longest} characters, the "
        f"picture's address has {len(known[0])}; make it a paragraph or a file in Dify."
    )


def _check_prompt(field: FormField, prompt: str) -> None:
    if field.max_length and len(prompt) > field.max_length:
        raise InvalidQueryError(
            "prompt",
            f"{len(prompt)} characters; this workflow's input {field.variable!r} takes at most "
            f"{field.max_length}. Shorten it, or raise the limit in Dify (a paragraph has none).",
        )
    if field.options and prompt not in field.options:
        raise InvalidQueryError("prompt", f"this workflow takes only: {', '.join(field.options)}.")
