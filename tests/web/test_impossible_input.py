"""Impossible input, one thing at a time, through every form and every body that the laboratory's life sends.

Every form that a crawl meets is sent as somebody fills it who means well, but for one impossible thing; every body that
furnishing the laboratory sends is sent first with each of its impossible things. Always: refused, at the field, in the
reader's language, with what was typed still there, and nothing is kept.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import httpx
import pytest
from argon2 import PasswordHasher

from app.db import secrets
from app.locale import LANGUAGE_COOKIE
from app.web.saying import grouped
from tests import life, world
from tests.study import day as study_day
from tests.web.hostile import Form, Page
from tests.web.impossible import Wrong, WrongBody, base, bodies_wrong, leaves, things_wrong
from tests.web.test_hostile_text import ROLES, ROUTES, Journal, Met, Visitor, crawl, furnished, honest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Database
    from tests.web.test_hostile_text import House
    from tests.world import Lab

API = world.API
KEPT = "SELECT count(*) FROM audit.entries WHERE reason NOT LIKE 'refused: %' AND act NOT IN ('sign_in', 'arrange')"
"""What was done. A refusal is a record too, and says that nothing was."""
TWICE, NO_CHOICE = "a row twice", "no such choice"
FAIR: dict[tuple[str, str, str], str] = {
    ("/already-happened", "occurred_at", "unreadable"): "kept as said: the domain judges the year, after the numbers",
    ("/already-happened", "ended_at", "unreadable"): "likewise",
    ("/legacy-dossiers", "papers", TWICE): "told at the second paper's file: file_sha2561",
    ("/monitoring/sessions/{session}/samples", "samples", TWICE): "two plates may stand at one place",
    ("/materials/catalogue/new", "species", NO_CHOICE): "what an answer above makes pointless is not taken at all",
    ("/items/{code}/labels", "picked", NO_CHOICE): "told at the words beside it: a label has one reason",
    ("/studies/{number}/new", "site1", TWICE): "its protocol stands already; /studies/new has the same rows",
    ("/studies/{number}/new", "country1", TWICE): "likewise",
    ("/partners/{partner}/agreement", "duty1", TWICE): "every duty has its bearer: these are no rows",
}
"""(where, field, what) that is not impossible there, or not refused at its field, and why."""
UNMET = {
    "/bench/scan",
    "/bench/steps/{kind}/{code}/growth",
    "/bench/steps/{kind}/{code}/scan",
    "/people/appointments/counting",
    "/unlock",
    "/lots/{code}/release",
    "/lots/{code}/pending/release",
    "/lots/{code}/pending/acknowledgement",
}
"""Pages' routes to which scripts send, or a dialog that stands in an answer alone: the words of their own tests judge them."""
UNTRIED = {
    "/ceremonies": "it holds no fact: a wrong digest or choice is refused in its own tests",
    "/studies/{number}/versions": "its body is that of /studies, read by the same",
    "/lots/{code}/what-if": "it keeps nothing, and supposes what it is told",
}
"""Routes whose bodies are not tried, and why."""
SENT_AT_LEAST = 400
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TRIED = "x-impossible"


@dataclass
class Tried:
    """What was sent and what was wrong with the answers."""

    bodies: dict[str, int] = field(default_factory=dict)
    forms: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept_meanwhile: int = 0


# -- bodies ------------------------------------------------------------------------------------------------------------


