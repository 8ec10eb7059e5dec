"""Views as JSON in the reader's language: every Text is said, everything else is plain."""

from typing import Any

from fastapi import Request
from pydantic_core import to_jsonable_python

from app.domain.views import spoken
from app.locale import gettext_for, language_of


def said(request: Request | None, view: Any) -> Any:
    """The view as JSON, in the language of the request; in English without one."""
    gettext = gettext_for(language_of(request)) if request is not None else str
    return to_jsonable_python(spoken(view, lambda text: text.translated(gettext)))
