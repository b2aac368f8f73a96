"""The workflow app's form, and whether inputs fit it."""

from collections.abc import Mapping

from adspark.sandbox.dify.errors import invalid_param
from adspark.sandbox.dify.shape import PictureInput, WorkflowShape

PROMPT = "prompt"
ORIGINAL = "original"
RULES = "rules"
IMAGE_MEGABYTES = 10
FILE_LIMIT = 10
_ADDRESS_LENGTH = 2048
_LABELS = {
    PROMPT: "What should the variant be like?",
    ORIGINAL: "Copy of the original",
    RULES: "Brand rules to keep to",
}
_EXTENSIONS = [".JPG", ".JPEG", ".PNG", ".GIF", ".WEBP", ".SVG"]


def describe_app(shape: WorkflowShape) -> dict[str, object]:
    """The answer of `GET /parameters`."""
    disabled = {"enabled": False}
    switches = (
        "suggested_questions_after_answer", "speech_to_text", "text_to_speech",
        "retriever_resource", "annotation_reply", "more_like_this", "sensitive_word_avoidance",
    )  # fmt: skip
    picture = shape.picture_input
    return {
        "opening_statement": "",
        "suggested_questions": [],
        **dict.fromkeys(switches, disabled),
        "user_input_form": [
            {picture.kind: _describe_picture_input(picture)},
            {"paragraph": _describe_text(PROMPT, "paragraph", shape.prompt_max_length)},
            {"paragraph": _describe_text(ORIGINAL, "paragraph", None, required=False)},
            {"paragraph": _describe_text(RULES, "paragraph", None, required=False)},
        ],
        "file_upload": {
            "image": {
                "enabled": True,
                "number_limits": 3,
                "detail": "high",
                "transfer_methods": ["remote_url", "local_file"],
            }
        },
        "system_parameters": {
            "file_size_limit": 15,
            "image_file_size_limit": IMAGE_MEGABYTES,
            "audio_file_size_limit": 50,
            "video_file_size_limit": 100,
            "workflow_file_upload_limit": FILE_LIMIT,
        },
    }


def check_inputs(shape: WorkflowShape, inputs: Mapping[str, object]) -> None:
    """Whether the inputs fit the form; which files there are is another question.

    Raises:
        DifyError: they do not.
    """
    picture = shape.picture_input
    _check_given(inputs, picture.variable)
    value = inputs[picture.variable]
    if picture.kind == "file" and not isinstance(value, dict):
        raise invalid_param(f"{picture.variable} in input form must be a file")
    if picture.kind == "file-list":
        _check_file_list(picture.variable, value)
    if picture.kind in ("text-input", "paragraph"):
        _check_text(inputs, picture.variable, _ADDRESS_LENGTH)
    _check_given(inputs, PROMPT)
    _check_text(inputs, PROMPT, shape.prompt_max_length)
    for variable in (ORIGINAL, RULES):
        if inputs.get(variable) is not None:
            _check_text(inputs, variable, None)


def _check_given(inputs: Mapping[str, object], variable: str) -> None:
    if inputs.get(variable) in (None, "", []):
        raise invalid_param(f"{variable} is required in input form")


def _check_text(inputs: Mapping[str, object], variable: str, longest: int | None) -> None:
    value = inputs[variable]
    if not isinstance(value, str):
        raise invalid_param(f"{variable} in input form must be a string")
    if longest is not None and len(value) > longest:
        raise invalid_param(f"{variable} in input form must be less than {longest} characters")


def _check_file_list(variable: str, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid_param(f"{variable} in input form must be a list of files")
    if len(value) > FILE_LIMIT:
        raise invalid_param(f"{variable} in input form must have at most {FILE_LIMIT} files")


def _describe_text(
    variable: str, kind: str, longest: int | None, *, required: bool = True
) -> dict[str, object]:
    return {
        "variable": variable,
        "label": _LABELS.get(variable, "Picture of the original"),
        "type": kind,
        "required": required,
        "default": "",
        "hide": False,
        "options": [],
        **({} if longest is None else {"max_length": longest}),
    }


def _describe_picture_input(picture: PictureInput) -> dict[str, object]:
    if picture.kind in ("text-input", "paragraph"):
        return _describe_text(picture.variable, picture.kind, _ADDRESS_LENGTH)
    described = _describe_text(picture.variable, picture.kind, None) | {
        "allowed_file_types": ["image"],
        "allowed_file_extensions": _EXTENSIONS,
        "allowed_file_upload_methods": ["local_file", "remote_url"],
    }
    return described | ({"max_length": FILE_LIMIT} if picture.kind == "file-list" else {})
