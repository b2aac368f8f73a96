"""What pydantic has against a value, in our words: they follow the name of a field."""

import re
from collections.abc import Mapping
from typing import Any

# By pydantic's type of error; what stands in braces is in its context.
_TOLD = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; remove it",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "int_parsing": "is not a whole number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "int_parsing_size": "is too large a number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "finite_number": "is not a finite number",
    "string_type": "is not a text",
    "string_sub_type": "is not a text",
    "string_unicode": "is not a text",
    "string_too_short": "is shorter than {min_length} characters",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is not written as it should be ({pattern})",
    "date_type": "is not a day; write it as 2026-01-31",
    "date_parsing": "is not a day; write it as 2026-01-31",
    "date_from_datetime_parsing": "is not a day; write it as 2026-01-31",
    "date_from_datetime_inexact": "is a time, not a day; write it as 2026-01-31",
    "datetime_type": "is not a time; write it as 2026-01-31T08:00:00Z",
    "datetime_parsing": "is not a time; write it as 2026-01-31T08:00:00Z",
    "datetime_from_date_parsing": "is not a time; write it as 2026-01-31T08:00:00Z",
    "uuid_type": "is not an id",
    "uuid_parsing": "is not an id",
    "url_type": "is not an address",
    "url_parsing": "is not an address",
    "url_scheme": "is not an address that begins with {expected_schemes}",
    "list_type": "is not a list",
    "tuple_type": "is not a list",
    "set_type": "is not a list",
    "dict_type": "is not a mapping of names to values",
    "model_type": "is not a mapping of names to values",
    "model_attributes_type": "is not a mapping of names to values",
    "enum": "is none of {expected}",
    "literal_error": "is none of {expected}",
    "none_required": "has to be empty",
    "greater_than": "is not more than {gt}",
    "greater_than_equal": "is less than {ge}",
    "less_than": "is not less than {lt}",
    "less_than_equal": "is more than {le}",
    "too_short": "has fewer than {min_length} items",
    "too_long": "has more than {max_length} items",
    "path_type": "is not a path",
    "json_invalid": "is not JSON",
    "json_type": "is not JSON",
}
_PREFIX = "Value error, "  # pydantic's, before a validator's own words
_SHOULD_BE = re.compile("^(Input|Value|.{1,30}) should be (an? )?(valid )?")


def tell_mistake(error: Mapping[str, Any]) -> str:
    """The mistake without the field's name and without the value, which may be a secret.

    Args:
        error: one of `ValidationError.errors()`.
    """
    if told := _TOLD.get(error["type"]):
        try:
            return told.format_map(error.get("ctx", {}))
        except KeyError:  # the context was left out
            return re.sub(r" \(?\{.*", " what is allowed", told)
    message = str(error["msg"]).removeprefix(_PREFIX).rstrip(".")
    return _SHOULD_BE.sub("is not ", message)
