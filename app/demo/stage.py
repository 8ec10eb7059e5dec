"""The people of the demo, as the stage left their accounts, and their laboratory."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from app.demo.life import Laboratory
from app.demo.people import Person

SIGNERS = {"qa_manager", "quality_authority", "physician", "administrator"}


def laboratory() -> Laboratory:
    """Everybody, nobody signed in yet; labels of an earlier run, which name vials that are no more, are gone."""
    folder = Path(os.environ["STEMMA_DEMO_FOLDER"])
    people = {
        each["username"]: Person(
            address=os.environ["STEMMA_DEMO_ADDRESS"],
            username=each["username"],
            printed_name=each["printed_name"],
            password=each["password"],
            totp_secret=each["totp_secret"],
            needs_code=not each["roles"] or bool(SIGNERS & set(each["roles"])),
            badge=each["badge"],
            pin=each["pin"],
        )
        for each in json.loads((folder / "accounts.json").read_text())
    }
    shutil.rmtree(folder / "labels", ignore_errors=True)
    return Laboratory(people=people, folder=folder)
