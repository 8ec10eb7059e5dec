"""Somebody at a browser without a screen: cookies, forms, redirects followed by hand."""

import html
import re

import httpx


class Browser:
    """One browser. It sends what a browser sends."""

    def __init__(self, lab, *, language="en", place="198.51.100.7"):
        self.lab = lab
        self.language = {"zh": "zh_CN"}.get(language.split("-")[0], "en")
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=lab.app, client=(place, 1)),
            base_url="http://lab.test",
            headers={"accept-language": language, "sec-fetch-site": "same-origin"},
        )

    async def sign_in(self, name):
        await self.lab.forget_failures(name)
        await self.lab.forgive_places()
        fields = {"username": name, "password": self.lab.password(name), "totp": await self.lab.totp(name)}
        answer = await self.http.post("/sign-in", data=fields)
        assert answer.status_code == 303, answer.text
        # Signing in brings the account's own language; whoever sits here chooses theirs again.
        await self.http.get("/sign-in", params={"lang": self.language})
        return answer

    async def get(self, path, **more):
        return await self.http.get(path, **more)

    async def post(self, path, fields, *, page=None, **more):
        """Send a form as it stands on `page`: its token and key come from there."""
        await self.lab.forgive_places()
        hidden = {} if page is None else hidden_fields((await self.http.get(page)).text)
        return await self.http.post(path, data=hidden | fields, **more)


def hidden_fields(page):
    """The names and values of a page's hidden fields; the last of a name wins."""
    found = re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def words(page):
    """What is written on the page, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
