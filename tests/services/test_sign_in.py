from tests.world import ok


async def test_smoke(lab):
    assert ok(await lab.as_("tess").get("/session"))["roles"] == ["technician"]
    assert ok(await lab.as_("lin").get("/session"))["roles"] == ["quality_authority"]
