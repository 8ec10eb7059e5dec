"""The rule book: every rule defined in a module of this package, after those that stand before every gate.

Its version is a digest of the source that judges, so that a judgement kept today names exactly what judged it.
"""

import hashlib
from importlib import import_module
from pkgutil import get_data, iter_modules

from app.domain.rulebook import Rule
from app.domain.standing import STANDING_RULES

JUDGING_MODULES = (
    "animal_serum",
    "assessments",
    "banking",
    "beta_lactams",
    "cell_banks",
    "custody",
    "documents",
    "donors",
    "dossier",
    "equipment",
    "facts",
    "genes",
    "impacts",
    "laboratories",
    "legacy",
    "lots",
    "making",
    "mandates",
    "materials",
    "monitoring",
    "packs",
    "partners",
    "people",
    "processing",
    "production_ends",
    "reinspection",
    "rulebook",
    "settings",
    "sources",
    "standing",
    "studies",
    "testing",
    "two_steps",
)
"""The domain's modules whose change may change a verdict. A test holds this list to what the rules import."""


def _rules() -> tuple[Rule, ...]:
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    written = {each.id: each for module in modules for each in vars(module).values() if isinstance(each, Rule)}
    return (*STANDING_RULES, *(written[rule_id] for rule_id in sorted(written)))


def rulebook_digest() -> str:
    """SHA-256 in hexadecimal over the rule files and the domain's judging modules, line ends made equal."""
    digest = hashlib.sha256()
    files = [("app.rules", f"{found.name}.py") for found in sorted(iter_modules(__path__), key=lambda each: each.name)]
    files += [("app.domain", f"{name}.py") for name in JUDGING_MODULES]
    for package, file in files:
        source = (get_data(package, file) or b"").replace(b"\r\n", b"\n")
        digest.update(f"{package}/{file} {len(source)}\n".encode())
        digest.update(source)
    return digest.hexdigest()


RULES: tuple[Rule, ...] = _rules()
BY_ID = {each.id: each for each in RULES}
JURISDICTION = "CN-818"
"""The rule pack that this book is written for. Which one judges is chosen by signature (app/domain/packs.py)."""

RULEBOOK_VERSION = f"{JURISDICTION}/1+{rulebook_digest()[:16]}"
