"""Pages of labels: the queue, one item, one lot; what is typed wrong is shown at its field, what is hostile stays inert."""

import pytest

from tests.services import things
from tests.services.test_printing import printer, queued, unused_port
from tests.web.browsing import words
from tests.world import ok


@pytest.fixture
async def lot(lab):
    return await things.preparation(lab, (await things.eligible_donation(lab))["code"])


async def test_a_label_is_made_from_the_page_of_its_item(lab, lot, browser_of):
    tess = await browser_of("tess")
    page = f"/items/{lot['vial_code']}/labels"
    assert "No label was made yet" in words((await tess.get(page)).text)
    answer = await tess.post(page, {"language": "en", "printer": ""}, page=page)
    assert answer.status_code == 303
    shown = (await tess.get(page)).text
    assert "Print another label" in shown
    picture = await tess.get(f"/api/v1/items/{lot['vial_code']}/label.png?dots_per_mm=8")
    assert picture.headers["content-type"] == "image/png"
    again = await tess.post(page, {"language": "en", "printer": ""}, page=page)
    assert again.status_code == 422
    assert "has a label already" in words(again.text)
    assert (await tess.post(page, {"language": "zh", "printer": "", "reason": "smeared"}, page=page)).status_code == 303
    assert await lab.value("SELECT count(*) FROM lab.labels WHERE item_id = $1", lot["vial"]) == 2


async def test_the_reason_for_another_label_is_picked_from_a_list(lab, lot, browser_of):
    tess = await browser_of("tess", language="zh")
    page = f"/items/{lot['vial_code']}/labels"
    assert 'name="picked"' not in (await tess.get(page)).text, "a first label needs no reason"
    await tess.post(page, {"language": "en", "printer": ""}, page=page)
    assert "标签破损" in words((await tess.get(page)).text)
    answer = await tess.post(page, {"language": "en", "printer": "", "picked": "label-damaged"}, page=page)
    assert answer.status_code == 303
    assert "label damaged or unreadable" in words((await tess.get(page)).text)


async def test_a_form_sent_twice_makes_one_label(lab, lot, browser_of):
    from tests.web.browsing import hidden_fields

    tess = await browser_of("tess")
    page = f"/items/{lot['vial_code']}/labels"
    fields = hidden_fields((await tess.get(page)).text) | {"language": "en", "printer": ""}
    for _ in range(2):
        assert (await tess.http.post(page, data=fields)).status_code == 303
    assert await lab.value("SELECT count(*) FROM lab.labels WHERE item_id = $1", lot["vial"]) == 1


async def test_whoever_may_not_print_sees_no_form(lab, lot, browser_of):
    quinn = await browser_of("quinn")
    assert '/labels" class="entry' not in (await quinn.get(f"/items/{lot['vial_code']}/labels")).text
    adam = await browser_of("adam")
    assert (await adam.get("/labels")).status_code == 403


async def test_a_lot_is_labelled_counted_and_explained_on_one_page(lab, lot, browser_of):
    tess, quinn = await browser_of("tess"), await browser_of("quinn")
    page = f"/lots/{lot['lot_code']}/labels"
    assert (
        await tess.post(f"{page}/print", {"kind": "vial", "language": "zh", "printer": ""}, page=page)
    ).status_code == 303
    problem = await tess.post(f"{page}/print", {"kind": "vial", "language": "zh", "printer": ""}, page=page)
    assert problem.status_code == 409
    assert "has its label" in words(problem.text)
    wrong = await tess.post(f"{page}/count", {"used": "many", "destroyed": "-1", "returned": "1.5"}, page=page)
    assert wrong.status_code == 422
    assert wrong.text.count('aria-invalid="true"') == 3
    assert (
        await tess.post(f"{page}/count", {"used": "0", "destroyed": "0", "returned": "0"}, page=page)
    ).status_code == 303
    shown = words((await quinn.get(page)).text)
    assert "missing: 1" in shown
    assert "First open a deviation on this lot that names REL-04" in shown
    body = {"item": lot["lot_code"], "what": "<b>one</b> is gone", "class": "minor", "rules": ["REL-04"]}
    number = ok(await lab.as_("tess").post("/deviations", body))["number"]
    stated = {"deviation": number, "search": "all <script>", "mix_up_risk": "none", "independent_evidence": ""}
    assert "This field is empty" in words((await quinn.post(f"{page}/imbalance", stated, page=page)).text)
    stated["independent_evidence"] = "STR"
    assert (await quinn.post(f"{page}/imbalance", stated, page=page)).status_code == 303
    shown = (await quinn.get(page)).text
    assert "all &lt;script&gt;" in shown
    assert "<b>one</b>" not in shown
    assert f"Stated under deviation {number}" in words(shown)
    assert (
        await tess.post(f"{page}/count", {"used": "1", "destroyed": "0", "returned": "0"}, page=page)
    ).status_code == 303
    assert "comes out" in words((await tess.get(page)).text)


