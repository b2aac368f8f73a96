"""Options that several commands share, as one parameter of each command."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any

Command = Callable[..., None]


def takes_options(
    parameter: str, group: type[Any], types: Mapping[str, Any] | None = None
) -> Callable[[Command], Command]:
    """Give a command the options of a group in place of one parameter, which gets the group.

    Args:
        parameter: of the command, by name; where it stands, the options stand.
        group: a dataclass, whose fields are the options.
        types: of the options, by field, where they are not the fields' own; a field without one is
            no option.
    """
    options = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=one.type if types is None else types[one.name],
        )
        for one in fields(group)
        if types is None or one.name in types
    ]

    def expand(command: Command) -> Command:
        shown: list[inspect.Parameter] = []
        for name, own in inspect.signature(command).parameters.items():
            kept = own.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            shown += options if name == parameter else [kept]

        @wraps(command)
        def call(**given: Any) -> None:  # noqa: ANN401  (what the options hold)
            taken = group(**{one.name: given.pop(one.name) for one in options})
            command(**given, **{parameter: taken})

        call.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        call.__annotations__ = {one.name: one.annotation for one in shown}
        return call

    return expand