class Meeting:
    """Stands at the laboratory's door: of every route's first body, what cannot be is sent before the body itself."""

    def __init__(self, lab: Lab, tried: Tried) -> None:
        self.lab, self.tried = lab, tried
        self.api = lab.app.openapi()
        self.routes = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$"), path.removeprefix(API), of["post"])
            for path, of in sorted(self.api["paths"].items(), key=lambda each: each[0].count("{"))
            if "post" in of and "requestBody" in of["post"]
        ]

    async def __call__(self, request: httpx.Request) -> None:
        if request.method != "POST" or TRIED in request.headers or "authorization" not in request.headers:
            return
        found = next((each for each in self.routes if each[0].match(request.url.path)), None)
        if found is None or found[1] in self.tried.bodies or not request.content:
            return
        _, route, of = found
        self.tried.bodies[route] = 0
        body = json.loads(request.content)
        schema = next(iter(of["requestBody"]["content"].values()))["schema"]
        for wrong in bodies_wrong(route, list(leaves(self.api, schema, body)), body):
            self.tried.bodies[route] += 1
            await self._try(request, route, wrong)

    def left(self) -> list[str]:
        """Routes whose bodies hold a date or a number, and of which none was tried."""
        found = []
        for _, route, of in self.routes:
            schema = next(iter(of["requestBody"]["content"].values()))["schema"]
            kinds = {leaf.kind for leaf in leaves(self.api, schema, None)} - {"choice"}
            if kinds and route not in self.tried.bodies and route not in UNTRIED:
                found.append(route)
        return found

    async def _try(self, request: httpx.Request, route: str, wrong: WrongBody) -> None:
        before = await self.lab.value(KEPT)
        head = {"authorization": request.headers["authorization"], TRIED: "1", "idempotency-key": str(uuid.uuid4())}
        answer = await self.lab.http.post(request.url, json=wrong.body, headers=head)
        where = f"POST {route} [{wrong.said}] {wrong.at}"
        if answer.status_code not in {400, 422}:
            if all((route, name, wrong.said) in FAIR for name in wrong.at):
                return
            self.tried.troubles.append(f"{where} → {answer.status_code} {answer.text[:300]}")
            return
        problem = answer.json()
        told = " ".join([problem.get("field", ""), *(each["field"] for each in problem.get("fields", []))])
        named = [name for name in wrong.at if re.search(rf"\b{re.escape(name)}(\b|[\d_])", told)]
        if len(named) < (len(set(wrong.at)) if wrong.at_all else 1) and not _all_fair(
            route, wrong.at, named, wrong.said
        ):
            self.tried.troubles.append(f"{where}: told of {told!r}: {problem['why']}")
        if answer.headers["content-type"] != "application/problem+json" or not problem["remedy"]:
            self.tried.troubles.append(f"{where}: no problem+json")
        if await self.lab.value(KEPT) != before:
            self.tried.troubles.append(f"{where}: something was kept")


def _all_fair(where: str, at: Any, named: list[str], said: str) -> bool:
    return all(name in named or (where, name, said.partition(":")[0]) in FAIR for name in at)


