"""Which version of the tables this code expects. Apart from the migrations' machinery, which a server need not load."""

from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def newest_version() -> str:
    """The version that `migrate` leads to: the number that begins the last migration's name."""
    return max(file.stem.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
