"""Errors of pydantic in our words, which follow the name of a field."""

import re
from collections.abc import Mapping
from typing import Any

# Types of pydantic's errors by what we say of them; what stands in braces is in their context.
_TYPES = {
    "is missing": "missing",
    "is not known here; remove it": "extra_forbidden",
    "is neither true nor false": "bool_parsing bool_type",
    "is not a whole number": "int_parsing int_type int_from_float",
    "is too large a number": "int_parsing_size",
    "is not a number": "float_parsing float_type",
    "is not a finite number": "finite_number",
    "is not a text": "string_type string_sub_type string_unicode",
    "is shorter than {min_length} characters": "string_too_short",
    "is longer than {max_length} characters": "string_too_long",
    "is not written as it should be ({pattern})": "string_pattern_mismatch",
    "is not a day; write it as 2026-01-31": "date_type date_parsing date_from_datetime_parsing",
    "is a time, not a day; write it as 2026-01-31": "date_from_datetime_inexact",
    "is not a time; write it as 2026-01-31T08:00:00Z": (
        "datetime_type datetime_parsing datetime_from_date_parsing"
    ),
    "is not an id": "uuid_type uuid_parsing",
    "is not an address": "url_type url_parsing",
    "is not an address that begins with {expected_schemes}": "url_scheme",
    "is not a list": "list_type tuple_type set_type",
    "is not a mapping of names to values": "dict_type model_type model_attributes_type",
    "is none of {expected}": "enum literal_error",
    "has to be empty": "none_required",
    "is not more than {gt}": "greater_than",
    "is less than {ge}": "greater_than_equal",
    "is not less than {lt}": "less_than",
    "is more than {le}": "less_than_equal",
    "has fewer than {min_length} items": "too_short",
    "has more than {max_length} items": "too_long",
    "is not a path": "path_type",
    "is not JSON": "json_invalid json_type",
}
_MESSAGES = {one: message for message, types in _TYPES.items() for one in types.split()}
_PREFIX = "Value error, "  # pydantic's, before a validator's own words
_SHOULD_BE = re.compile("^(Input|Value|.{1,30}) should be (an? )?(valid )?")


def describe_validation_error(error: Mapping[str, Any]) -> str:
    """One of `ValidationError.errors()`, without its field and its value, which may be a secret."""
    if message := _MESSAGES.get(error["type"]):
        try:
            return message.format_map(error.get("ctx", {}))
        except KeyError:  # the context was left out
            return re.sub(r" \(?\{.*", " what is allowed", message)
    message = str(error["msg"]).removeprefix(_PREFIX).rstrip(".")
    return _SHOULD_BE.sub("is not ", message)
