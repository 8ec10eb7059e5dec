import inspect

from app.domain import errors
from app.domain.errors import BadInput, Finding, NotPermitted, Refusal
from app.domain.text import Text

WORDS = {"what": Text("No."), "why": Text("Because."), "remedy": Text("Ask.")}
STATUSES = {
    "NotSignedIn": 401,
    "NotPermitted": 403,
    "CeremonyRefused": 403,
    "NotFound": 404,
    "Unavailable": 503,
    "Conflict": 409,
    "Stale": 409,
    "Busy": 409,
    "Blocked": 409,
    "Held": 409,
    "IllegalMove": 409,
    "PayloadTooLarge": 413,
    "BadInput": 422,
    "Locked": 423,
    "Refusal": 409,
}


def test_each_refusal_knows_its_status():
    found = {
        name: each.status for name, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, Refusal)
    }
    assert found == STATUSES


def test_a_refusal_says_what_why_and_the_remedy():
    refusal = NotPermitted(**WORDS, rule="QA-04", detail={"act": "release_lot"})
    assert refusal.kind == "not-permitted"
    assert str(refusal) == "No. Because. Ask."
    assert refusal.to_json()["rule"] == "QA-04"


def test_bad_input_names_its_field():
    refusal = BadInput(field="viable", **WORDS)
    assert refusal.field == "viable"
    assert refusal.detail == {"field": "viable"}


def test_a_finding_is_said_in_the_readers_language():
    finding = Finding("L1", Text("pending"), Text("wait"), "REL-02")
    assert finding.said(lambda message: {"pending": "待定", "wait": "等待"}[message]) == {
        "rule": "REL-02",
        "subject": "L1",
        "problem": "待定",
        "remedy": "等待",
    }
