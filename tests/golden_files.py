"""Reviewed text kept beside the tests: what it says is what the code must say."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def agrees(name: str, text: str) -> None:
    """Compare with the kept text. STEMMA_WRITE_GOLDEN=1 writes it instead, to be reviewed with the change."""
    kept = FOLDER / name
    if os.environ.get("STEMMA_WRITE_GOLDEN") == "1":
        kept.write_text(text, encoding="utf-8", newline="\n")
    assert kept.exists(), f"{name} is not kept yet"
    assert text == kept.read_text(encoding="utf-8")
