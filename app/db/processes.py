"""Process versions: what is made, from what, how far it may be expanded. A version is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

COLUMNS = (
    "name, version, product, product_zh, cell_source, passage_convention, max_passage, max_pdl, shelf_life_days,"
    " gene_modified, long_term_expansion, clone_selected, short_cycle, low_manipulation, vector_type, gene_editing"
)
INSERT = f"""
INSERT INTO lab.process_versions ({COLUMNS}, recorded_by)
VALUES (:name, :version, :product, :product_zh, :cell_source, :passage_convention, :max_passage, :max_pdl,
    :shelf_life_days, :gene_modified, :long_term_expansion, :clone_selected, :short_cycle, :low_manipulation,
    :vector_type, :gene_editing, :by)
"""
LIST = f"""
SELECT {COLUMNS} FROM lab.process_versions
WHERE CAST(:name AS text) IS NULL OR (name, version) > (:name, :version) ORDER BY name, version LIMIT :limit
"""


async def insert(change: Change, *, values: Mapping[str, Any]) -> None:
    """A new process version. Raises Conflict when name and version are taken."""
    await change.run(INSERT, **values, by=change.actor.account_id)


async def page(reading: Reading, *, name: str | None, version: int, limit: int) -> Sequence[Row[Any]]:
    """Process versions by name and version, after this one."""
    return await reading.all(LIST, name=name, version=version, limit=limit)
