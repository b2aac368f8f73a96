"""The texts behind the fields of a class: Python keeps them in its source alone."""

import ast
import inspect
import textwrap


def field_docs(cls: type) -> dict[str, str]:
    """The text under each field or member of a class; fields without one are left out."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    name = ""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[name] = inspect.cleandoc(str(node.value.value))
            name = ""
        else:
            name = ""
    return found
