"""Who calls a public function reads in its docstring what each of its parameters is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("adspark", "blocks", "deployments", "flows", "orchestration", "tasks")
LEAST = 3  # parameters; fewer are told by their names
SAID_IN_TYPE = (
    "Annotated",
    "Dep",
    "Option",
    "options.",
    "Number",
    "Path",
)  # of commands and routes

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_of_three_parameters_or_more_describe_them(package: str) -> None:
    assert list(_silent_functions(ROOT / package)) == []


def _silent_functions(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.py")):
        for function in _public_functions(ast.parse(file.read_text())):
            docstring = ast.get_docstring(function)
            if docstring and "Args:" not in docstring and len(_parameters(function)) >= LEAST:
                yield f"{file.relative_to(ROOT)}:{function.lineno} {function.name}"


def _public_functions(node: ast.Module | ast.ClassDef) -> Iterator[Function]:
    for inner in node.body:
        if isinstance(inner, ast.ClassDef):
            yield from _public_functions(inner)
        elif isinstance(inner, Function) and not inner.name.startswith("_"):
            yield inner


def _parameters(function: Function) -> list[str]:
    """Those that do not say in their type what they are."""
    given = function.args
    return [
        one.arg
        for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)
        if one.arg not in ("self", "cls")
        and not (
            one.annotation and any(word in ast.unparse(one.annotation) for word in SAID_IN_TYPE)
        )
    ]
