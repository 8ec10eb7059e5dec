"""Pages of a release in two steps: a plan proposed and signed, a test begun, what the physician reads, the signature."""

import re
from datetime import date, datetime, timedelta

from tests import life, two_steps
from tests.web.browsing import words
from tests.world import ok


def given(process):
    return {
        "process": f"{process['version']}:{process['name']}",
        "protocol": "PR-7",
        "protocol_version": "3",
        "ethics_reference": "EC-<b>1</b>",
        "ethics_approved_on": str(date.today() - timedelta(days=9)),
        "consent_clause": "clause 9",
    }


LATE = {
    "interim_sterility": "rapid sterility",
    "validation_sterility": "VR-12",
    "days_sterility": "14",
    "if_positive_sterility": "treat",
}


async def test_a_plan_is_proposed_and_signed_on_its_pages(lab, browser_of):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    process, page = await life.process(lab), "/two-step-plans/new"
    half = await quinn.post(page, given(process) | LATE | {"validation_sterility": ""}, page=page)
    assert half.status_code == 422
    tomorrow = {"ethics_approved_on": str(date.today() + timedelta(days=2))}
    wrong = await quinn.post(page, given(process) | LATE | tomorrow, page=page)
    assert wrong.status_code == 422
    assert "is yet to come." in words(wrong.text)
    answer = await quinn.post(page, given(process) | LATE, page=page)
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    shown = (await quinn.get(there)).text
    assert "<b>1</b>" not in shown
    assert "The quality authority decides it" in words(shown)
    assert (await (await browser_of("tess")).get(page)).status_code == 403

    opened = f"{there}?sign=sign-two_step_plan_decided"
    await lab.succeeded_here("lin")
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    text = (await lin.get(opened)).text
    assert "rapid sterility stands in its place meanwhile" in words(text)
    digest = text.split('name="digest" value="')[1].split('"')[0]
    answer = await lin.post(f"{there}/signature", proof | {"digest": digest}, page=opened)
    assert answer.status_code == 303, words(answer.text)
    found = ok(await lab.as_("tess").get(f"/two-step-plans/{there.rsplit('/', 1)[1]}"))
    assert found["state"] == "decided"


async def test_it_is_given_out_on_its_page_in_plain_words(lab, browser_of):
    async with two_steps.allowed(lab):
        await given_out(lab, browser_of)


async def given_out(lab, browser_of):
    made = await two_steps.waiting(lab)
    ana, phil, lin = [await browser_of(name) for name in ("ana", "phil", "lin")]
    page = f"/lots/{made.lot}/pending"
    local = datetime.now() + timedelta(days=400)
    body = {"test": "sterility", "sample": made.samples[0], "laboratory": "our own"}
    wrong = await ana.post(
        f"{page}/tests",
        body | {"started_at": f"{local:%Y-%m-%dT%H:%M}", "due_at": f"{local:%Y-%m-%dT%H:%M}"},
        page=page,
    )
    assert wrong.status_code == 422
    body |= {"started_at": life.now(), "due_at": life.ago(days=-13)}
    ok(
        await lab.as_("ana").post(
            f"/samples/{made.samples[0]}/under-way", {key: value for key, value in body.items() if key != "sample"}
        )
    )
    said = {"tests": "sterility", "remarks": "the patient cannot <i>wait</i>"}
    answer = await phil.post(f"{page}/acknowledgement", said, page=page)
    assert answer.status_code == 303, words(answer.text)
    shown = await lin.get(page)
    assert "<i>wait</i>" not in shown.text
    assert "Dr Phil Fang" in words(shown.text)
    assert "no rule blocks" in words(shown.text)

    checked = await lin.post(f"{page}/check", {}, page=page)
    assert "is released before these results: sterility." in words(checked.text)
    assert "Your second signature is due" in words(checked.text)
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', checked.text)[0]
    await lab.succeeded_here("lin")
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin"), "digest": digest}
    answer = await lin.post(f"{page}/release", proof, page=page)
    assert answer.status_code == 303, words(answer.text)
    assert await made.state() == "conditionally_released"
    assert "the second signature waits for the last result" in words((await lin.get(page)).text)
    released = words((await lin.get(f"/lots/{made.lot}/release")).text)
    assert "conditionally released" in released
    assert "Signed by" not in released
