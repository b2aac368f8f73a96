"""What S3 means by an error that its library, s3fs, raises: what is wrong, and what mends it."""

from dataclasses import dataclass
from typing import Any

from adspark.text.sentences import without_full_stop

OPTIONS: dict[str, dict[str, Any]] = {
    "config_kwargs": {
        "connect_timeout": 10,
        "read_timeout": 15,
        "retries": {"total_max_attempts": 3},
    }
}
"""How long s3fs waits for a store that does not answer: less than the minute of a check of it."""

ATTEMPTS = 1
"""Of s3fs for a request, each with all those of botocore."""

_RIGHTS = (
    "let its keys list the bucket, and read, write and remove in it: s3:ListBucket, s3:GetObject, "
    "s3:PutObject, s3:DeleteObject"
)
_REGION = "set AWS_DEFAULT_REGION to the bucket's region"
_ENDPOINT = "set AWS_ENDPOINT_URL to the address of its S3 (none: AWS)"
_REMEDIES = {
    "AccessDenied": _RIGHTS,
    "403": _RIGHTS,
    "InvalidAccessKeyId": "set AWS_ACCESS_KEY_ID, and AWS_SECRET_ACCESS_KEY with it",
    "SignatureDoesNotMatch": "set AWS_SECRET_ACCESS_KEY, that of AWS_ACCESS_KEY_ID",
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, both",
    "ExpiredToken": "set a new AWS_SESSION_TOKEN, with its two keys",
    "InvalidToken": "set AWS_SESSION_TOKEN, with its two keys, or none",
    "TokenRefreshRequired": "set a new AWS_SESSION_TOKEN, with its two keys",
    "RequestTimeTooSkewed": "set this host's clock",
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "PermanentRedirect": _REGION,
}
_REASONS = {"NoCredentialsError": "there are no keys for it"}
# Of botocore and s3fs, for an answer that is not S3's, or leads to itself.
_UNREADABLE = ("AttributeError", "HTTPClientError", "RecursionError", "ResponseParserError")


@dataclass(frozen=True)
class S3Fault:
    """What somebody has to set right: what is wrong, and what mends it."""

    reason: str
    remedy: str


def find_fault(error: BaseException) -> S3Fault | None:
    """What is wrong with keys, rights, clock, region or address; None where it is none of them."""
    code = _code(error)
    is_page = code.isdecimal() and code < "500" and not is_without_reason(error)
    if is_page or code in _UNREADABLE:
        return S3Fault("it answered something that is not S3", _ENDPOINT)
    reason = _REASONS.get(code) or getattr(error, "strerror", None) or str(error)
    return S3Fault(without_full_stop(reason), _REMEDIES[code]) if code in _REMEDIES else None


def is_without_reason(error: BaseException) -> bool:
    """Whether it is a refused HEAD request: the answer has no content, so its code is HTTP's."""
    operation, code = str(getattr(error.__cause__, "operation_name", "")), _code(error)
    return operation.startswith("Head") and code.isdecimal() and code < "500"


def _code(error: BaseException) -> str:
    """S3's code of an error, as ExpiredToken, or HTTP's; else the name of its class."""
    response = getattr(error.__cause__, "response", None)
    return str(response["Error"].get("Code")) if response else type(error).__name__