async def test_the_queue_shows_troubles_first_and_takes_what_a_person_says(lab, browser_of):
    target = await printer(lab, f"127.0.0.1:{unused_port()}")
    jobs, _ = await queued(lab, target, 3)
    for state, trouble in (("sending", None), ("unknown", "stopped")):
        await lab.arrange("UPDATE lab.print_jobs SET state = $2, trouble = $3 WHERE id = $1", jobs[0], state, trouble)
    tess, vera = await browser_of("tess"), await browser_of("vera")
    shown = words((await tess.get("/labels")).text)
    assert shown.index("A person must look") < shown.index(target["name"] + " ")
    assert "stands still until somebody has looked" in shown
    assert f"/labels/jobs/{jobs[0]}/" not in (await vera.get("/labels")).text
    for job, said in ((jobs[0], "printed"), (jobs[1], "cancel")):
        assert (await tess.post(f"/labels/jobs/{job}/{said}", {}, page="/labels")).status_code == 303
    assert (await tess.post(f"/labels/jobs/{jobs[0]}/retry", {}, page="/labels")).status_code == 409
    states = await lab.sql("SELECT state FROM lab.print_jobs WHERE id = ANY($1) ORDER BY id", jobs)
    assert [row["state"] for row in states] == ["printed", "cancelled", "queued"]
    assert (await tess.post(f"/labels/jobs/{jobs[0]}/burn", {}, page="/labels")).status_code == 422
    fragment = await tess.get("/labels/queue")
    assert fragment.text.lstrip().startswith('<div id="queue"')
    ok(await lab.as_("tess").post(f"/print-jobs/{jobs[2]}/cancel"))


async def test_a_printer_is_defined_on_its_page(lab, browser_of):
    hedda, tess = await browser_of("hedda"), await browser_of("tess")
    page = "/labels/printers/new"
    assert (await tess.get(page)).status_code == 403
    fields = {"name": "LP <i>page</i>", "room": "B-02", "media": "25x13", "dots_per_mm": "11.8"}
    wrong = await hedda.post(page, fields | {"address": "nonsense"}, page=page)
    assert wrong.status_code == 422
    assert "is no address of a printer" in words(wrong.text)
    assert (await hedda.post(page, fields | {"address": "printer.example:9100"}, page=page)).status_code == 303
    assert "LP &lt;i&gt;page&lt;/i&gt;" in (await hedda.get("/labels")).text


@pytest.mark.parametrize(
    "typed", ["\x00", "\u202egpj", "=1+1", "'; DROP TABLE lab.labels; --", "<img src=x>", "9" * 5000]
)
async def test_whatever_is_typed_nothing_breaks(lab, lot, browser_of, typed):
    tess, quinn, hedda = [await browser_of(name) for name in ("tess", "quinn", "hedda")]
    page, item = f"/lots/{lot['lot_code']}/labels", f"/items/{lot['vial_code']}/labels"
    sent = [
        (tess, f"{page}/count", dict.fromkeys(("used", "destroyed", "returned", "remark"), typed), page),
        (tess, f"{page}/print", dict.fromkeys(("kind", "language", "printer"), typed), page),
        (quinn, f"{page}/imbalance", dict.fromkeys(("deviation", "search", "mix_up_risk", "independent_evidence"), typed), page),
        (tess, item, dict.fromkeys(("language", "printer", "reason"), typed), item),
        (hedda, "/labels/printers/new", dict.fromkeys(("name", "room", "address", "media", "dots_per_mm"), typed), "/labels/printers/new"),
    ]  # fmt: skip
    for who, path, fields, came_from in sent:
        answer = await who.post(path, fields, page=came_from)
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert "<img src=x>" not in answer.text
    assert await lab.value("SELECT count(*) FROM lab.labels WHERE item_id = $1", lot["vial"]) == 0


async def test_pages_take_few_statements(lab, lot, browser_of):
    from sqlalchemy import event

    tess = await browser_of("tess")
    asked = []
    engine = next(iter(lab.app.state.house.door._engines.values())).sync_engine
    listener = lambda *given: asked.append(given[2])  # noqa: E731  one line is enough
    event.listen(engine, "before_cursor_execute", listener)
    try:
        for path in ("/labels", f"/lots/{lot['lot_code']}/labels", f"/items/{lot['vial_code']}/labels"):
            asked.clear()
            assert (await tess.get(path)).status_code == 200
            assert len(asked) <= 12, (path, len(asked))
    finally:
        event.remove(engine, "before_cursor_execute", listener)
