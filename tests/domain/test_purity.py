"""The domain and the rules compute. They open nothing, ask nobody, and own no clock."""

import ast
from pathlib import Path

import pytest

from app.rules import JUDGING_MODULES, RULEBOOK_VERSION, rulebook_digest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "app" / "domain").glob("*.py"), *(ROOT / "app" / "rules").glob("*.py")])
FORBIDDEN = {
    "asyncio", "asyncpg", "builtins", "fastapi", "httpx", "io", "os", "pathlib", "pydantic", "random", "secrets",
    "socket", "sqlalchemy", "subprocess", "sys", "threading", "time", "uuid",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "localtime", "monotonic", "perf_counter"}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_here_imports_the_world(path):
    assert not {name.split(".")[0] for name in imports(path)} & FORBIDDEN
    assert not any(
        name.startswith("app.") and not name.startswith(("app.domain", "app.rules")) for name in imports(path)
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_here_asks_a_clock_or_opens_a_file(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    named = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & CLOCKS
    assert not named & {"open", "print", "input", "exec", "eval", "__import__"}


def test_no_rule_imports_another():
    for path in (ROOT / "app" / "rules").glob("[!_]*.py"):
        assert not any(name.startswith("app.rules") for name in imports(path))


def test_the_rule_books_version_covers_all_that_judges():
    known = {path.stem for path in (ROOT / "app" / "domain").glob("*.py")} - {"__init__"}
    border = {
        name.split(".")[2]
        for path in (ROOT / "app" / "rules").glob("*.py")
        for name in imports(path)
        if name.startswith("app.domain.") and name.split(".")[2] in known
    }
    reached = set()
    while border:
        reached |= border
        border = {
            name.split(".")[2]
            for each in border
            for name in imports(ROOT / "app" / "domain" / f"{each}.py")
            if name.startswith("app.domain.") and name.split(".")[2] in known
        } - reached
    speaks_only = {"acts", "counterexamples", "errors", "text"}
    assert reached - speaks_only == set(JUDGING_MODULES)


def test_the_version_is_of_this_source():
    assert RULEBOOK_VERSION.endswith(rulebook_digest()[:16])
