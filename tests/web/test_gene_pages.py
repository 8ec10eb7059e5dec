"""Vectors, tests for replicating virus and off-target edits on their pages."""

import re
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests import life
from tests.services import test_genes as changed
from tests.services import things
from tests.web.browsing import words
from tests.web.test_sql_counts import STATEMENTS_MOST, counting
from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")
SHA = "cd" * 32


def when(**parts):
    return f"{datetime.now(HERE) + timedelta(**parts):%Y-%m-%dT%H:%M}"


def day(days=0):
    return f"{datetime.now(HERE) + timedelta(days=days):%Y-%m-%d}"


def a_vector(**more):
    return {
        "vector_type": "lentivirus",
        "titre": "2e8",
        "titre_unit": "TU/mL",
        "role-0": "plasmid",
        "name-0": "pTransfer",
        "part_lot-0": "PL-7",
        "selected_with-0": "kanamycin",
        "role-1": "producer_bank",
        "name-1": "HEK293T",
        "part_lot-1": "WCB-3",
    } | more


def a_test(**more):
    return {
        "sample": "vector_supernatant",
        "assay": "coculture",
        "method": "RCL-1/2",
        "laboratory": "Virus Laboratory",
        "supernatant_percent": "5",
        "sampled_at": when(days=-3),
    } | more


def a_report(**more):
    return {
        "reference": "OT-26-1",
        "reported_on": day(-2),
        "prediction": "Cas-OFFinder 3",
        "assay": "guide_seq",
        "assay_method": "GS-2",
        "sites_examined": "38",
        "sites_above": "0",
        "threshold_percent": "0.1",
        "highest_percent": "0.04",
        "aberrations": "none_found",
        "aberrations_method": "G-banding",
        "file_sha256": SHA,
    } | more


async def test_a_vector_is_stated_tested_and_found_clean_on_its_page(lab, browser_of):
    quinn, ana = await browser_of("quinn"), await browser_of("ana")
    code = await changed.vector_lot(lab)
    lot, here = f"/materials/{code}", f"/materials/{code}/vector"
    assert f'href="{here}"' in (await quinn.get(lot)).text
    assert "Nobody has stated yet what this vector is." in words((await quinn.get(here)).text)
    answer = await quinn.post(here, a_vector(), page=here)
    assert answer.status_code == 303, words(answer.text)
    shown = words((await quinn.get(here)).text)
    assert "lentiviral vector" in shown
    assert "HEK293T" in shown
    # The form begins with what was stated last.
    assert 'value="pTransfer"' in (await quinn.get(here)).text
    answer = await ana.post(f"/lots/{code}/virus-tests", a_test(), page=here)
    assert answer.status_code == 303, words(answer.text)
    assert answer.headers["location"] == here
    page = (await ana.get(here)).text
    assert "pending" in words(page)
    number = re.search(r'<option value="(\d+)">\d+: ', page)[1]
    report = {"test": number, "outcome": "negative", "reported_at": when(), "reference": "VL-9"}
    answer = await ana.post(f"/lots/{code}/virus-outcomes", report, page=here)
    assert answer.status_code == 303, words(answer.text)
    assert "VL-9" in words((await ana.get(here)).text)


async def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_kept(lab, browser_of):
    quinn, ana = await browser_of("quinn"), await browser_of("ana")
    code = await changed.vector_lot(lab)
    here = f"/materials/{code}/vector"
    for wrong, field in (
        ({"titre": "0"}, "vector-titre"),
        ({"titre_unit": ""}, "vector-titre"),
        ({"part_lot-0": ""}, "vector-part_lot-0"),
        ({"role-1": ""}, "vector-role-1"),
        ({"vector_type": ""}, "vector-vector_type"),
    ):
        answer = await quinn.post(here, a_vector(**wrong), page=here)
        assert answer.status_code == 422, wrong
        assert f'id="{field}-wrong"' in answer.text, wrong
    for wrong, field in (
        ({"sampled_at": when(days=2)}, "test-sampled_at"),
        ({"supernatant_percent": ""}, "test-supernatant_percent"),
        ({"supernatant_percent": "101"}, "test-supernatant_percent"),
        ({"sample": "producer_cells", "supernatant_percent": ""}, "test-cells_tested"),
        ({"assay": "smell"}, "test-assay"),
    ):
        answer = await ana.post(f"/lots/{code}/virus-tests", a_test(**wrong), page=here)
        assert answer.status_code == 422, wrong
        assert f'id="{field}-wrong"' in answer.text, wrong
    key = await life.id_of(lab, code)
    assert await lab.value("SELECT count(*) FROM lab.vector_statements WHERE vector_lot_id = $1", key) == 0
    assert await lab.value("SELECT count(*) FROM lab.virus_tests WHERE lot_id = $1", key) == 0


