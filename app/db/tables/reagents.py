"""Reagents prepared in house: recipes by version, what was prepared from which containers, who verified it."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Numeric, Table, UniqueConstraint

from app.db.tables.base import ACCOUNT, ITEM, LAB, instant, metadata, own_id, recorded_at, recorded_by, refers, text

recipes = Table(
    "recipes",
    metadata,
    own_id(),
    refers("material_id", "lab.materials.id"),
    Column("version", Integer, nullable=False),
    Column("shelf_life_hours", Numeric, nullable=False),
    text("storage"),
    text("instructions"),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("material_id", "version", name="uq_recipes_material_id_version"),
    CheckConstraint("shelf_life_hours > 0", name="keeps"),
    schema=LAB,
)

recipe_components = Table(
    "recipe_components",
    metadata,
    own_id(),
    refers("recipe_id", "lab.recipes.id"),
    refers("material_id", "lab.materials.id"),
    Column("amount", Numeric, nullable=False),
    text("unit"),
    UniqueConstraint("recipe_id", "material_id", name="uq_recipe_components_recipe_id_material_id"),
    CheckConstraint("amount > 0 AND btrim(unit) <> ''", name="some"),
    schema=LAB,
)

reagents = Table(
    "reagents",
    metadata,
    Column("id", BigInteger, ForeignKey("lab.material_lots.id"), primary_key=True, autoincrement=False),
    refers("recipe_id", "lab.recipes.id", index=True),
    refers("prepared_by", ACCOUNT),
    instant("prepared_at"),
    instant("expires_at"),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

reagent_parts = Table(
    "reagent_parts",
    metadata,
    own_id(),
    refers("reagent_id", "lab.reagents.id", index=True),
    refers("container_id", "lab.containers.id", index=True),
    refers("material_lot_id", "lab.material_lots.id", index=True),
    Column("quantity", Numeric, nullable=False),
    text("unit"),
    CheckConstraint("quantity > 0 AND btrim(unit) <> ''", name="some"),
    CheckConstraint("material_lot_id <> reagent_id", name="another"),
    schema=LAB,
)

reagent_verifications = Table(
    "reagent_verifications",
    metadata,
    own_id(),
    Column("reagent_id", BigInteger, ForeignKey("lab.reagents.id"), nullable=False, unique=True),
    refers("verified_by", ACCOUNT),
    refers("badge_id", "people.badges.id"),
    refers("scanned_item_id", ITEM),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)