async def beside(house: House) -> list[tuple[str, str, dict[str, Any]]]:
    """What furnishing does not send and what holds dates, numbers or rows: by whom, where to, and the body."""
    lab, facts = house.lab, house.facts
    process = await lab.value("SELECT name FROM lab.process_versions WHERE gene_editing ORDER BY id DESC LIMIT 1")
    partner = await lab.value("SELECT max(id) FROM lab.partners")
    outside = await lab.value("SELECT laboratory_id FROM lab.laboratory_accreditations ORDER BY id DESC LIMIT 1")
    accreditation = await lab.value("SELECT max(id) FROM lab.laboratory_accreditations")
    virus_test = await lab.value("SELECT max(id) FROM lab.virus_tests")
    session = await lab.value("SELECT max(id) FROM lab.workstation_sessions")
    plate = await lab.value("SELECT max(id) FROM lab.monitoring_samples")
    study = await lab.value("SELECT max(number) FROM lab.studies")
    sponsor = await lab.value("SELECT name FROM lab.institutions ORDER BY id DESC LIMIT 1")
    donor = next(path.split("/")[2] for _, path in house.sent if path.endswith("/markers/new"))
    number = await lab.value("SELECT max(number) FROM lab.assessments")
    paper = {"file_name": "paper.pdf", "file_sha256": "a" * 64}
    past, day, ahead = life.ago(days=2), study_day(-2), study_day(300)
    span = {"valid_from": day, "valid_to": ahead}
    born = {"name": "Somebody Else", "hospital_number": "H-77", "birth_date": "1990-01-02"}
    report = {
        "process": process,
        "version": 1,
        "reference": "R",
        "prediction": "P",
        "assay": "guide_seq",
        "assay_method": "M",
    }
    report |= {"sites_examined": 9, "sites_above": 0, "threshold_percent": "0.1", "highest_percent": "0.01"}
    report |= {"aberrations": "none_found", "aberrations_method": "M", "reported_on": day, "file_sha256": "a" * 64}
    reply = {
        "authority": "A",
        "reference": "R",
        "dated": day,
        "rule": "CB-01A",
        "process": process,
        "process_version": 1,
    }
    reply |= {"question": "Q", "answer": "A", "ruling": "permits", "file_place": "safe", **paper}
    way = {
        "partner": "P",
        "shipper": "S",
        "from_place": "A",
        "to_place": "B",
        "handed_over_by": "X",
        "received_by": "Y",
    }
    way |= {"dispatched_at": past, "arrived_at": life.ago(days=1), "min_c": "-190", "max_c": "-150"}
    used = {"container": facts["container0"], "quantity": "5", "unit": "mL"}
    thaw = {"workstation": house.workstation, "materials": [used], "started_at": past, "ended_at": life.ago(days=1)}
    thaw |= {"parents": [facts["vial"]], "viable": "9e5", "dead": "1e4", "flasks": 2}
    again = {"title": "T", "hazard": "H", "mitigations": [{"measure": "M", "control": "waste"}], "conclusion": "C"}
    qualified = {
        "kind": "calibration",
        "done_on": day,
        "due_on": ahead,
        "outcome": "passed",
        "evidence": "E",
        "done_by": "D",
    }
    shipper = {
        "shipper": "S",
        "low_c": "-190",
        "high_c": "-150",
        "hours_max": "72",
        "qualified_on": day,
        "valid_to": ahead,
    }
    area = {"room": "R-9", "grade": "B", "classified_on": day, "due_on": ahead, "evidence": "E"}
    happened = {"what": "other", "account": "words", "occurred_at": past, "ended_at": life.ago(days=1), "flasks": 1}
    excursion = {"began_at": past, "ended_at": life.ago(days=1), "warmest_celsius": "-120", "what": "W"}
    born_test = {"method": "STR", "laboratory": "L", "sampled_at": past, "reported_at": life.ago(days=1)}
    agreed = {"process": process, "process_version": 1, "duties": {"D": "house"}, "signed_on": day, "reference": "R"}
    plates = [{"kind": "settle", "grade": "A", "place": "left", "taken_at": past}]
    sponsored = {
        "sponsor": sponsor,
        "protocol_jointly_set": True,
        "signed_on": day,
        "valid_to": ahead,
        "reference": "R",
    }
    disease = {"country": "NZ", "disease": "BSE", "category": "negligible", "source": "WOAH", **span}
    ended = {"accreditation": accreditation, "how": "lapsed", "ended_on": day, "why": "W", "evidence": "E"}
    elsewhere = next(path.split("/")[2] for _, path in house.sent if path.endswith("/maker/step"))
    signed = {"kind": "analysis", "reference": "R", "conforms": True, "signed_by": "S", "signed_at": past, **paper}
    told = {"kind": "isolation", "started_at": past, "ended_at": life.ago(days=1), "performed_by": "P", "page": "1"}
    told |= {"viable_seeded": "1e6", "viable_harvested": "4e6", "dead_harvested": "1e5", "materials": [used]}
    told |= {"verified_by": "V", "verified_at": life.ago(days=1), "vials": 0}
    slow = {"test": "sterility", "laboratory": "L", "started_at": past, "due_at": life.ago(days=-12)}
    asked = {"reasons": "R", "risk_evaluation": "E", "risk_file_name": "r.pdf", "risk_file_sha256": "a" * 64}
    asked |= {"committee": "C", "committee_decision": "approved", "committee_reference": "R"}
    trained = {"topic": "isolation", "valid_from": past, "valid_to": life.ago(days=-300), "evidence": "E"}
    return [
        ("tess", "/already-happened", happened | {"viable_seeded": "1e5", "volume_ml": "2"}),
        ("tess", "/persons", {"identity": born}),
        ("quinn", "/off-target-reports", report),
        ("quinn", "/authority-replies", reply),
        ("quinn", "/animal-disease-status", disease),
        ("quinn", "/monitoring/areas", area),
        (
            "ana",
            "/monitoring/readings",
            {"readings": [{"sample": plate or 1, "value": "3", "read_at": life.ago(hours=0)}]},
        ),
        ("tess", f"/monitoring/sessions/{session}/samples", {"samples": plates}),
        ("quinn", "/permits/withdrawal", {"number": "HGR-HOSTILE-1", "withdrawn_at": past}),
        ("quinn", "/shippers", shipper | paper),
        ("tess", f"/lots/{facts['lot']}/transports", way),
        ("tess", f"/lots/{facts['lot']}/withdrawals", {"vial": facts["vial"], "withdrawn_at": past}),
        ("tess", f"/lots/{facts['lot']}/thaw", thaw),
        ("tess", f"/storage/{facts['place']}/excursions", excursion),
        (
            "tess",
            f"/donations/{facts['donation']}/storage",
            {"place": facts["place"], "biohazard_labelled": True, "stored_at": past},
        ),
        ("ana", f"/donations/{facts['donation']}/birth-tests", born_test | {"maternal_percent": "0.1"}),
        ("tess", f"/donors/{donor}/consents/withdrawal", {"form_version": "CF-1", "withdrawn_at": past}),
        ("hedda", f"/equipment/{facts['place']}/qualifications", qualified | {"as_found_in_tolerance": True}),
        ("ana", f"/virus-tests/{virus_test}/outcomes", {"outcome": "negative", "reported_at": past, "reference": "R"}),
        ("quinn", f"/laboratories/{outside}/ends", ended),
        (
            "quinn",
            f"/material-lots/{facts['reagent']}/certificates",
            {"kind": "donor_pool", "reference": "R", "pool_size": 9},
        ),
        ("tess", f"/items/{facts['container0']}/open", {"opened_at": past}),
        ("quinn", f"/partners/{partner}/agreements", agreed | {"valid_to": ahead}),
        ("quinn", f"/studies/{study}/agreements", sponsored),
        ("quinn", f"/lots/{elsewhere}/maker/papers", signed),
        ("quinn", f"/lots/{elsewhere}/maker/steps", told),
        ("ana", f"/samples/{facts['code']}/under-way", slow),
        ("phil", f"/lots/{facts['lot']}/exceptional-requests", asked | {"committee_decided_on": day}),
        ("quinn", "/accounts/vic/qualifications", trained),
        ("quinn", f"/assessments/{number}/versions", again | {"valid_from": past, "valid_to": life.ago(days=-90)}),
    ]


