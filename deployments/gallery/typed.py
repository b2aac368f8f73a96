"""What was typed into a form that cannot be shown again, as the page that says so shows it."""

from fastapi import Request

from deployments.gallery.forms import Form
from deployments.gallery.labels import TYPED
from deployments.gallery.texts import Texts


def read_typed(request: Request, texts: Texts) -> list[tuple[str, str]]:
    """Label and text of what was typed into the form of a request; of a form that was not read, or
    that this visitor has not sent, nothing."""
    form = getattr(request.state, "form", None)
    if not isinstance(form, Form):
        return []
    return [
        (texts(label), written)
        for name, label in TYPED.items()
        for written in form.all_written(name)
        if written.strip()
    ]
