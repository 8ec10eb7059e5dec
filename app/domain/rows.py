"""Lists in which each thing stands once."""

from collections.abc import Hashable, Sequence

from app.domain.errors import BadInput
from app.domain.text import Text


def require_once_each(rows: Sequence[tuple[Hashable, str]], *, field: str) -> None:
    """Raises BadInput where a row's key stands before it already; `rows` are each one's key and name.

    The field is the list's, a dot, and the row's number from 0.
    """
    seen: set[Hashable] = set()
    for row, (key, name) in enumerate(rows):
        if key in seen:
            raise BadInput(
                field=f"{field}.{row}",
                what=Text("Nothing was recorded."),
                why=Text("{name} stands here twice.", name=name),
                remedy=Text("Write it once."),
            )
        seen.add(key)