# -- forms -------------------------------------------------------------------------------------------------------------


def element_of(page: Page, name: str) -> dict[str, str] | None:
    """The field that is marked as refused, or the group of its choices."""
    for _, has in page.elements:
        is_it = has.get("name") == name or (not has.get("name") and re.fullmatch(rf"(.*-)?{name}", has.get("id", "")))
        if is_it and has.get("aria-invalid") == "true":
            return has
    return None


def said_at(html: str, has: dict[str, str]) -> str:
    """What the refusal says that the field is described by."""
    for each in has.get("aria-describedby", "").split():
        if each.endswith("-wrong"):
            found = re.search(rf'id="{re.escape(each)}"[^>]*>(.*?)</div>', html, re.DOTALL)
            return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""
    return ""


async def meant(house: House, met: Met) -> list[tuple[str, str | bytes]]:
    """The form as somebody fills it who means well, and who knows what a digest and a country look like."""
    true = {"file_sha": "a" * 64, "country": "CN", "dated": "2025-05-30"}
    typed = [
        (name, true.get(base(name), value) if value else value) for name, value in await honest(house, met, "words")
    ]
    typed = [(name, "" if name.startswith("statement_") else value) for name, value in typed]
    if "rules" in met.form.names and "rules" not in dict(typed):
        typed.append(("rules", next(each.value for each in met.form.fields if each.name == "rules")))
    return typed


async def attack(house: House, visitor: Visitor, met: Met, tried: Tried, turns: itertools.cycle[str]) -> None:
    """Send one form with each impossible thing in it."""
    typed = {name: str(value) for name, value in await meant(house, met)}
    tried.forms.setdefault(met.action, 0)
    for wrong in things_wrong(met.action, met.form.fields, typed):
        tried.forms[met.action] += 1
        language = next(turns)
        visitor.browser.http.cookies.delete(LANGUAGE_COOKIE)
        visitor.browser.http.cookies.set(LANGUAGE_COOKIE, language, domain="lab.test")
        before = await house.lab.value(KEPT)
        sent = [(name, value) for name, value in await meant(house, met) if name not in wrong.typed]
        answer = await visitor.send(met, sent + list(wrong.typed.items()))
        where = f"{met.who} {met.page} → {met.action} [{wrong.said}] {list(wrong.typed)}"
        tried.troubles += [f"{where}: {each}" for each in judged(answer, met, wrong, language)]
        if await house.lab.value(KEPT) != before and not _is_fair(met, wrong):
            tried.troubles.append(f"{where}: something was kept")


def _is_fair(met: Met, wrong: Wrong) -> bool:
    return all((met.action, name, wrong.said) in FAIR for name in wrong.typed)


