"""The film view in a real browser: the point moves as the film plays, clicks seek, and neither stops at a rerun."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.figures.theme import contrast
from core.streamlit_app.live.film_view import seen_from
from tests.browser.live.film_page import CUTS, FRAMES, OF_SECOND, places
from tests.browser.waits import still

PAGE = Path(__file__).parent / "film_page.py"
PROBE = "window.__orrery_film?.probe"
FILMS = {"film.webm": (20.5, "libvpx"), "short.webm": (12, "libvpx"), "film.avi": (20.5, "mpeg4")}


@pytest.fixture(scope="module")
def address(streamlit_server: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    folder = tmp_path_factory.mktemp("films")
    for name, (seconds, codec) in FILMS.items():
        speed = ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "150k"] if codec == "libvpx" else []
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i",
                        f"testsrc=duration={seconds}:size=192x108:rate=25", "-c:v", codec, *speed, str(folder / name)],
                       check=True)
    return streamlit_server(PAGE, FILMS=str(folder))


@pytest.fixture
def open_film(new_page, address):
    def opened(query: str = "", *, driven: bool = True, **context: object):
        page = new_page(**{"viewport": {"width": 1280, "height": 1000}, **context})
        page.goto(address + query)
        page.wait_for_function(f"{PROBE}?.strip().length > 0")
        if driven:
            page.wait_for_function(f"{PROBE}.driven()")
        still(page)
        return page

    return opened


def ask(page, what: str):
    return page.evaluate(f"{PROBE}.{what}")


def on_path(seconds: float, cuts: tuple[int, ...] = CUTS) -> np.ndarray:
    """Where the first film is, by hand: spherical interpolation between two frames, still over a cut."""
    points, k = places().astype(float), min(int(seconds * 2 + 0.004), FRAMES - 1)
    if k + 1 == FRAMES or k + 1 in cuts:
        return points[k]
    a, b, share = points[k], points[k + 1], seconds * 2 - k
    angle = np.arccos(np.clip(a @ b, -1, 1))
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def moment(page) -> tuple[float, np.ndarray]:
    """Time and place of the same moment."""
    time, place = page.evaluate(f"(() => {{ const f = {PROBE}; for (;;) {{ const t = f.time(), p = f.point(); "
                                "if (f.time() === t) return [t, p]; }})()")
    return time, np.array(place)


def drag(page) -> str:
    box = page.locator(".os-front").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 12)
    page.mouse.move(x + 60, y + 20)
    page.mouse.up()
    camera = ask(page, "camera()")
    page.get_by_text(f"camera={camera}", exact=True).wait_for()
    return camera


def rerun(page) -> None:
    """Have the script run once more, and wait until it has."""
    runs = int(page.get_by_text("runs=").inner_text().split("=")[1])
    page.get_by_text("proxy is there").click()
    page.wait_for_function(f"[...document.querySelectorAll('[data-testid=stText]')].some((node) => "
                           f"+(node.innerText.match(/^runs=(\\d+)/)?.[1] ?? 0) > {runs})")


def test_play_moves_the_point_along_the_path_and_no_rerun_stops_it(open_film):
    page = open_film()
    camera = drag(page)
    assert moment(page)[1] == pytest.approx(on_path(0), abs=1e-5)
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{PROBE}.time() > 0.8")
    seen = [moment(page)]
    rerun(page)
    still_playing = ask(page, "playing()")
    page.wait_for_function(f"{PROBE}.time() > {seen[0][0] + 1}")
    seen.append(moment(page))
    for time, place in seen:
        assert place == pytest.approx(on_path(time), abs=1e-4)
    assert still_playing and ask(page, "playing()") and ask(page, "camera()") == camera
    page.get_by_label("Pause (space)").click()
    at = moment(page)
    assert abs(ask(page, "video()") - at[0]) < 0.2
    page.get_by_text(f"film=0 at={round(at[0], 3)}").wait_for()
    assert moment(page)[0] == at[0] and (moment(page)[1] == at[1]).all(), "pause holds it"
    rerun(page)
    assert moment(page)[0] == at[0] and ask(page, "camera()") == camera


def test_over_a_cut_the_point_waits_and_jumps(open_film):
    page = open_film()
    for time in (6.6, 6.95, 7.0, 13.2):
        ask(page, f"seek({time})")
        assert moment(page)[1] == pytest.approx(on_path(time), abs=1e-5)
    assert ask(page, "frame()") == 26


def test_clicks_on_points_paths_and_subtitles_seek_and_the_camera_stays(open_film):
    page = open_film()
    camera = ask(page, "camera()")
    for row, seconds in ((20, 10.0), (5, 2.5), (FRAMES + OF_SECOND + 3, 1.5)):
        place = ask(page, f"project({row})")
        assert place["front"]
        page.mouse.click(place["x"], place["y"])
        page.get_by_text(f"clicked={row} film=0 at={seconds}").wait_for()
        assert abs(ask(page, "video()") - seconds) <= 1 / 25
        assert moment(page)[1] == pytest.approx(on_path(seconds), abs=1e-5)
    box = page.locator(".os-front").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(5):
        page.mouse.wheel(0, -300)
    page.evaluate("window.__orrery_sphere.probe.face(20)")
    zoomed = ask(page, "camera()")
    assert zoomed != camera
    a, b = (ask(page, f"project({k})") for k in (20, 21))
    assert np.hypot(a["x"] - b["x"], a["y"] - b["y"]) > 70, "room between two points"
    page.mouse.click(0.55 * a["x"] + 0.45 * b["x"], 0.55 * a["y"] + 0.45 * b["y"])
    page.wait_for_function(f"Math.abs({PROBE}.time() - 10.22) < 0.03")
    page.get_by_text("clicked=20 film=0 at=10.2").wait_for()
    assert ask(page, "camera()") == zoomed


def test_strip_keys_speed_and_the_page_seek(open_film):
    page = open_film()
    page.wait_for_function(f"{PROBE}.strip().every((box) => box.pictured)")
    boxes = ask(page, "strip()")
    assert boxes[0]["frame"] == 0 and boxes[-1]["frame"] == FRAMES - 1 and len(boxes) >= 8
    box = boxes[3]
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text(f"frame {box['frame'] + 1} of {FRAMES}").wait_for()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text(f"clicked={box['frame']} film=0 at={box['frame'] / 2}").wait_for()
    assert abs(ask(page, "video()") - box["frame"] / 2) <= 1 / 25

    page.locator(".of-screen").focus()
    page.keyboard.press("ArrowRight")
    assert (ask(page, "time()"), ask(page, "frame()")) == ((box["frame"] + 1) / 2, box["frame"] + 1)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert ask(page, "frame()") == box["frame"] - 1
    page.keyboard.press("Home")
    page.locator(".oc-speed select").select_option("4")
    page.keyboard.press("Escape")
    page.locator(".of-screen").focus()
    page.keyboard.press(" ")
    page.wait_for_function(f"{PROBE}.playing() && {PROBE}.time() > 0.3")
    rate = page.locator("video").evaluate("node => node.playbackRate")
    page.keyboard.press(" ")
    page.wait_for_function(f"!{PROBE}.playing()")
    assert rate == 4

    for _ in range(2):
        still(page)
        page.get_by_text("go to 7.5 s").click()
        page.get_by_text("film=0 at=7.5").wait_for()
        assert ask(page, "time()") == 7.5
        ask(page, "seek(3)")
        page.get_by_text("film=0 at=3").wait_for()


def test_several_films_on_one_sphere(open_film):
    page = open_film()
    ask(page, "seek(5)")
    page.get_by_role("tab", name="second").click()
    page.get_by_text("film=1 at=0.25").wait_for()
    assert page.get_by_role("tab", name="second").get_attribute("aria-selected") == "true"
    assert moment(page)[1] == pytest.approx(places()[FRAMES].astype(float), abs=1e-6)
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{PROBE}.time() > 1")
    page.get_by_label("Pause (space)").click()
    place = ask(page, "project(10)")
    page.mouse.click(place["x"], place["y"])
    page.get_by_text("clicked=10 film=0 at=5.0").wait_for()
    page.get_by_role("tab", name="second").click()
    page.wait_for_function(f"{PROBE}.film() === 1 && {PROBE}.time() > 1 && {PROBE}.driven()")
    page.get_by_role("tab", name="first").click()
    assert (ask(page, "film()"), ask(page, "time()")) == (0, 5), "each film stays where it was left"


def test_a_film_that_the_browser_cannot_play_asks_for_another_file_and_goes_on_as_pictures(open_film):
    page = open_film("/?video=film.avi", driven=False)
    page.get_by_text("unplayable=(0,)").wait_for()
    page.get_by_text("cannot play the file").wait_for()
    camera = drag(page)
    page.locator(".oc-speed select").select_option("0.5")
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{PROBE}.time() > 1")
    time, place = moment(page)
    assert place == pytest.approx(on_path(time), abs=1e-4)
    assert page.locator(".of-slide").evaluate(
        "node => node.getContext('2d').getImageData(0, 0, node.width, node.height).data[2]") > 40
    page.get_by_text("proxy is there").click()
    page.wait_for_function(f"{PROBE}.driven()")
    page.get_by_text("unplayable=()").wait_for()
    assert ask(page, "playing()") and ask(page, "time()") >= time and ask(page, "camera()") == camera
    page.wait_for_function(f"{PROBE}.video() > {time}")
    assert page.locator("video").evaluate("node => node.playbackRate") == 0.5
    page.locator(".of-slide").wait_for(state="hidden")
    page.get_by_label("Pause (space)").click()
    assert abs(ask(page, "video()") - ask(page, "time()")) < 0.1


def test_a_file_that_is_gone_is_not_called_unplayable(open_film):
    page = open_film("/?video=gone&alone=1", driven=False)
    page.get_by_text("could not be fetched").wait_for()
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{PROBE}.time() > 0.3")
    assert page.get_by_text("unplayable=()").is_visible()


def test_a_video_shorter_than_the_frames_goes_on_as_pictures(open_film):
    page = open_film("/?video=short.webm&alone=1")
    ask(page, "seek(15)")
    assert not ask(page, "driven()") and moment(page)[1] == pytest.approx(on_path(15), abs=1e-5)
    page.locator(".of-slide").wait_for()
    ask(page, "seek(11.8)")
    assert ask(page, "driven()")
    ask(page, "play()")
    page.wait_for_function(f"{PROBE}.time() > 12.3 && !{PROBE}.driven() && {PROBE}.playing()")
    ask(page, "speed(4)")
    page.wait_for_function(f"{PROBE}.time() === 20 && !{PROBE}.playing()")


@pytest.mark.parametrize("query", ["/?few=1&video=", "/?bare=1&video=", "/?many=7200&video=&bare=1"])
def test_one_frame_no_pictures_and_an_hour_are_shown(open_film, query):
    page = open_film(query, driven=False)
    if "many" in query:
        page.get_by_role("tab", name="long").click()
        assert ask(page, "end()") == 3599.5
        ask(page, "seek(1800.25)")
        page.get_by_text("at=1800.25").wait_for()
        assert ask(page, "frame()") == 3600
        page.locator(".os-front").hover()
    ask(page, "play()")
    if "bare" in query:
        assert page.get_by_text("No picture of this frame").is_visible()
        start = ask(page, "time()")
        page.wait_for_function(f"{PROBE}.time() > {start} + 0.3")
    else:
        page.wait_for_function(f"!{PROBE}.playing()")
        assert ask(page, "point()") == pytest.approx(places()[3].tolist(), abs=1e-6)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (420, "dark")])
def test_all_is_legible_and_nothing_overlaps(open_film, width, scheme):
    page = open_film(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    parts = [page.locator(f".orrery-film {of}").bounding_box() for of in
             (".of-tabs", ".of-screen", ".oc-bar", ".oc-row", ".of-strip", ".os-title", ".os-legend", ".os-stage",
              ".os-note")]
    for k, a in enumerate(parts):
        assert a["width"] > 0 and a["x"] >= 0 and a["x"] + a["width"] <= width
        for b in parts[:k]:
            apart = (a["x"] + a["width"] <= b["x"] + 0.5 or b["x"] + b["width"] <= a["x"] + 0.5
                     or a["y"] + a["height"] <= b["y"] + 0.5 or b["y"] + b["height"] <= a["y"] + 0.5)
            assert apart, (a, b)
    side_by_side = parts[7]["x"] > parts[1]["x"] + parts[1]["width"] - 1
    assert side_by_side is (width == 1280)
    texts = page.locator(".orrery-film *").evaluate_all(
        "nodes => nodes.filter(n => n.innerText && !n.children.length && n.getClientRects().length).map(n => { "
        "const s = getComputedStyle(n), hex = (c) => '#' + c.match(/\\d+/g).slice(0, 3).map((v) => "
        "(+v).toString(16).padStart(2, '0')).join(''); return [n.innerText, parseFloat(s.fontSize), hex(s.color)]; })")
    assert len(texts) > 8
    ground = "#ffffff" if scheme == "light" else "#171c26"
    for text, size, colour in texts:
        assert size >= 11, text
        assert contrast(colour, ground) >= 4.5, (text, colour)


def test_pictures_of_the_sphere_can_be_made_from_where_the_visitor_looks(open_film):
    page = open_film()
    camera = drag(page)
    direction, up = seen_from(camera)
    radius = page.evaluate("window.__orrery_sphere.probe.radius()")
    box = page.locator(".os-front").bounding_box()
    for row in (3, 20, 50):
        place, point = ask(page, f"project({row})"), places()[row].astype(float)
        scale = radius * np.sqrt(4.2**2 - 1) / (4.2 - point @ direction)
        x, y = point @ np.cross(up, direction) * scale, point @ up * scale
        assert place["x"] == pytest.approx(box["x"] + box["width"] / 2 + x, abs=1)
        assert place["y"] == pytest.approx(box["y"] + box["height"] / 2 - y, abs=1)


def test_the_picture_of_the_sphere_holds_the_moving_point(open_film, tmp_path):
    page = open_film()
    ask(page, "seek(10)")
    page.mouse.move(5, 5)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG").click()
    waiting.value.save_as(tmp_path / "saved.png")
    picture = np.asarray(Image.open(tmp_path / "saved.png").convert("RGB"), dtype=int)
    root, place = page.locator(".orrery-film .orrery-sphere").bounding_box(), ask(page, "project(20)")
    x, y = round(2 * (place["x"] - root["x"]) + 32), round(2 * (place["y"] - root["y"]) + 32)
    assert np.abs(picture[y, x] - [0xbf, 0x50, 0x00]).max() < 12, "the colour of the moving point"


def test_without_webgl_a_plain_player_stands_beside_a_plotly_figure(new_page, address):
    page = new_page(viewport={"width": 1280, "height": 1000})
    page.add_init_script("""const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind === 'webgl2' ? null : own.call(this, kind, ...rest); };""")
    page.goto(address)
    page.locator(".js-plotly-plot, .stPlotlyChart").first.wait_for()
    video = page.locator("video[data-testid=stVideo], [data-testid=stVideo] video, video").first
    page.wait_for_function("[...document.querySelectorAll('video')].some((node) => node.readyState >= 1)")
    assert "/_orrery/file/" in video.get_attribute("src")
