"""Process versions and specifications: defined once, never edited, read by name."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


def a_process(**more: Any) -> dict[str, Any]:
    return {
        "name": f"Marrow MSC {uuid.uuid4().hex[:8]}",
        "version": 1,
        "product": "BM-MSC",
        "product_zh": "骨髓间充质干细胞",
        "cell_source": "bone marrow",
        "passage_convention": "primary_is_p0",
        "max_passage": 5,
        "max_pdl": "20.5",
        "shelf_life_days": 365,
        "gene_modified": False,
        "long_term_expansion": False,
        "clone_selected": False,
        "short_cycle": True,
        "low_manipulation": False,
        **more,
    }


def a_line(**more: Any) -> dict[str, Any]:
    return {
        "test": "viability",
        "method": "trypan blue",
        "kind": "quantitative",
        "low": "70",
        "unit": "%",
        "safety": True,
        "required": True,
        **more,
    }


STERILE = {
    "test": "sterility",
    "method": "culture",
    "kind": "qualitative",
    "expected": "no growth",
    "safety": True,
    "required": True,
}


def a_specification(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": f"MSC final product {uuid.uuid4().hex[:8]}",
        "version": 1,
        "effective_from": things.ago(days=30),
        "lines": list(lines) or [a_line(), STERILE],
        **more,
    }


async def test_a_process_version_is_defined_and_listed(lab: Lab) -> None:
    made = ok(await lab.as_("quinn").post("/processes", a_process()))
    assert made["max_pdl"] == "20.5"
    second = ok(await lab.as_("hedda").post("/processes", {**made, "version": 2, "max_passage": 4}))
    listed = ok(await lab.as_("tess").get("/processes", after=made["name"], after_version=0))
    assert listed[:2] == [made, second]
    assert ok(await lab.as_("tess").get("/processes", after=made["name"], after_version=1))[0] == second


async def test_a_process_version_stands(lab: Lab) -> None:
    made = ok(await lab.as_("quinn").post("/processes", a_process()))
    refused(await lab.as_("quinn").post("/processes", {**made, "max_passage": 50}), 409, "conflict")
    refused(await lab.as_("tess").post("/processes", a_process()), 403, "not-permitted")
    listed = ok(await lab.as_("tess").get("/processes", after=made["name"], after_version=0, limit=1))
    assert listed == [made]


@pytest.mark.parametrize(
    "wrong",
    [
        {"passage_convention": "primary_is_p2"},
        {"max_passage": -1},
        {"max_pdl": "NaN"},
        {"max_pdl": 0},
        {"version": 0},
        {"product_zh": ""},
        {"name": "a\u202ename"},
        {"unknown": 1},
    ],
)
async def test_a_senseless_process_is_refused(lab: Lab, wrong: dict[str, Any]) -> None:
    refused(await lab.as_("quinn").post("/processes", a_process(**wrong)), 422, "bad-input")


async def test_a_specification_is_defined_and_listed(lab: Lab) -> None:
    made = ok(await lab.as_("quinn").post("/specifications", a_specification()))
    assert [line["test"] for line in made["lines"]] == ["viability", "sterility"]
    listed = ok(await lab.as_("tess").get("/specifications", after=made["name"], after_version=0, limit=1))
    assert listed[0]["lines"] == made["lines"]


@pytest.mark.parametrize(
    "line",
    [
        a_line(low=None),
        a_line(unit=None),
        a_line(low="80", high="70"),
        a_line(expected="fine"),
        {**STERILE, "expected": None},
        {**STERILE, "low": "1"},
        a_line(low="Infinity"),
        STERILE,
    ],
    ids=[
        "no limit",
        "no unit",
        "limits crossed",
        "two kinds",
        "nothing expected",
        "limit of words",
        "infinite",
        "twice",
    ],
)
async def test_a_line_without_sense_is_refused(lab: Lab, line: dict[str, Any]) -> None:
    before = await lab.value("SELECT count(*) FROM lab.specifications")
    refused(await lab.as_("quinn").post("/specifications", a_specification(STERILE, line)), 422, "bad-input")
    assert await lab.value("SELECT count(*) FROM lab.specifications") == before


async def test_a_specification_version_stands(lab: Lab) -> None:
    made = ok(await lab.as_("quinn").post("/specifications", a_specification()))
    refused(await lab.as_("quinn").post("/specifications", {**made, "lines": [a_line()]}), 409, "conflict")
    refused(await lab.as_("hedda").post("/specifications", a_specification()), 403, "not-permitted")
    refused(await lab.as_("quinn").post("/specifications", a_specification(effective_from="2026-01-01T00:00:00")), 422)
    listed = ok(await lab.as_("tess").get("/specifications", after=made["name"], after_version=0, limit=1))
    assert len(listed[0]["lines"]) == 2
