"""Whether everybody can use a page: axe-core looks at what the browser shows. Nothing serious or critical is let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe

if TYPE_CHECKING:
    from playwright.async_api import Page

GRAVE = frozenset({"serious", "critical"})
AXE = Axe().axe_script
LOOK = "async () => (await axe.run({resultTypes: ['violations']})).violations"
"""Every rule is judged; of what is in order nothing comes back, for that is most of a page."""


async def barriers(page: Page) -> list[str]:
    """What keeps somebody from using the page as it stands, with where; empty where nothing does."""
    await page.evaluate(AXE)
    found = await page.evaluate(LOOK)
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node.get('failureSummary', '')[:400]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
