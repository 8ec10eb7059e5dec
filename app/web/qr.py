"""A QR symbol as a picture in the page: nothing is fetched, and what it says leaves no trace in an address."""

from __future__ import annotations

from markupsafe import Markup

from app.papers.anchor import QUIET_MODULES, verified_qr


def qr_picture(text: str, *, label: str) -> Markup:
    """Inline SVG of the symbol with its quiet zone, read back before it is shown. Raises ReadBackError."""
    rows = verified_qr(text)
    side = len(rows) + 2 * QUIET_MODULES
    dark = "".join(
        f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h1v1h-1z"
        for y, modules in enumerate(rows)
        for x, is_dark in enumerate(modules)
        if is_dark
    )
    return Markup(
        '<svg class="qr" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<rect width="{side}" height="{side}" fill="#fff"/><path d="{dark}" fill="#000"/></svg>'
    ).format(label=label, side=side, dark=dark)
