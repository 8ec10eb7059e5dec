"""Printing over a socket: what arrives is, dot for dot, the label that was drawn and read back."""

import asyncio
import socket
from datetime import date

import pytest

from devices.camera import decode_picture
from devices.printer import (
    Confirmation,
    NetworkPrinter,
    PrinterReason,
    PrinterRefused,
    PrinterStatus,
    parse_status,
)
from devices.simulated import SimulatedPrinter
from labels.codes import CodeKind, new_code
from labels.designs import draw
from labels.facts import DOTS_PER_MM, LabelLanguage, Use, VialFacts
from labels.printer_dots import PrinterDots


def label(dots_per_mm: float = 8) -> PrinterDots:
    facts = VialFacts(
        code=new_code(CodeKind.VIAL),
        name="PREP-26-0108",
        product="骨髓间充质干细胞",
        passage_number=3,
        cells=5_000_000,
        frozen_on=date(2026, 11, 22),
        use=Use.AUTOLOGOUS,
        storage_celsius_max=-150,
    )
    return draw(facts, language=LabelLanguage.CHINESE).dots(dots_per_mm=dots_per_mm)


async def eventually(printer: SimulatedPrinter, count: int) -> None:
    """Wait until the printer has printed ``count`` labels: a socket tells when bytes left, not when they are burnt."""
    for _ in range(200):
        if len(printer.printed) >= count:
            return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("dots_per_mm", DOTS_PER_MM)
def test_a_label_is_printed_dot_for_dot(dots_per_mm: float) -> None:
    dots = label(dots_per_mm)

    async def scenario() -> SimulatedPrinter:
        async with SimulatedPrinter() as printer:
            said = await NetworkPrinter(host=printer.host, port=printer.port).print_job(dots.zpl_bytes(copies=2))
            assert said is Confirmation.PRINTED
            return printer

    printer = asyncio.run(scenario())
    assert printer.complaints == []
    assert len(printer.printed) == 2
    for printed in printer.printed:
        assert printed.picture.size == (dots.width_dots, dots.height_dots)
        assert printed.picture.tobytes() == dots.picture().tobytes()
    assert [code.text for code in decode_picture(printer.printed[0].png_bytes())] == [dots.text]


@pytest.mark.parametrize(
    "trouble", [PrinterReason.PAPER_OUT, PrinterReason.RIBBON_OUT, PrinterReason.HEAD_OPEN, PrinterReason.PAUSED]
)
def test_a_printer_in_trouble_is_sent_nothing(trouble: PrinterReason) -> None:
    async def scenario() -> None:
        async with SimulatedPrinter(troubles={trouble}) as simulated:
            printer = NetworkPrinter(host=simulated.host, port=simulated.port)
            assert await printer.status() == PrinterStatus(troubles=(trouble,))
            with pytest.raises(PrinterRefused) as caught:
                await printer.print_job(label().zpl_bytes())
            assert caught.value.reason is trouble
            assert caught.value.remedy
            simulated.troubles.clear()
            assert await printer.status() == PrinterStatus(troubles=())
            await printer.print_job(label().zpl_bytes())
            await eventually(simulated, 1)
            assert len(simulated.printed) == 1

    asyncio.run(scenario())


def test_a_printer_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(PrinterRefused) as caught:
        asyncio.run(NetworkPrinter(host="127.0.0.1", port=port).print_job(b"^XA^XZ"))
    assert caught.value.reason is PrinterReason.UNREACHABLE
    assert str(port) in caught.value.why


def test_a_printer_that_does_not_tell_its_status_still_prints() -> None:
    async def scenario() -> bytes:
        received = bytearray()
        done = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.extend(await reader.read())
            writer.close()
            done.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        said = await NetworkPrinter(host="127.0.0.1", port=port, status_s=0.1).print_job(b"^XA^XZ")
        assert said is Confirmation.SILENT
        await asyncio.wait_for(done.wait(), 5)
        server.close()
        return bytes(received)

    assert asyncio.run(scenario()) == b"~HS^XA^XZ"


def test_a_connection_that_breaks_in_the_middle_leaves_it_open_whether_it_printed() -> None:
    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(3)
            writer.write(b"\x02030,0,0\x03\r\n\x02000,0,0,0\x03\r\n\x021234,0\x03\r\n")
            await writer.drain()
            await reader.readexactly(1000)
            writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(PrinterRefused) as caught:
            await NetworkPrinter(host="127.0.0.1", port=port, timeout_s=3).print_job(b"^XA" + b"0" * 20_000_000)
        assert caught.value.reason is PrinterReason.INTERRUPTED
        assert "may or may not" in caught.value.what
        server.close()

    asyncio.run(scenario())


def test_a_job_is_confirmed_only_when_its_label_is_out() -> None:
    async def scenario() -> None:
        async with SimulatedPrinter(burning_s=0.15) as simulated:
            printer = NetworkPrinter(host=simulated.host, port=simulated.port)
            assert await printer.print_job(label().zpl_bytes(copies=2)) is Confirmation.PRINTED
            assert len(simulated.printed) == 2

    asyncio.run(scenario())


def test_a_printer_that_stops_with_the_label_inside_leaves_it_open_whether_it_printed() -> None:
    async def scenario() -> None:
        async with SimulatedPrinter(burning_s=0.1) as simulated:
            printer = NetworkPrinter(host=simulated.host, port=simulated.port)
            printing = asyncio.create_task(printer.print_job(label().zpl_bytes()))
            while not simulated._waiting:
                await asyncio.sleep(0.005)
            simulated.troubles.add(PrinterReason.PAPER_OUT)
            with pytest.raises(PrinterRefused) as caught:
                await printing
            assert caught.value.reason is PrinterReason.STOPPED
            assert simulated.printed == []
            simulated.troubles.clear()  # new labels are loaded, and it prints what it holds
            await eventually(simulated, 1)
            assert len(simulated.printed) == 1

    asyncio.run(scenario())


def test_a_printer_that_never_finishes_is_not_waited_for_forever() -> None:
    async def scenario() -> None:
        async with SimulatedPrinter(burning_s=30) as simulated:
            printer = NetworkPrinter(host=simulated.host, port=simulated.port, printing_s=0.2)
            with pytest.raises(PrinterRefused) as caught:
                await printer.print_job(label().zpl_bytes())
            assert caught.value.reason is PrinterReason.STOPPED

    asyncio.run(scenario())


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"\x02030,0\x03\x02000\x03\x021\x03"])
def test_an_answer_that_is_no_status_is_none(answer: bytes) -> None:
    assert parse_status(answer) is None


@pytest.mark.parametrize(
    "zpl",
    [
        b"^XA^PW9999999^LL9999999^XZ",
        b"^XA^PW80^LL80^GFA,10,10,1,ZZ^FS^XZ",
        b"^XA^PW80^LL80^GFA,10,10,1,00^FS^XZ",
        b"^XA^PWx^LL80^XZ",
        b"^XA^PW80^LL80^BXN,10,200^FDtext^FS^XZ",
    ],
)
def test_the_simulated_printer_complains_of_what_it_cannot_burn(zpl: bytes) -> None:
    printer = SimulatedPrinter()
    assert printer._print_whole_formats(zpl + b"rest") == b"rest"
    assert printer.complaints
