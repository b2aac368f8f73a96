"""What a request to Dify says, or why it will not do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from adspark.sandbox.dify.errors import DifyError, invalid_param
from adspark.sandbox.dify.runs.run import Json


@dataclass(frozen=True)
class RunRequest:
    """What shall be run, and for whom."""

    inputs: Json
    user: str
    files: object
    is_blocking: bool


async def read_body(request: Request) -> Json:
    """The JSON object of a request.

    Raises:
        DifyError: it is none.
    """
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise DifyError(400, "bad_request", "The request's body is not a JSON object.")
    return body


def read_run(body: Mapping[str, object]) -> RunRequest:
    """A request to run.

    Raises:
        DifyError: something is missing or of the wrong type.
    """
    inputs, mode = body.get("inputs"), body.get("response_mode") or "blocking"
    if not isinstance(inputs, dict):
        raise invalid_param("Arg inputs must be provided.")
    if mode not in ("streaming", "blocking"):
        raise invalid_param("response_mode must be streaming or blocking")
    return RunRequest(inputs, read_user(body), body.get("files"), mode == "blocking")


def read_user(given: Mapping[str, object]) -> str:
    """The user that a request is for.

    Raises:
        DifyError: it names none.
    """
    user = given.get("user")
    if not isinstance(user, str) or not user:
        raise invalid_param("Arg user must be provided.")
    return user


def read_upload(form: FormData) -> tuple[UploadFile, str]:
    """The file of a form, and the user that gives it.

    Raises:
        DifyError: it has no file, several, or no user.
    """
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
    if not files:
        raise DifyError(400, "no_file_uploaded", "Please upload your file.")
    if len(files) > 1:
        raise DifyError(400, "too_many_files", "Only one file is allowed.")
    return files[0], read_user(form)
