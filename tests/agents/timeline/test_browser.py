"""The page in a real browser: it draws, it answers to keys, and it complains of nothing."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from callboard.agents.auction.named_markets import find_market
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.simulation import run_auction
from callboard.agents.timeline.events import (
    CallEvent,
    MessageEvent,
    PointEvent,
    Recorded,
    SectionEvent,
)
from callboard.agents.timeline.page import render_page
from callboard.agents.timeline.recording import record_timeline
from callboard.backends.default_stack import default_stack
from callboard.backends.random_backend import RandomBackend

CHROME = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        CHROME is None or DRIVER is None,
        reason="no browser here: install chromium and chromium-driver (Debian), "
        "or Chrome and chromedriver",
    ),
]

DRAWN = """
const canvas = document.getElementById(arguments[0]), {width, height} = canvas;
const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
const pixels = new Uint32Array(data.buffer);
return [pixels.filter((pixel) => pixel !== 0).length, new Set(pixels).size];
"""
"""How many pixels of a canvas are painted, and in how many colours."""

FRAMES = """
const done = arguments[arguments.length - 1];
requestAnimationFrame(() => requestAnimationFrame(done));
"""
"""Two frames later everything asked for so far is drawn."""

CLICK = """
const canvas = document.getElementById("lanes-canvas"), box = canvas.getBoundingClientRect();
const x = box.left + box.width / 2, y = box.top + box.height * arguments[0];
canvas.setPointerCapture = () => {};
for (const kind of ["pointermove", "pointerdown", "pointerup"]) {
  canvas.dispatchEvent(new PointerEvent(kind, {clientX: x, clientY: y, bubbles: true}));
}
"""
"""Point at the middle of the sequence chart, at a part of its height, and click."""

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """A headless Chromium, driven over WebDriver's HTTP interface."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        options = {
            "binary": CHROME,
            "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--window-size=1366,768",
            ],
        }
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        opened = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.base += f"/session/{opened['sessionId']}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with NO_PROXY.open(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script: str, *args: Any) -> Any:
        return self.call("POST", "/execute/sync", {"script": script, "args": args})

    def settled(self) -> dict[str, str]:
        """Wait until everything asked for is drawn, and return what the page says it drew."""
        self.call("POST", "/execute/async", {"script": FRAMES, "args": []})
        return self.run("return {...document.documentElement.dataset}")

    def open(self, path: Any) -> dict[str, str]:
        self.complaints()
        self.call("POST", "/url", {"url": path.as_uri()})
        return self.settled()

    def press(self, *keys: str) -> dict[str, str]:
        for key in keys:
            self.run(
                "document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0]}))", key
            )
        return self.settled()

    def choose(self, section: str) -> dict[str, str]:
        self.run(
            "const select = document.getElementById('section');"
            "select.value = [...select.options].find((o) => o.text.includes(arguments[0])).value;"
            "select.dispatchEvent(new Event('change'));",
            section,
        )
        return self.settled()

    def text(self, element: str) -> str:
        return self.run("return document.getElementById(arguments[0]).innerText", element)

    def complaints(self) -> list[str]:
        """Everything that the console has said since the last time."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def close(self) -> None:
        self.call("DELETE", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of our own, on a free port, gone at the end."""
    assert DRIVER is not None
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            started = next(line for line in process.stdout if "successfully" in line)
            opened = Browser(int(started.rstrip(" .\n").rpartition(" ")[2]))
            yield opened
            opened.close()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def auction(tmp_path_factory):
    """The page of a real run: two periods of ZI-C, sixty quotes each."""

    async def run():
        with record_timeline() as timeline:
            provider = timeline.tracer_provider
            plan = AuctionPlan(
                market=find_market("classic"),
                periods=2,
                quotes=60,
                name="ZI-C",
                tracer_provider=provider,
            )
            stack = default_stack(RandomBackend(seed=0), tracer_provider=provider)
            result = await run_auction(plan, stack)
        path = tmp_path_factory.mktemp("page") / "auction.html"
        return timeline.write(path, title="A market", subtitle="seed 0"), timeline.recorded, result

    return anyio.run(run)


def test_a_run_is_drawn_without_a_complaint(browser, auction):
    """Lanes, messages, calls and prices stand in the page, and are painted."""
    path, recorded, result = auction
    shown = browser.open(path)
    assert browser.complaints() == []
    assert shown["lanes"] == "14"
    assert shown["messages"] == str(len(recorded.messages))
    assert shown["calls"] == str(len(recorded.calls))
    assert shown["points"] == str(len(recorded.points)) == str(result.quotes)
    assert shown["drawnPoints"] == str(result.periods[0].quotes)
    assert int(shown["drawnMessages"]) > 0
    assert int(shown["drawnCalls"]) > 0
    for canvas in ("path-canvas", "lanes-canvas", "axis-canvas"):
        painted, colours = browser.run(DRAWN, canvas)
        assert painted > 500, canvas
        assert colours > 5, canvas


def test_nothing_is_loaded_from_anywhere(browser, auction):
    """The document is all that was fetched."""
    browser.open(auction[0])
    assert browser.run("return performance.getEntriesByType('resource').length") == 0


