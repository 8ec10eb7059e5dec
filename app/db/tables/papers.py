"""Papers as they were made: everything that stood on each, so that the same bytes can be drawn again."""

from sqlalchemy import CheckConstraint, Column, Integer, Table

from app.db.tables.base import ITEM, LAB, metadata, own_id, recorded_at, recorded_by, refers, text

papers = Table(
    "papers",
    metadata,
    own_id(),
    refers("item_id", ITEM, index=True),
    text("number", unique=True),
    text("kind"),
    text("language"),
    text("content"),
    text("content_sha256"),
    text("pdf_sha256"),
    Column("pages", Integer, nullable=False),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('certificate','batch_summary','eligibility')", name="kind"),
    CheckConstraint("language IN ('en','zh_CN')", name="language"),
    schema=LAB,
)
