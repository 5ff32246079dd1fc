"""What the browser tests wait for: conditions, with a limit that a slow and busy machine does not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator

LONG = 180_000  # ms
_STILL = """() => {
  const running = document.querySelector('[data-test-script-state]')?.dataset.testScriptState ?? 'notRunning';
  if (running !== 'notRunning' || document.querySelector('[data-testid=stProgress]')) return !!(window.sameSeen = 0);
  const views = [window.__orrery_sphere, window.__orrery_matrix].flatMap((all) => Object.values(all ?? {}));
  const boxes = [...document.querySelectorAll('body *')].map((node) => node.getBoundingClientRect());
  const seen = JSON.stringify([location.search, innerWidth, views.map((view) => view.frames()),
    boxes.map((box) => [box.x, box.y, box.width, box.height])]);
  window.sameSeen = seen === window.lastSeen ? (window.sameSeen ?? 0) + 1 : 0;
  window.lastSeen = seen;
  return window.sameSeen >= 4; }"""


def still(page: object) -> None:
    """Wait until the page's script has run, nothing moves or grows, and no view is drawn anew: five looks alike."""
    page.evaluate("window.sameSeen = 0")
    page.wait_for_function(_STILL, timeout=LONG, polling=100)


def exactly(found: Locator, n: int) -> None:
    """Wait until so many are on the page."""
    from playwright.sync_api import expect

    expect(found).to_have_count(n, timeout=LONG)


def at_least(found: Locator, n: int) -> None:
    """Wait until so many, or more, are on the page."""
    found.nth(n - 1).wait_for(state="attached", timeout=LONG)


def in_view(found: Locator) -> None:
    """Bring it into the window; a redraw that replaces it meanwhile is waited for, not tripped over."""
    still(found.page)
    found.evaluate("node => node.scrollIntoView({block: 'center', behavior: 'instant'})")
    still(found.page)