def test_the_figures_are_those_of_the_chosen_section(browser, auction):
    """Another period, other figures; the whole run has every point."""
    path, recorded, result = auction
    browser.open(path)
    assert f"{result.periods[0].efficiency:.1%}" in browser.text("figures")
    shown = browser.choose("period 2")
    assert shown["section"] == "period 2"
    assert f"{result.periods[1].efficiency:.1%}" in browser.text("figures")
    assert browser.choose("Whole run")["drawnPoints"] == str(len(recorded.points))


def test_keys_zoom_pan_and_step(browser, auction):
    """Closer means fewer messages; j and k walk through the events and say what they are."""
    browser.open(auction[0])
    whole = browser.press("0")
    closer = browser.press("+", "+", "+", "ArrowRight")
    assert 0 < int(closer["drawnMessages"]) < int(whole["drawnMessages"])
    browser.press("0", "Home", "j")
    first = browser.text("details")
    assert "RequestQuote" in first or "PeriodOpened" in first
    browser.press("j", "j", "k")
    assert browser.text("details") != first
    assert browser.press("n")["section"] == "period 2"
    assert browser.press("p")["section"] == "period 1"
    assert browser.complaints() == []


def test_pointing_at_a_bar_tells_what_it_is(browser, auction):
    """Hovering shows a tip, a click shows the details."""
    browser.open(auction[0])
    browser.press("0")
    browser.run(CLICK, 1.5 / 14)
    browser.settled()
    assert browser.run("return document.getElementById('tip').hidden") is False
    assert browser.text("tip")
    assert "outcome" in browser.text("details")


def test_ten_thousand_messages_stay_readable(browser, tmp_path):
    """What can't be told apart is drawn as activity, with a note; only visible rows exist."""
    t0, step = 1_700_000_000_000_000_000, 1_000_000
    messages = tuple(
        MessageEvent(
            sender="hub",
            recipient=f"actor-{i % 50}",
            type="Hi",
            kind="tell",
            outcome="handled",
            sent=t0 + i * step,
            started=t0 + i * step + 10_000,
            ended=t0 + i * step + 500_000,
        )
        for i in range(20_000)
    )
    path = tmp_path / "many.html"
    path.write_text(render_page(Recorded(messages=messages), title="many", subtitle=""), "utf-8")
    assert path.stat().st_size < 1_500_000
    browser.open(path)
    shown = browser.press("0")
    assert (shown["messages"], shown["lanes"], shown["drawnMessages"]) == ("20000", "51", "0")
    assert browser.run("return document.querySelectorAll('.event').length") < 60
    assert browser.run("return document.getElementById('lanes').scrollHeight") >= 51 * 20
    assert int(browser.press(*["+"] * 12)["drawnMessages"]) > 0
    assert browser.complaints() == []


def test_sections_at_the_same_time_are_told_apart(browser, tmp_path):
    """Each shows its own points, an outer one those of the inner ones, too."""
    look = {"series": "s", "value": 1, "look": "dot", "note": ""}
    points = tuple(PointEvent(**look, at=i * 1_000_000, section=1 + i % 2) for i in range(1, 11))
    sections = tuple(
        SectionEvent(
            name=name,
            group="",
            axis="",
            reference=None,
            reference_name="",
            figures={},
            started=1,
            ended=11_000_000,
            id=number,
            outer=outer,
        )
        for name, number, outer in (("odd", 1, 3), ("even", 2, 3), ("both", 3, 0), ("none", 4, 0))
    )
    path = tmp_path / "together.html"
    page = render_page(Recorded(points=points, sections=sections), title="t", subtitle="")
    path.write_text(page, "utf-8")
    browser.open(path)
    drawn = {name: browser.choose(name)["drawnPoints"] for name in ("odd", "even", "both", "none")}
    assert drawn == {"odd": "5", "even": "5", "both": "10", "none": "0"}
    assert browser.complaints() == []


def test_hostile_names_are_only_text(browser, tmp_path):
    """Markup in any name is shown as it is, and nothing of it runs."""
    bad = "<img src=x onerror=alert(1)></script><script>document.title='owned'</script>"
    event = {"started": 2_000, "ended": 3_000}
    recorded = Recorded(
        messages=(
            MessageEvent(
                sender=bad, recipient=bad, type=bad, kind="ask", outcome=bad, sent=1_000, **event
            ),
        ),
        calls=(CallEvent(caller=bad, kind="chat", name=bad, error=bad, **event),),
        points=(PointEvent(series=bad, value=1, look="dot", note=bad, at=2_500),),
        sections=(
            SectionEvent(
                name=bad,
                group=bad,
                axis=bad,
                reference=(0, 2),
                reference_name=bad,
                figures={bad: bad},
                started=1_000,
                ended=4_000,
            ),
        ),
    )
    path = tmp_path / "bad.html"
    path.write_text(render_page(recorded, title=bad, subtitle=bad), "utf-8")
    browser.open(path)
    browser.press("j", "j", "j")
    assert browser.complaints() == []
    assert browser.run("return document.title") == bad
    assert browser.run("return document.querySelectorAll('img, script').length") == 2
    assert bad in browser.text("figures")


def test_a_run_without_anything_is_an_empty_page(browser, tmp_path):
    """No lanes, no points, no complaint."""
    path = tmp_path / "empty.html"
    path.write_text(render_page(Recorded(), title="empty", subtitle=""), "utf-8")
    shown = browser.open(path)
    assert (shown["lanes"], shown["points"], shown["ready"]) == ("0", "0", "true")
    assert browser.complaints() == []
