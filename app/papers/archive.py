"""What makes a PDF fit to be kept: metadata that agree, an output intent, streams that end as PDF/A asks.

Written to PDF/A-2u as far as reportlab allows; docs/papers.md says what was checked and what was not.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from PIL import ImageCms
from reportlab.pdfbase import pdfdoc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportlab.pdfgen.canvas import Canvas

PRODUCER: Final = "Stemma with ReportLab"
_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator><dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description><dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><xmp:CreatorTool>Stemma</xmp:CreatorTool><xmp:CreateDate>{at}</xmp:CreateDate><xmp:ModifyDate>{at}</xmp:ModifyDate><pdf:Producer>{producer}</pdf:Producer><pdf:Keywords>{keywords}</pdf:Keywords></rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_streams: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself."""

    title: str
    author: str
    subject: str
    keywords: str
    language: str
    at: datetime


def describe(canvas: Canvas, about: About) -> None:
    """Write the metadata twice, alike, and say which colours are meant."""
    canvas.setTitle(about.title)
    canvas.setAuthor(about.author)
    canvas.setSubject(about.subject)
    canvas.setKeywords(about.keywords)
    canvas.setCreator("Stemma")
    canvas.setProducer(PRODUCER)
    canvas.setViewerPreference("DisplayDocTitle", "true")
    document = canvas._doc  # noqa: SLF001  reportlab has no door for these
    stamp = document._timeStamp  # noqa: SLF001
    stamp.YMDhms = about.at.astimezone(UTC).timetuple()[:6]
    catalogue = document.Catalog
    catalogue.__NoDefault__ = [*catalogue.__NoDefault__, "OutputIntents"]
    catalogue.Metadata = _metadata(about)
    catalogue.OutputIntents = pdfdoc.PDFArray([_colours(document)])


@contextmanager
def kept_streams() -> Iterator[None]:
    """While the file is written, let a line end stand before each stream's end, which reportlab leaves out."""
    plain = pdfdoc.PDFStream.format

    def with_line_end(self: Any, document: Any) -> bytes:
        written: bytes = plain(self, document)
        return written.removesuffix(b"endstream\n") + b"\nendstream\n"

    with _streams:
        pdfdoc.PDFStream.format = with_line_end
        try:
            yield
        finally:
            pdfdoc.PDFStream.format = plain


def _metadata(about: About) -> Any:
    texts = {name: escape(getattr(about, name)) for name in ("title", "author", "subject", "keywords", "language")}
    xmp = _XMP.format(at=f"{about.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}", producer=PRODUCER, **texts)
    names = {"Type": pdfdoc.PDFName("Metadata"), "Subtype": pdfdoc.PDFName("XML")}
    return pdfdoc.PDFStream(pdfdoc.PDFDictionary(names), xmp.encode(), filters=[])


def _colours(document: Any) -> Any:
    profile = pdfdoc.PDFStream(pdfdoc.PDFDictionary({"N": 3}), _srgb(), filters=[pdfdoc.PDFZCompress])
    return pdfdoc.PDFDictionary(
        {
            "Type": pdfdoc.PDFName("OutputIntent"),
            "S": pdfdoc.PDFName("GTS_PDFA1"),
            "OutputConditionIdentifier": pdfdoc.PDFString("sRGB IEC61966-2.1"),
            "Info": pdfdoc.PDFString("sRGB"),
            "DestOutputProfile": document.Reference(profile, "stemmaColours"),
        }
    )


def _srgb() -> bytes:
    """An sRGB profile as Little CMS builds it, with the date in its header pinned: same facts, same bytes."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
    return bytes(made)
