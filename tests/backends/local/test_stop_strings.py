"""Stop strings end the text before them, however it is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from callboard.backends.local.holding import held_back
from callboard.backends.local.stop_strings import StopStrings

FEW = st.text("ab.", max_size=12)


@given(st.lists(FEW), st.lists(st.text("ab.", max_size=4), max_size=3))
def test_cuts_do_not_matter(cuts: list[str], stops: list[str]) -> None:
    """The text ends before the stop string that begins first, or is whole."""
    watch = StopStrings(stops)
    told = ""
    for cut in cuts:
        told += watch.push(cut)
        if watch.found:
            break
    told += watch.flush()
    text = "".join(cuts)
    places = [text.find(stop) for stop in stops if stop and stop in text]
    assert watch.found == bool(places)
    if not places:
        assert told == text
    else:
        assert text.startswith(told)
        assert not any(stop and stop in told for stop in stops)


@given(FEW, st.lists(st.text("ab.", min_size=1, max_size=4), max_size=3))
def test_nothing_is_held_without_reason(text: str, markers: list[str]) -> None:
    """What is held back begins a marker, and is the longest such end."""
    keep = held_back(text, markers)
    ends = [n for n in range(1, len(text) + 1) if any(m[:n] == text[-n:] != m for m in markers)]
    assert keep == max(ends, default=0)


def test_a_stop_string_over_three_tokens() -> None:
    """Nothing of it gets out, and nothing after it."""
    watch = StopStrings(["END"])
    assert [watch.push(piece) for piece in ("one E", "N", "D two", "three")] == ["one ", "", "", ""]
    assert watch.found
    assert watch.flush() == ""
