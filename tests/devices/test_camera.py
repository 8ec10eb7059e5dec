"""The camera: what it reads, what it refuses, and that nothing it is fed reaches further than its child."""

import asyncio
import io
import os
import random
import signal
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from devices import decoder_child, looks
from devices.camera import Camera, cli_decode, decode_picture
from devices.decoder_child import DecodedCode, DecoderChild
from devices.pictures import DEFAULT_LIMITS, PictureLimits, PictureReason, PictureRefused, require_acceptable

OURS = Path(__file__).parents[1] / "samples"
SUFFIXES = {".png", ".jpg", ".webp"}
SAMPLES = os.environ.get("STEMMA_SAMPLES")
MEMORY_KB_MAX = 512 * 1024


def peak_kb(pid: int) -> int:
    """Return the most memory that process ``pid`` ever had resident, in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


@pytest.fixture(scope="module")
def child() -> Iterator[DecoderChild]:
    with DecoderChild() as running:
        yield running
        if running.pid is not None:
            assert peak_kb(running.pid) < MEMORY_KB_MAX


def fed(child: DecoderChild, data: bytes) -> list[DecodedCode] | PictureReason:
    """Feed ``data`` to ``child``; return codes or the reason of the refusal, both within time and memory."""
    started = time.monotonic()
    try:
        answer: list[DecodedCode] | PictureReason = child.decode(data)
    except PictureRefused as refused:
        answer = refused.reason
    assert time.monotonic() - started < 4.5  # three seconds, and a child that had to start first
    if child.pid is not None:
        assert peak_kb(child.pid) < MEMORY_KB_MAX
    return answer


def texts(data: bytes, child: DecoderChild) -> list[str]:
    return sorted(code.text for code in child.decode(data))


def picture_bytes(picture: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=kind, **how)
    return file.getvalue()


def vial() -> bytes:
    return (OURS / "vial_on_the_bench.jpg").read_bytes()


# What it reads


@pytest.mark.parametrize("path", sorted(p for p in OURS.iterdir() if p.suffix in SUFFIXES), ids=lambda p: p.name)
def test_our_own_pictures_are_read(path: Path, child: DecoderChild) -> None:
    wanted = path.with_suffix(".txt").read_bytes().decode()
    assert texts(path.read_bytes(), child) == sorted(wanted.split("\n") if wanted else [])


@pytest.mark.skipif(SAMPLES is None, reason="STEMMA_SAMPLES is not set: no photographs to read")
def test_photographs_are_read(child: DecoderChild) -> None:
    paths = sorted(path for path in (Path(SAMPLES or "") / "barcodes").rglob("*") if path.suffix in SUFFIXES)
    wrong = {}
    for path in paths:
        if path.with_suffix(".txt").exists():
            wanted = path.with_suffix(".txt").read_bytes().decode()
            if wanted and [code.text for code in child.decode(path.read_bytes())] != [wanted]:
                wrong[path.name] = wanted
    assert paths
    assert wrong == {}


@pytest.mark.skipif(SAMPLES is None, reason="STEMMA_SAMPLES is not set: no photographs to read")
def test_photographs_tell_their_symbology(child: DecoderChild) -> None:
    checked = 0
    for path in sorted((Path(SAMPLES or "") / "barcodes").rglob("*.result.txt")):
        wanted = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        picture = next(
            p for p in path.parent.glob(f"{path.name.removesuffix('.result.txt')}.*") if p.suffix in SUFFIXES
        )
        codes = child.decode(picture.read_bytes())
        if codes and "symbologyIdentifier" in wanted:
            assert codes[0].aim_identifier == wanted["symbologyIdentifier"], picture.name
            checked += 1
    assert checked


def test_a_code_tells_symbology_identifier_and_place(child: DecoderChild) -> None:
    (code,) = child.decode(vial())
    assert (code.symbology, code.aim_identifier) == ("DataMatrix", "]d1")
    assert len(code.corners) == 4
    assert all(100 < x < 400 and 150 < y < 480 for x, y in code.corners)
    (material,) = child.decode((OURS / "material_gs1.png").read_bytes())
    assert material.aim_identifier == "]d2"
    assert "\x1d" in material.text


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str, child: DecoderChild) -> None:
    grey = Image.open(OURS / "material_gs1.png").convert("L")
    if mode == "I;16":
        picture = Image.frombytes("I;16", grey.size, b"".join(struct.pack("<H", v * 257) for v in grey.tobytes()))
    elif mode in {"LA", "RGBA", "PA"}:  # black everywhere, and the light modules transparent
        picture = Image.new("RGBA", grey.size, (0, 0, 0, 255))
        picture.putalpha(grey.point(lambda value: 255 - value))
        picture = picture.convert(mode) if mode != "PA" else picture.quantize(4)
    else:
        picture = grey.convert(mode)
    assert len(child.decode(picture_bytes(picture, "PNG"))) == 1


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_a_large_picture_is_read_in_time(kind: str, child: DecoderChild) -> None:
    label = Image.open(OURS / "vial_on_the_bench.jpg").convert("RGB")
    side = 3500 if kind == "WEBP" else 5000
    large = Image.linear_gradient("L").resize((side, side)).convert("RGB")
    large.paste(label, (side // 2, side // 3))
    codes = child.decode(
        picture_bytes(large, kind, **({"progressive": True} if kind == "JPEG" else {"compress_level": 1}))
    )
    assert [code.text for code in codes] == [(OURS / "vial_on_the_bench.txt").read_text()]
    assert abs(codes[0].corners[0][0] - side // 2 - 250) < 200
    assert child.pid is not None
    assert peak_kb(child.pid) < MEMORY_KB_MAX


def test_harder_looks_follow_only_when_the_easy_one_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []

    def noted(look: looks.Look) -> looks.Look:
        def prepare(picture: Image.Image) -> Image.Image:
            prepared.append(look.name)
            return look.prepare(picture)

        return looks.Look(look.name, prepare, look.pixels_max, keeps_geometry=look.keeps_geometry)

    monkeypatch.setattr(looks, "_HARD_LOOKS", tuple(noted(look) for look in looks._HARD_LOOKS))
    assert len(looks.find_codes(Image.open(OURS / "material_gs1.png").convert("L"), budget_s=5)) == 1
    assert prepared == []
    tilted = Image.open(OURS / "bag_din_tilted.jpg").convert("L")
    assert [code.text for code in looks.find_codes(tilted, budget_s=5)] == ["=G12349865432177"]
    assert prepared


def test_the_two_readers_work_without_each_other_and_disagreement_is_believed_by_nobody() -> None:
    corners = ((0, 0), (100, 0), (100, 20), (0, 20))
    mine = looks.Sighting("ABC", "Code128", "]C0", corners)
    other = looks.Sighting("ABD", "Code128", None, corners)
    elsewhere = looks.Sighting("ABD", "Code128", None, tuple((x, y + 300) for x, y in corners))
    assert looks._contradicted(mine, [other])
    assert looks._contradicted(other, [mine])
    assert not looks._contradicted(mine, [elsewhere, mine])
    assert not looks._contradicted(looks.Sighting("é", "Code128", "]C0", corners), [other])


def test_without_zbar_zxing_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "load_zbar", lambda: None)
    picture = Image.open(OURS / "bag_din_tilted.jpg").convert("L").rotate(-33, expand=True)
    assert [code.text for code in looks.find_codes(picture, budget_s=5)] == ["=G12349865432177"]


# What it refuses before looking


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Build a PNG (8 bit grey) that claims a size, with the given chunks."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    header = (b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in (header, *chunks, (b"IEND", b"")))


def vp8x(width: int, height: int) -> bytes:
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<L", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<L", len(body)) + body


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(picture_bytes(Image.new("L", (16, 16)), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", PictureReason.EMPTY),
        (b"\x89PNG\r\n\x1a\n" + bytes(DEFAULT_LIMITS.bytes_max), PictureReason.TOO_MANY_BYTES),
        (png(50_000, 50_000), PictureReason.TOO_MANY_PIXELS),
        (png(2**31 - 1, 2**31 - 1), PictureReason.TOO_MANY_PIXELS),
        (vp8x(16_383, 16_383), PictureReason.TOO_MANY_PIXELS),
        (jpeg_claiming(65_500, 65_500), PictureReason.TOO_MANY_PIXELS),
        (png(1, 25_000_000), PictureReason.TOO_MANY_PIXELS),
        (png(0, 10), PictureReason.MALFORMED),
        (b"\x89PNG\r\n\x1a\n", PictureReason.MALFORMED),
        (b"\xff\xd8\xff", PictureReason.MALFORMED),
        (b"\xff\xd8\xff\xe0\x00\x00" * 9, PictureReason.MALFORMED),
        (b"RIFF\x00\x00\x00\x00WEBP", PictureReason.MALFORMED),
        (b"GIF89a" + bytes(100), PictureReason.UNKNOWN_FORMAT),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PictureReason.UNKNOWN_FORMAT),
        (b"%PDF-1.7", PictureReason.UNKNOWN_FORMAT),
        (b"II*\x00" + bytes(100), PictureReason.UNKNOWN_FORMAT),
    ],
    ids=lambda value: value.value if isinstance(value, PictureReason) else "",
)
def test_an_unacceptable_file_never_meets_a_decoder(data: bytes, reason: PictureReason) -> None:
    child = DecoderChild()
    assert fed(child, data) is reason
    assert child.pid is None


def test_headers_of_real_pictures_are_read() -> None:
    for kind, how in (
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ):
        data = picture_bytes(Image.new("RGB", (2001, 1998)), kind, **how)
        with pytest.raises(PictureRefused) as caught:
            require_acceptable(data, limits=PictureLimits(pixels_max=1000, webp_pixels_max=1000))
        assert (caught.value.details["width"], caught.value.details["height"]) == (2001, 1998)
        assert "2001 × 1998" in caught.value.why


# What it refuses while looking


def bomb_of_16_bit_colours() -> bytes:
    """Twenty million pixels, 16 bits a channel: 160 MB of zeros in 160 kB."""
    header = struct.pack(">LLBBBBB", 4000, 5000, 16, 6, 0, 0, 0)
    squeezed = zlib.compressobj(9)
    body = b"".join(squeezed.compress(bytes(32_001)) for _ in range(5000)) + squeezed.flush()
    parts = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(part)) + name + part + struct.pack(">L", zlib.crc32(name + part)) for name, part in parts
    )


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), (value, 0, 0)) for value in (0, 120, 240)]
    return picture_bytes(frames[0], kind, save_all=True, append_images=frames[1:])


def noise(kind: str, side: int) -> bytes:
    how = {"method": 0} if kind == "WEBP" else {}
    return picture_bytes(Image.effect_noise((side, side), 120), kind, quality=30, **how)


ZEROS = zlib.compress(bytes(100_000_000), 9)

BOMBS: dict[str, tuple[Callable[[], bytes], set[object]]] = {
    "colours of 16 bits": (bomb_of_16_bit_colours, {"codes", PictureReason.TOO_MUCH_MEMORY}),
    "more pixels than claimed": (lambda: png(10, 10, (b"IDAT", ZEROS)), {"codes", PictureReason.MALFORMED}),
    "a text that explodes": (lambda: png(10, 10, (b"zTXt", b"a\0\0" + ZEROS)), {PictureReason.MALFORMED}),
    "a colour profile that explodes": (lambda: png(10, 10, (b"iCCP", b"a\0\0" + ZEROS)), {PictureReason.MALFORMED}),
    "no pixels": (lambda: png(4000, 4000), {PictureReason.MALFORMED}),
    "a jpeg that claims more": (lambda: jpeg_claiming(2000, 2000), {"codes", PictureReason.MALFORMED}),
    "a webp that claims more": (lambda: vp8x(3500, 3500), {PictureReason.MALFORMED}),
    "half a jpeg": (lambda: vial()[: len(vial()) // 2], {PictureReason.MALFORMED}),
    "half a png": (lambda: (OURS / "material_gs1.png").read_bytes()[:200], {PictureReason.MALFORMED}),
    "half a webp": (lambda: (OURS / "vial_frosted.webp").read_bytes()[:5000], {PictureReason.MALFORMED}),
    "an animated webp": (lambda: animated("WEBP"), {PictureReason.ANIMATED}),
    "an animated png": (lambda: animated("PNG"), {PictureReason.ANIMATED}),
    "noise of 25 million pixels": (lambda: noise("JPEG", 5000), {"codes", PictureReason.TIMEOUT}),
    "noise of 12 million pixels": (lambda: noise("WEBP", 3400), {"codes", PictureReason.TIMEOUT}),
    "a thread of pixels": (lambda: picture_bytes(Image.new("L", (1, 16_000)), "PNG"), {"codes"}),
    "a long ribbon": (
        lambda: picture_bytes(Image.linear_gradient("L").resize((16_000, 700)), "JPEG"),
        {"codes", PictureReason.TIMEOUT},
    ),
    "one pixel": (lambda: picture_bytes(Image.new("L", (1, 1)), "PNG"), {"codes"}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_picture_costs_a_refusal_at_most(name: str, child: DecoderChild) -> None:
    make, allowed = BOMBS[name]
    answer = fed(child, make())
    assert ("codes" if isinstance(answer, list) else answer) in allowed
    assert answer == [] or not isinstance(answer, list)


def test_damaged_pictures_are_read_or_refused() -> None:
    child = DecoderChild(limits=PictureLimits(look_s=0.1))
    rng = random.Random(7)
    wanted = {(OURS / name).read_text() for name in ("vial_on_the_bench.txt", "vial_frosted.txt", "material_gs1.txt")}
    originals = [(OURS / name).read_bytes() for name in ("material_gs1.png", "vial_frosted.webp")]
    refused = 0
    for turn in range(60):
        data = bytearray(originals[turn % 2])
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        answer = fed(child, bytes(data))
        refused += not isinstance(answer, list)
        assert not isinstance(answer, list) or {code.text for code in answer} <= wanted
        assert answer not in (PictureReason.CRASH, PictureReason.TIMEOUT)
    child.close()
    assert refused


def test_memory_beyond_the_limit_is_refused_and_the_child_replaced() -> None:
    large = picture_bytes(Image.new("RGBA", (4900, 5000)), "PNG", compress_level=1)
    with DecoderChild(limits=PictureLimits(memory_bytes_max=200 * 2**20)) as child:
        assert fed(child, large) is PictureReason.TOO_MUCH_MEMORY
        assert child.pid is None
        assert len(child.decode(vial())) == 1


# Time and crashes


def test_a_child_that_hangs_is_ended_and_replaced() -> None:
    with DecoderChild(limits=PictureLimits(wall_s=0.6)) as child:
        assert len(child.decode((OURS / "material_gs1.png").read_bytes())) == 1
        hung = child.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(PictureRefused) as caught:
            child.decode(vial())
        assert caught.value.reason is PictureReason.TIMEOUT
        assert "0.6 seconds" in caught.value.why
        assert time.monotonic() - started < 2
        assert not Path(f"/proc/{hung}").exists()
        assert len(child.decode((OURS / "material_gs1.png").read_bytes())) == 1


def test_a_child_that_spins_is_ended_by_its_own_limit() -> None:
    """Nobody outside ends it here: the wall clock is far away, and it plans to look for a minute."""
    with DecoderChild(limits=PictureLimits(wall_s=30, cpu_s=1, look_s=60)) as child:
        started = time.monotonic()
        with pytest.raises(PictureRefused) as caught:
            child.decode(noise("JPEG", 4000))
        assert caught.value.reason is PictureReason.TIMEOUT
        assert time.monotonic() - started < 20


def test_a_child_that_dies_is_a_crash_and_is_replaced() -> None:
    with DecoderChild() as child:
        child.decode(vial())
        dying = child.pid
        assert dying is not None
        os.kill(dying, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (dying, signal.SIGSEGV)).start()
        threading.Timer(0.3, os.kill, (dying, signal.SIGCONT)).start()
        assert fed(child, vial()) is PictureReason.CRASH
        assert len(child.decode(vial())) == 1
        assert child.pid != dying


def test_a_child_that_died_between_pictures_is_not_noticed() -> None:
    with DecoderChild() as child:
        child.decode(vial())
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        time.sleep(0.1)
        assert len(child.decode(vial())) == 1


def test_a_child_is_replaced_after_so_many_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_child, "_PICTURES_PER_CHILD", 2)
    with DecoderChild() as child:
        child.decode(vial())
        first = child.pid
        child.decode(vial())
        assert child.pid is None
        child.decode(vial())
        assert child.pid not in {first, None}


def test_the_child_is_bounded_and_holds_nothing_of_its_parent(child: DecoderChild, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        with DecoderChild() as other:
            other.decode(vial())
            descriptors = [os.readlink(path) for path in Path(f"/proc/{other.pid}/fd").iterdir()]
            environment = Path(f"/proc/{other.pid}/environ").read_bytes()
            limits = Path(f"/proc/{other.pid}/limits").read_text()
    assert not [target for target in descriptors if "secret" in target or "socket" in target]
    assert len(descriptors) <= 4
    assert b"STEMMA" not in environment
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert rows["Max address space"] == [str(480 * 2**20)] * 2
    assert rows["Max file size"] == rows["Max core file size"] == rows["Max processes"] == ["0", "0"]
    assert rows["Max cpu time"][0].isdecimal()


# The camera of the web process, and of the command line


def test_the_camera_serves_many_at_once_with_one_child() -> None:
    async def scenario() -> None:
        camera = Camera(waiting_max=8)
        names = ["vial_on_the_bench", "vial_frosted"] * 4
        answers = await asyncio.gather(*(camera.decode(next(OURS.glob(f"{n}.[jw]*")).read_bytes()) for n in names))
        assert [[code.text for code in codes] for codes in answers] == [
            [(OURS / f"{n}.txt").read_text()] for n in names
        ]
        directory = Path(f"/proc/{camera.child_pid}")
        assert directory.exists()
        await camera.close()
        assert not directory.exists()
        with pytest.raises(PictureRefused) as caught:
            await camera.decode(vial())
        assert caught.value.reason is PictureReason.CLOSED

    asyncio.run(scenario())


def test_the_camera_refuses_at_once_when_too_many_wait_and_recovers() -> None:
    async def scenario() -> None:
        camera = Camera(waiting_max=2)
        answers = await asyncio.gather(*(camera.decode(vial()) for _ in range(5)), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, PictureRefused)]
        assert [answer.reason for answer in refused] == [PictureReason.BUSY] * 3
        assert len(await camera.decode(vial())) == 1
        with pytest.raises(PictureRefused):
            await camera.decode(b"GIF89a")
        assert len(await camera.decode(vial())) == 1
        await camera.close()

    asyncio.run(scenario())


def test_the_event_loop_goes_on_while_a_picture_is_decoded() -> None:
    async def scenario() -> float:
        camera = Camera(limits=PictureLimits(look_s=0.6))
        await camera.decode(vial())
        slow = asyncio.create_task(camera.decode(noise("JPEG", 2500)))
        longest = 0.0
        while not slow.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)
        await camera.close()
        return longest

    assert asyncio.run(scenario()) < 0.5


def test_a_request_that_goes_away_leaves_the_camera_usable() -> None:
    async def scenario() -> None:
        camera = Camera(waiting_max=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(camera.decode(vial()), 0.001)
        for _ in range(200):
            try:
                assert len(await camera.decode(vial())) == 1
                break
            except PictureRefused as refused:
                assert refused.reason is PictureReason.BUSY  # noqa: PT017
                await asyncio.sleep(0.05)
        else:
            pytest.fail("the place in the queue was never given back")
        await camera.close()

    asyncio.run(scenario())


def test_one_picture_can_be_decoded_alone() -> None:
    assert [code.text for code in decode_picture(vial())] == [(OURS / "vial_on_the_bench.txt").read_text()]


def test_the_command_line_answers_for_every_file(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    paths = [OURS / "vial_on_the_bench.jpg", tmp_path / "text.png", tmp_path / "missing.png", OURS / "no_code.jpg"]
    good, text, missing, none = cli_decode(paths)
    code = (OURS / "vial_on_the_bench.txt").read_text()
    assert good == {"file": str(paths[0]), "codes": [{"text": code, "symbology": "DataMatrix"}]}
    assert none == {"file": str(paths[3]), "codes": []}
    assert text["codes"] == missing["codes"] == []
    assert "not a PNG" in text["error"]
    assert missing["error"] == "No such file or directory"
