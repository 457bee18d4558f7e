"""The page stands alone, and nothing that was recorded becomes markup or script."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from callboard.agents.timeline.events import MessageEvent, Recorded
from callboard.agents.timeline.page import SCRIPTS, render_page

HOSTILE = "</script><script>alert(1)</script><!-- {{script}} &amp; \u2028 '\""


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text inside of style and script."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.inside = [], {}, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = f"{tag} {dict(attrs).get('type', '')}".strip()

    def handle_data(self, data):
        self.texts[self.inside] = self.texts.get(self.inside, "") + data

    def handle_endtag(self, tag):
        self.inside = None


def hostile_page():
    message = MessageEvent(
        sender=HOSTILE,
        recipient=HOSTILE,
        type=HOSTILE,
        kind="tell",
        outcome="handled",
        sent=1,
        started=2,
        ended=3,
    )
    return render_page(Recorded(messages=(message,)), title=HOSTILE, subtitle=HOSTILE)


@pytest.mark.parametrize("page", [render_page(Recorded(), title="t", subtitle=""), hostile_page()])
def test_the_policy_allows_this_script_and_this_style_alone(page):
    """The hashes are those of what stands in the page, and nothing else may run or load."""
    read = Reader(page)
    policies = [
        attrs["content"]
        for tag, attrs in read.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    hashes = {
        kind: b64encode(sha256(read.texts[text].encode()).digest()).decode()
        for kind, text in (("script", "script module"), ("style", "style"))
    }
    (policy,) = policies
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'"
    )


def test_the_page_refers_to_nothing_outside():
    """No source, no link, no inline handler or style: one document is all there is."""
    read = Reader(hostile_page())
    forbidden = {"src", "href", "style", "srcset", "action"}
    found = [
        (tag, name)
        for tag, attrs in read.tags
        for name in attrs
        if name in forbidden or name.startswith("on")
    ]
    assert found == []
    assert [tag for tag, _ in read.tags].count("script") == 2


def test_what_was_recorded_is_data():
    """A hostile name comes back from the data block as it was, and stands nowhere else."""
    page = hostile_page()
    read = Reader(page)
    data = json.loads(read.texts["script application/json"])
    assert HOSTILE in data["names"]
    assert "alert(1)</script>" not in page
    assert read.texts["title"] == HOSTILE


def test_no_script_writes_markup():
    """Texts become text: the script knows no way to turn one into elements."""
    page = render_page(Recorded(), title="t", subtitle="")
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\("
    assert re.findall(banned, Reader(page).texts["script module"]) == []


def test_an_empty_page_is_small():
    """The page itself is a fraction of a megabyte; the rest is the run."""
    assert len(render_page(Recorded(), title="t", subtitle="")) < 80_000
    assert len(set(SCRIPTS)) == len(SCRIPTS)
