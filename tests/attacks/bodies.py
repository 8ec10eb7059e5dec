"""Bodies made from the reviewed OpenAPI document: one that is valid, and many that are not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIGEST = "0" * 64
UUID = "00000000-0000-4000-8000-000000000000"
MOMENT = "2026-01-02T03:04:05+00:00"
# What the document cannot say of a text; everything else is a harmless line.
TEXTS = {
    "^[a-z][a-z0-9._-]{1,63}$": "attacked.name",
    "^[A-Z]{2}$": "AQ",
    "^[0-9a-f]{64}$": DIGEST,
    "^[0-9]{2,7}-[0-9]{2}-[0-9]$": "50-99-7",
    "^[A-Z2-7]{32}$": "A" * 32,
    r"^AS-\d{2}-\d{4,12}$": "AS-26-9999",
    r"^IM-\d{2}-\d{4,12}$": "IM-26-9999",
    r"^ST-\d{2}-\d{4,12}$": "ST-26-9999",
    r"^LD-\d{2}-\d{4,12}$": "LD-26-9999",
    r"^[A-Z]{2,6}(-[0-9]{2}[A-Z]?)?$": "REL-02",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$": "SOP-9999",
    r"^[a-z][a-z0-9_]{0,39}$": "attacked_name",
    r"^[a-z0-9]+\.[a-z0-9_]+$": "attacked.name",
    r"^[a-z_]{1,40}\.[a-z_]{1,60}$": "lab.lots",
}
STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    10**40,
    1.5,
    "",
    " ",
    "x" * 100_000,
    "\x00",
    "\u202e abc",
    "🦠" * 50,
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "NaN",
    "Infinity",
    "-0",
    "1e400",
    "\ud800",
    [],
    [[]],
    {},
    {"$ref": "#"},
    [None] * 50,
)


ENDLESS = {"/api/v1/events": "an answer that never ends: tests/services/test_events.py asks who is told what"}


class Bodies:
    """Makes bodies for every operation of one document."""

    def __init__(self, document: Mapping[str, Any], code: str) -> None:
        """`code` is a code of the right grammar that nothing bears."""
        self.document = document
        self.code = code

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Method, path and operation of the whole document."""
        for path, operations in self.document["paths"].items():
            if path in ENDLESS:
                continue
            for method, operation in operations.items():
                yield method.upper(), path, operation

    def path(self, path: str) -> str:
        """The path with its parameters filled in: of the form that the document states, and naming nothing."""
        (parameters, *_) = [each.get("parameters", []) for each in self.document["paths"][path].values()]
        for parameter in parameters:
            if parameter["in"] == "path":
                value = self._named(parameter["name"], parameter["schema"])
                path = path.replace(f"{{{parameter['name']}}}", value)
        return path

    def _named(self, name: str, schema: Mapping[str, Any]) -> str:
        if schema.get("type") == "integer":
            return "999999"
        if "enum" in schema or "$ref" in schema:
            return str(self._of(schema, name))
        if (pattern := schema.get("pattern")) is not None:
            return TEXTS[pattern]
        known = {
            "username": "attacked.name",
            "number": "DV-26-9999",
            "key": "999999",
            "role": "technician",
            "form": "pdf",
        }
        return known.get(name, self.code)

    def valid(self, operation: Mapping[str, Any]) -> Any:
        """A body that the document allows, or None where there is none."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        body = self._of(content["schema"], "")
        if isinstance(body, dict):
            # What only the service's own rules ask for, beyond the document.
            if "composition_complete" in body:
                body["composition"] = [{"name": "water"}]
            if "lines" in body:
                body["lines"] = [
                    {
                        "test": "sterility",
                        "method": "x",
                        "kind": "qualitative",
                        "expected": "no growth",
                        "safety": True,
                        "required": True,
                    }
                ]
            if "meaning" in body:
                body |= {
                    "meaning": "batch_reviewed",
                    "record": {"kind": "batch", "code": self.code},
                    "statement": "accepted",
                }
        return body

    def _of(self, schema: Mapping[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self._of(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], name)
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self._of(schema[choice][0], name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                if "properties" not in schema:
                    values = schema.get("additionalProperties")
                    return {"checked": self._of(values, name) if isinstance(values, dict) else True} if values else {}
                wanted = schema.get("required", [])
                return {field: self._of(schema["properties"][field], field) for field in wanted}
            case "array":
                return [self._of(schema["items"], name)] * max(1, schema.get("minItems", 1))
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case _:
                return self._text(schema, name)

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        match schema.get("format"):
            case "date-time":
                return MOMENT
            case "date":
                return "2026-01-02"
            case "uuid":
                return UUID
        if (pattern := schema.get("pattern")) is not None:
            return TEXTS.get(pattern, "1")
        if schema.get("maxLength") == 64 or name in CODES:
            return self.code
        return "x" * max(1, schema.get("minLength", 1))

    def spoiled(self, body: Any) -> Iterator[Any]:
        """The body with one thing wrong at a time, and bodies that are no bodies."""
        yield from ([], "x", 1, None, [body])
        if not isinstance(body, dict):
            return
        yield {**body, "state": "released"}
        yield {**body, "recorded_at": MOMENT, "id": 1, "account_id": 1, "roles": ["quality_authority"]}
        for index, field in enumerate(body):
            yield {key: value for key, value in body.items() if key != field}
            # Each field meets a part of the strange values; all fields together meet them all.
            for strange in STRANGE[index % 3 :: 3]:
                yield {**copy.deepcopy(body), field: strange}


CODES = frozenset(
    {
        "donor",
        "donation",
        "lot",
        "container",
        "workstation",
        "item",
        "code",
        "material_lot",
        "freezer",
        "source",
        "flask",
        "recipient",
    }
)