def judged(answer: httpx.Response, met: Met, wrong: Wrong, language: str) -> list[str]:
    """What is wrong with the page that answers."""
    if _is_fair(met, wrong):
        return []
    if not 400 <= answer.status_code < 500:
        return [str(answer.status_code)]
    page, found, marked = Page(answer.text), [], 0
    for name, value in wrong.typed.items():
        has = element_of(page, name)
        if has is None:
            if wrong.at_all:
                found.append(f"{name} is not marked")
            continue
        marked += 1
        words = said_at(answer.text, has)
        if len(words) < 5 or bool(CHINESE.search(words)) != (language == "zh_CN"):
            found.append(f"{name} says {words!r} in {language}")
        is_typed = any(name == has.get("name") and "value" in has and "type" not in has for _, has in page.elements)
        as_shown = {value, grouped(value)}
        if is_typed and not any(h.get("name") == name and h.get("value") in as_shown for _, h in page.elements):
            found.append(f"{name} has lost {value[:30]!r}")
    if not marked and not wrong.at_all:
        found.append("nothing is marked")
    return found


# -- what is asked of it -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def tried(make_database: Callable[[], Database]) -> AsyncIterator[Tried]:
    """The laboratory furnished, with all that cannot be sent before what can; then every form."""
    kept = Tried()
    small = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("nobody's")
    async with world.open_lab(make_database()) as lab:
        with patch.object(secrets, "_dummies", [small]):
            meeting = Meeting(lab, kept)
            lab.http.event_hooks["request"].append(meeting)
            before = await lab.value(KEPT)
            house = await furnished(lab)
            kept.kept_meanwhile = await lab.value(KEPT) - before
            for who, path, body in await beside(house):
                head = {"authorization": f"Bearer {await lab.as_(who).signed_in()}"}
                await meeting(lab.http.build_request("POST", API + path, json=body, headers=head))
            lab.http.event_hooks["request"].remove(meeting)
            kept.left = meeting.left()
            await every_form(house, kept)
            yield kept


async def every_form(house: House, tried: Tried) -> None:
    """Each form that somebody meets."""
    journal, turns = Journal(), itertools.cycle(("en", "zh_CN", "zh_CN", "en", "zh_CN"))
    visitors = {who: await Visitor(house, who).comes_in() for who in ROLES}
    for met in await crawl(house, visitors, journal, newest=False):
        await attack(house, visitors[met.who], met, tried, turns)
    for each in visitors.values():
        await each.browser.http.aclose()


async def test_no_form_and_no_body_takes_what_cannot_be(tried: Tried) -> None:
    """Every one was refused, at its field; and every form and every body that can hold what cannot be was tried."""
    assert tried.troubles == [], "\n".join(tried.troubles)
    routes = {route.path for route in ROUTES if "POST" in route.methods}
    assert routes - tried.forms.keys() == UNMET, "no page led to their forms: send somebody there, or say why not"
    assert tried.left == [], "no body was tried: furnish it, or write it beside"
    assert sum(tried.forms.values()) > SENT_AT_LEAST
    assert sum(tried.bodies.values()) > SENT_AT_LEAST
    assert tried.kept_meanwhile > SENT_AT_LEAST, "what is counted as kept counts what is kept"


# -- teeth -------------------------------------------------------------------------------------------------------------


def _answer(status: int, html: str) -> httpx.Response:
    return httpx.Response(status, html=html)


MET = Met("tess", "/", "/somewhere", Form("/somewhere", "post", is_fragment=False))
FIELD = '<input name="n" value="-1" {marks}><div id="n-wrong">{words}</div>'
MARKS = 'aria-invalid="true" aria-describedby="n-wrong"'


@pytest.mark.parametrize(
    ("status", "html", "language"),
    [
        (303, "", "en"),
        (500, FIELD.format(marks=MARKS, words="It is less than 0."), "en"),
        (422, FIELD.format(marks="", words="It is less than 0."), "en"),
        (422, FIELD.format(marks='aria-invalid="true"', words="It is less than 0."), "en"),
        (422, FIELD.format(marks=MARKS, words=""), "en"),
        (422, FIELD.format(marks=MARKS, words="It is less than 0."), "zh_CN"),
        (422, FIELD.format(marks=MARKS, words="小于 0。"), "en"),
        (422, FIELD.format(marks=MARKS, words="It is less than 0.").replace("-1", "1"), "en"),
    ],
)
def test_the_judge_sees_what_was_not_refused_at_its_field(status: int, html: str, language: str) -> None:
    wrong = Wrong("less than nothing", {"n": "-1"})
    assert judged(_answer(status, html), MET, wrong, language)
    good = FIELD.format(marks=MARKS, words="It is less than 0. Correct the number.")
    assert judged(_answer(422, good), MET, wrong, "en") == []
