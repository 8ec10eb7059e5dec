"""People at work: each signs in over HTTP, sends writes under fresh keys, and signs with password and one-time code."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp

from app.demo.telling import waiting

STEP_S = 30


class Unexpected(RuntimeError):
    """The application answered otherwise than the story has it."""


@dataclass
class Person:
    """Somebody with an account."""

    address: str
    username: str
    printed_name: str
    password: str
    totp_secret: str
    needs_code: bool
    badge: str = ""
    pin: str = ""
    http: httpx.Client = field(init=False, repr=False)
    _last_step: int = 0

    def __post_init__(self) -> None:
        """Nothing is sent before the first sign-in."""
        self.http = httpx.Client(base_url=f"{self.address}/api/v1", timeout=60)

    def sign_in(self) -> None:
        """Password, and for those who sign the one-time code."""
        body = {"username": self.username, "password": self.password}
        if self.needs_code:
            body["totp"] = self.code()
        answer = self.http.post("/session", json=body)
        if answer.status_code != 201:
            raise Unexpected(f"{self.username} could not sign in: {answer.text}")
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def code(self) -> str:
        """A one-time code not used before. Three are good at any moment; after that the next one is waited for."""
        told = False
        while True:
            now = int(time.time()) // STEP_S
            step = max(self._last_step + 1, now - 1)
            if step <= now + 1:
                self._last_step = step
                return pyotp.TOTP(self.totp_secret).at(step * STEP_S)
            if not told:
                waiting(f"{self.printed_name} waits for the next one-time code: each is good for one signature")
                told = True
            time.sleep(0.5)

    def asks(self, path: str, **params: Any) -> Any:
        """Read something."""
        return self._good(self.http.get(path, params=params))

    def does(self, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        """Do something; a story goes on only when it worked."""
        answer = self.tries(path, body)
        if expect is not None and answer.status_code != expect:
            raise Unexpected(f"{path}: {answer.status_code} instead of {expect}: {answer.text}")
        return self._good(answer)

    def tries(self, path: str, body: Any = None) -> httpx.Response:
        """Do something that may be refused."""
        return self.http.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def sends_picture(self, path: str, picture: bytes) -> Any:
        """Hold something before the camera."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "image/png"}
        return self._good(self.http.post(path, content=picture, headers=headers))

    def fetches(self, path: str, **params: Any) -> bytes:
        """Fetch a file."""
        answer = self.http.get(path, params=params)
        if answer.status_code != 200:
            raise Unexpected(f"{path}: {answer.status_code} {answer.text}")
        return answer.content

    def tries_to_sign(
        self, meaning: str, record: dict[str, str], *, digest: str, statement: str = ""
    ) -> httpx.Response:
        """Give password and one-time code for one signature."""
        return self.tries(
            "/ceremonies",
            {
                "meaning": meaning,
                "record": record,
                "statement": statement,
                "digest": digest,
                "password": self.password,
                "totp": self.code(),
            },
        )

    def signs(self, meaning: str, record: dict[str, str], *, statement: str = "") -> str:
        """Read the record as it stands, sign it; the ceremony to hand in with the act."""
        shown = self.asks("/ceremonies/record", **record)
        answer = self.tries_to_sign(meaning, record, digest=shown["digest"], statement=statement)
        return str(self._good(answer)["ceremony"])

    @staticmethod
    def _good(answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise Unexpected(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None
