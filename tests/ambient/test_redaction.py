"""redact(): no key survives in any of the usual surroundings, and nothing makes it slow."""

import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callboard.ambient.redaction import MASK, redact
from callboard.backends.errors import AuthenticationError

NAMED = [
    "api_key='{}'",
    'api_key="{}"',
    "api_key={}",
    "OPENAI_API_KEY={}",
    "export AZURE_OPENAI_API_KEY={}\n",
    "OpenAI(api_key={!r}, base_url='http://localhost')",
    "{{'Authorization': 'Bearer {}', 'accept': '*/*'}}",
    "{{'Authorization': 'Basic {}', 'accept': '*/*'}}",
    '{{"api-key": "{}"}}',
    '{{\\"api_key\\": \\"{}\\", \\"model\\": 1}}',
    "Headers([(b'authorization', b'Bearer {}'), (b'accept', b'*/*')])",
    "[('api-key', '{}'), ('accept', '*/*')]",
    "Authorization: Bearer {}\r\nAccept: */*",
    "authorization: {}\r\nAccept: */*",
    "Proxy-Authorization: Basic {}",
    "X-API-Key: {}",
    "x-api-key : {}",
    "Ocp-Apim-Subscription-Key: {}",
    "-H 'api-key: {}' https://host/",
    "Set-Cookie: {}; Path=/",
    "Incorrect API key provided: {}. You can find your API key at https://host.",
    "azure_ad_token={}",
    "client_secret: {}",
    "password={} refused",
    "refresh_token='{}'",
    "https://host/v1?api-key={}",
    "https://host/v1?api-version=2024&api-key={}&x=1",
    "https://host/v1?key={}&alt=sse",
    "https://host/blob?sv=1&sig={}",
    "https://user:{}@host/path",
    "postgres://:{}@host:5432/db",
    "sent Bearer {} and got 401",
]
SELF_NAMED = ["sk-", "sk-proj-", "sk-ant-api03-", "hf_", "ghp_", "github_pat_", "gsk_", "xai-"]

HARMLESS = {
    "max_tokens=4096, token_ids=[1, 2, 3], tokens: 15",
    "a basic understanding of bearer tokens, a Basic structure",
    "api_key=None; set OPENAI_API_KEY or pass api_key",
    "the author's secretary keeps the task-list and the disk-drive",
    "https://host:8080/v1/chat?model=gpt&stream=true user@host",
    "The token count 12 at key 'price' is 4 (schema: quote)",
}

keys = st.text(string.ascii_letters + string.digits + "_-", min_size=16, max_size=60).filter(
    lambda key: key[0].isalnum() and key[-1].isalnum() and not key.lower().startswith("auth")
)


def survives(key: str, text: str) -> bool:
    """Whether any eight characters of the key in a row are still there."""
    return any(key[at : at + 8] in text for at in range(len(key) - 7))


@given(key=keys, surroundings=st.sampled_from(NAMED))
def test_no_named_key_survives(key: str, surroundings: str) -> None:
    """Whatever it looks like, a key is gone where its surroundings name it."""
    redacted = redact(surroundings.format(key))
    assert not survives(key, redacted), redacted
    assert MASK in redacted


@given(
    key=keys,
    prefix=st.sampled_from(SELF_NAMED),
    before=st.sampled_from(["", "key ", "'", '"', "(", "=", "https://host/", "\n", "> ", "ü"]),
    after=st.sampled_from(["", " ", "'", '",', ")", "\n", "..."]),
)
def test_no_key_that_names_itself_survives(key: str, prefix: str, before: str, after: str) -> None:
    """A key with a maker's prefix needs no surroundings."""
    redacted = redact(before + prefix + key + after)
    assert not survives(key, redacted), redacted
    assert redacted == before + MASK + after


@given(key=keys, surroundings=st.sampled_from(NAMED), times=st.integers(1, 3))
def test_no_key_survives_being_quoted_in_json(key: str, surroundings: str, times: int) -> None:
    """Servers quote what they got, gateways quote servers."""
    text = surroundings.format(key)
    for _ in range(times):
        text = json.dumps({"error": {"message": text}})
    assert not survives(key, redact(text)), redact(text)


@given(text=st.text(), key=keys, surroundings=st.sampled_from(NAMED))
def test_redacting_twice_changes_nothing_more(text: str, key: str, surroundings: str) -> None:
    """Errors, spans and logs may each redact the same words."""
    once = redact(text + surroundings.format(key) + text)
    assert redact(once) == once


@given(st.text())
@example("max_tokens=4096, token_ids=[1, 2, 3], tokens: 15")
@example("a basic understanding of bearer tokens, a Basic structure")
@example("api_key=None; set OPENAI_API_KEY or pass api_key")
@example("the author's secretary keeps the task-list and the disk-drive")
@example("https://host:8080/v1/chat?model=gpt&stream=true user@host")
@example("The token count 12 at key 'price' is 4 (schema: quote)")
def test_harmless_text_is_left_alone(text: str) -> None:
    """Text without names and prefixes of secrets stays as it is."""
    words = ("key", "token", "secret", "auth", "passw", "cookie", "credential", "bearer", "basic")
    harmless = not any(word in text.lower() for word in words)
    if harmless or text in HARMLESS:
        assert redact(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "-",
        "a-",
        " ",
        "'",
        '"',
        "\\",
        "api_key",
        "api_key ",
        "api_key=",
        "api_key='",
        'api_key="',
        "api key provided ",
        "authorization: bearer ",
        "sk-",
        "sk",
        "eyJ",
        "eyJa.",
        "Basic ",
        "Basic aaaa",
        "://",
        "://a:",
        "?",
        "&key",
        "?a-api",
        "bearer ",
        "secretsecret",
    ],
)
def test_no_repetition_makes_it_slow(piece: str) -> None:
    """Half a megabyte of anything ends in time: what is quadratic would take an hour."""
    text = piece * (500_000 // len(piece))
    assert isinstance(redact(text), str)


def test_errors_are_redacted_in_message_and_body() -> None:
    """What an error keeps has passed through it."""
    error = AuthenticationError(
        "no such key: api_key='canary-0123456789'", body='{"api-key": "canary-0123456789"}'
    )
    assert "canary" not in f"{error} {error!r} {error.body} {error.__dict__}"
