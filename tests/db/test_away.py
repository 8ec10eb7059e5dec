"""A database that is away is said so: 503, what and why and what to do; and when it is back, work goes on."""

from app.db.embedded import EmbeddedPostgres
from tests import world


async def test_without_a_database_everything_says_so_and_goes_on_when_it_is_back(tmp_path_factory):
    from tests.conftest import Database

    root = tmp_path_factory.mktemp("away")
    postgres = EmbeddedPostgres.open(root, fast=True, tcp=True)
    try:
        postgres.create_database("away")
        cast = world.make_template(postgres.admin_url("away"), postgres.set_passwords(world.LOGIN_ROLES))
        postgres.set_passwords(world.LOGIN_ROLES)
        async with world.open_lab(Database(name="away", postgres=postgres, cast=cast)) as lab:
            tess = lab.as_("tess")
            assert (await tess.post("/scans", {"raw": "anything"})).status_code == 200
            postgres.kill()
            for answer in (
                await tess.post("/scans", {"raw": "anything"}),
                await tess.get("/lots"),
                await tess.post("/donations", {}),
                await lab.http.get("/metrics"),
                await lab.http.post("/api/v1/session", json={"username": "tess", "password": "x" * 20}),
            ):
                problem = world.refused(answer, 503, "unavailable")
                assert answer.headers["retry-after"]
                assert problem["remedy"]
            page = await lab.http.get("/sign-in")
            assert page.status_code in {200, 503}
            assert (await lab.http.get("/health")).status_code == 503
            EmbeddedPostgres.open(root, fast=True, tcp=True)
            assert (await tess.post("/scans", {"raw": "anything"})).status_code == 200
            assert (await tess.get("/lots")).status_code == 200
    finally:
        postgres.remove()