async def test_an_outcome_is_recorded_of_a_test_of_this_lot_alone(lab, browser_of):
    ana = await browser_of("ana")
    code, other = await changed.vector_lot(lab), await changed.vector_lot(lab)
    number = await changed.sent_off(lab, other, changed.SUPERNATANT, outcome=None)
    await changed.sent_off(lab, code, changed.SUPERNATANT, outcome=None)
    report = {"test": str(number), "outcome": "positive", "reported_at": when(), "reference": "VL-1"}
    answer = await ana.post(f"/lots/{code}/virus-outcomes", report, page=f"/materials/{code}/vector")
    assert answer.status_code == 422
    assert ok(await lab.as_("ana").get(f"/lots/{other}/genes"))["tests"][0]["state"] == "pending"


async def test_a_process_names_its_vector_and_shows_its_off_target_reports(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    name = f"HSC {uuid.uuid4().hex[:6]}"
    fields = {
        "name": name,
        "version": "1",
        "product": "edited HSC",
        "product_zh": "编辑造血干细胞",
        "cell_source": "marrow",
        "passage_convention": "primary_is_p0",
        "max_passage": "3",
        "max_pdl": "20",
        "traits": ["gene_modified"],
        "vector_type": "rnp",
        "gene_editing": "no",
    }
    answer = await quinn.post("/processes/new", fields, page="/processes/new")
    assert answer.status_code == 422
    assert 'id="gene_editing-wrong"' in answer.text
    answer = await quinn.post("/processes/new", fields | {"gene_editing": "yes"}, page="/processes/new")
    assert answer.status_code == 303, words(answer.text)
    there = f"/processes/off-target?process={name}&version=1"
    assert "ribonucleoprotein" in words((await quinn.get(there)).text)
    for wrong, field in (
        ({"reported_on": day(2)}, "reported_on"),
        ({"highest_percent": "0.2"}, "highest_percent"),
        ({"file_sha256": "abc"}, "file_sha256"),
        ({"sites_above": "39", "highest_percent": "1"}, "sites_above"),
    ):
        answer = await quinn.post(there, a_report(**wrong), page=there)
        assert answer.status_code == 422, wrong
        assert f'id="{field}-wrong"' in answer.text, wrong
    answer = await quinn.post(there, a_report(), page=there)
    assert answer.status_code == 303, words(answer.text)
    assert "OT-26-1" in words((await tess.get(answer.headers["location"])).text)
    assert "<form" not in (await tess.get(there)).text.split("<main")[1]
    body = {
        "rule": "GM-02",
        "scope": {"kind": "process", "name": name, "version": 1},
        "title": "Edits beside the target",
        "hazard": "a gene is lost",
        "mitigations": [{"measure": "another guide", "control": "guide_choice"}],
        "conclusion": "acceptable",
        "valid_to": life.ago(days=-90),
    }
    number = ok(await lab.as_("quinn").post("/assessments", body))["number"]
    shown = words((await (await browser_of("lin")).get(f"/assessments/{number}")).text)
    assert "OT-26-1" in shown


async def test_a_lot_of_changed_genes_leads_to_its_tests(lab, browser_of):
    shared = await life.new_shared(lab)
    shared.process = await life.process(lab, gene_modified=True, vector_type="lentivirus", gene_editing=False)
    lived = await life.preparation(lab, upto="planned", use=shared)
    ana = await browser_of("ana")
    here = f"/lots/{lived.lot}/genes"
    assert f'href="{here}"' in (await ana.get(f"/lots/{lived.lot}")).text
    cells = a_test(sample="transduced_cells", supernatant_percent="", cells_tested="3e5", cells_in_pool="2e5")
    answer = await ana.post(f"/lots/{lived.lot}/virus-tests", cells, page=here)
    assert answer.status_code == 422
    assert 'id="test-cells_in_pool-wrong"' in answer.text
    answer = await ana.post(f"/lots/{lived.lot}/virus-tests", cells | {"cells_in_pool": "3e7"}, page=here)
    assert answer.status_code == 303, words(answer.text)
    assert answer.headers["location"] == here
    plain = await life.preparation(lab, upto="planned")
    assert "/genes" not in (await ana.get(f"/lots/{plain.lot}")).text


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_pages_ask_little_of_the_database(lab, browser_of, monkeypatch, language):
    code = await changed.ready_vector(lab)
    browser = await browser_of("quinn", language=language)
    for there in (f"/materials/{code}/vector", f"/materials/{code}"):
        assert (await browser.get(there)).status_code == 200
        with counting(monkeypatch) as asked:
            await browser.get(there)
        assert len(asked.statements) <= STATEMENTS_MOST


async def test_of_what_is_no_vector_there_is_no_such_page(lab, browser_of):
    quinn = await browser_of("quinn")
    medium = (await things.material_lot(lab))["code"]
    assert (await quinn.get(f"/materials/{medium}/vector")).status_code == 404
    assert (await quinn.get("/processes/off-target?process=nobody&version=1")).status_code == 404
