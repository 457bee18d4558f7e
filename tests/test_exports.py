"""The faces of the packages: what they export is there, sorted, documented, and as promised."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

PROMISED = {
    "callboard.runtime": """
        Actor ActorError ActorRef ActorRestartedError ActorStoppedError Address AskCycleError
        AskTimeoutError Context DeadLetter Down HandlerError MailboxFullError MailboxOptions Message
        Runtime Supervision Topic UnhandledMessageError
    """,
    "callboard.backends": """
        AssistantMessage AuthenticationError AzureBackend Backend BackendError BackendProtocolError
        BackendTimeoutError BadRequestError Capabilities CapabilityError Completion
        ConcurrencyLimit ConnectionFailedError ContentFilterError ContextLengthError Deadline Delta
        FunctionBackend ImagePart LocalBackend Logging Middleware NotFoundError OpenAIBackend
        OverloadedError PermissionDeniedError RandomBackend RateLimitError RefusalError Request
        Retry SamplingParams ScriptedBackend Step StructuredOutput StructuredOutputError
        SystemMessage TextPart Timeout TokenRecord Tool ToolCall ToolError ToolMessage Tools Tracing
        TruncatedError Usage UserMessage default_stack stack stream tool
    """,
    "callboard.agents": """
        Agent AgentRef Answer Conversation Environment Episode Prompt play tool
    """,
    "callboard.runtime.journal": """
        CorruptedJournalError Decoder Journal JournalReader Life TornTail Upcasters lives replay
    """,
    "callboard.ambient": "ambient_deadline bounded_deadline deadline_scope time_left",
}


@pytest.mark.parametrize("package", PROMISED)
def test_the_promised_names_import(package: str) -> None:
    """What the design promises, users can import."""
    face = importlib.import_module(package)
    assert set(PROMISED[package].split()) - set(face.__all__) == set()


@pytest.mark.parametrize("package", PROMISED)
def test_all_is_sorted_and_true(package: str) -> None:
    """`__all__` is in order, without repetition, and each name is there."""
    face = importlib.import_module(package)
    assert list(face.__all__) == sorted(set(face.__all__))
    for name in face.__all__:
        getattr(face, name)


@pytest.mark.parametrize("package", PROMISED)
def test_public_names_are_documented(package: str) -> None:
    """Each exported class and function says what it guarantees."""
    face = importlib.import_module(package)
    exported = {name: getattr(face, name) for name in face.__all__}
    silent = [
        name
        for name, value in exported.items()
        if (inspect.isclass(value) or inspect.isfunction(value)) and not inspect.getdoc(value)
    ]
    assert not silent


LAZY = [*PROMISED, "callboard.runtime.journal", "callboard.runtime.simulation"]


@pytest.mark.parametrize("package", LAZY)
def test_lazy_faces_show_checkers_what_they_load(package: str) -> None:
    """Each name comes from the module from which type checkers read it."""
    face = importlib.import_module(package)
    assert face.__file__
    read = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(face.__file__).read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name not in ("TYPE_CHECKING", "lazy_face")
    }
    assert read == face._homes
    assert sorted(read) == face.__all__


def test_a_submodule_never_hides_the_name_it_defines() -> None:
    """`stack` stays the function, whoever imports `callboard.backends.stack`."""
    for name in ("stack", "tool", "default_stack"):
        importlib.import_module(f"callboard.backends.{name}")
        assert callable(getattr(importlib.import_module("callboard.backends"), name))
