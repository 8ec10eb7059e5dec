"""The API as reviewed text: every path, method, body and answer. STEMMA_WRITE_GOLDEN=1 rewrites it."""

import json

from app.main import build
from app.settings import Settings
from tests.golden_files import agrees


def _schema() -> dict:
    settings = Settings(
        database_url="postgresql://nobody@localhost/none",
        auth_database_url="postgresql://nobody@localhost/none",
        identity_key="none",
        totp_key="none",
    )
    return build(settings).openapi()


def _lines(schema: dict) -> str:
    lines = []
    for path, methods in sorted(schema["paths"].items()):
        for method, operation in sorted(methods.items()):
            body = operation.get("requestBody", {}).get("content", {})
            takes = ",".join(
                sorted(part.get("schema", {}).get("$ref", "inline").split("/")[-1] for part in body.values())
            )
            query = ",".join(sorted(each["name"] for each in operation.get("parameters", []) if each["in"] == "query"))
            lines.append(f"{method.upper():6} {path}{'?' + query if query else ''}{' <- ' + takes if takes else ''}")
    for name, shape in sorted(schema["components"]["schemas"].items()):
        required = set(shape.get("required", []))
        fields = ", ".join(each + ("" if each in required else "?") for each in shape.get("properties", {}))
        lines.append(f"{name}: {fields or json.dumps(shape.get('enum', []), ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def test_the_api_is_as_it_was_reviewed():
    agrees("openapi.txt", _lines(_schema()))


def test_the_names_that_stay_are_there():
    paths = _schema()["paths"]
    for path in (
        "/health", "/metrics", "/api/v1/session", "/api/v1/scans", "/api/v1/items/{code}", "/api/v1/items/{code}/trace",
        "/api/v1/items", "/api/v1/rules", "/api/v1/ceremonies", "/api/v1/lots/{code}/release-check",
        "/api/v1/lots/{code}/release", "/api/v1/dashboard/lots",
    ):  # fmt: skip
        assert path in paths, path
