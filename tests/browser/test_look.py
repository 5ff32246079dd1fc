"""Every page as it looks: text large enough and of enough contrast, nothing beside the page, nothing on the logo."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.figures.theme import contrast
from tests.browser.waits import LONG, still

APP = Path(__file__).parents[2] / "app.py"
PROBE = "window.__orrery_sphere?.sphere"
TEXTS = """() => {
  const parse = (text) => { const v = (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    if (text.startsWith('color(')) for (let c = 0; c < 3; c++) v[c] *= 255;
    return [v[0], v[1], v[2], v[3] ?? 1]; };
  const over = (top, below, alpha) => [0, 1, 2].map((c) => alpha * top[c] + (1 - alpha) * below[c]);
  const parent = (node) => node.parentElement ?? node.getRootNode().host;
  const ground = (node) => {
    for (const seen = []; ; node = parent(node)) {
      const back = node ? parse(getComputedStyle(node).backgroundColor) : [255, 255, 255, 1];
      if (back[3] < 1) { if (back[3] > 0) seen.push(back); continue; }
      return seen.reduceRight((below, top) => over(top, below, top[3]), back);
    }
  };
  const found = [], walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) walk(node.shadowRoot);
      const text = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join(' ').trim();
      if (!text || ['STYLE', 'SCRIPT', 'TITLE'].includes(node.tagName) || node.closest('[data-testid=stIconMaterial]')
          || node.closest(':disabled, [aria-disabled=true], svg, [data-testid=stSliderThumbValue]')
          || !node.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
      const box = node.getBoundingClientRect();
      if (box.width < 2 || box.height < 2 || box.right < 2 || box.bottom < 2) continue;
      let opacity = 1;
      for (let n = node; n; n = parent(n)) opacity *= parseFloat(getComputedStyle(n).opacity);
      const style = getComputedStyle(node), colour = parse(style.color), below = ground(node);
      const hex = (c) => '#' + c.slice(0, 3).map((v) => Math.round(v).toString(16).padStart(2, '0')).join('');
      const seen = over(colour, below, colour[3] * opacity);
      found.push([text.slice(0, 60), parseFloat(style.fontSize), hex(seen), hex(below)]);
    }
  };
  walk(document);
  return found; }"""


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def check(page, where: str) -> None:
    texts = page.evaluate(TEXTS)
    assert len(texts) > 8
    small = [(text, size) for text, size, _, _ in texts if size < 11]
    assert not small, (where, small)
    faint = [(text, colour, ground) for text, _, colour, ground in texts if contrast(colour, ground) < 4.5]
    assert not faint, (where, faint)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, where
    title, logo = page.locator("h1").first.bounding_box(), page.locator("[data-testid=stHeader] img").first
    if logo.is_visible():
        box = logo.bounding_box()
        apart = (title["x"] > box["x"] + box["width"], title["y"] > box["y"] + box["height"] + 4)
        assert any(apart), (where, title, box)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_legible(new_page, address, scheme):
    page = new_page(viewport={"width": 1400, "height": 960}, color_scheme=scheme)
    for path in ("/", "/Embedding_Sphere?scenes=100&point=image%3Ascene+12&cap=30&prompts=a+red+cube&arcs=1"):
        page.set_viewport_size({"width": 1400, "height": 960})
        page.goto(address + path)
        if path == "/":
            page.get_by_text("built-in", exact=False).first.wait_for(timeout=LONG)
        else:
            page.get_by_text("Nearest texts").wait_for(timeout=LONG)
            page.wait_for_function(f"{PROBE}?.labels()?.length >= 3", timeout=LONG)
        still(page)
        for width in (1400, 420):
            page.set_viewport_size({"width": width, "height": 960})
            still(page)
            check(page, f"{path} {width} {scheme}")
            if path != "/":
                ground = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
                ground = "#" + "".join(f"{int(v):02x}" for v in ground[4:-1].split(",")[:3])
                labels = page.evaluate(f"{PROBE}.labels()")
                assert labels
                assert all(contrast(label["colour"], ground) >= 4.5 for label in labels)
                box = page.locator(".os-front").bounding_box()
                assert 2 * page.evaluate(f"{PROBE}.radius()") >= 0.6 * box["height"]
