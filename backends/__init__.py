"""callboard.backends: one interface to every model, and the middleware around it.

Names are imported when they are first used, so that a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from callboard.ambient.face import lazy_face

if TYPE_CHECKING:
    from callboard.backends.azure_backend import AzureBackend
    from callboard.backends.backend import Backend, Generate, Middleware
    from callboard.backends.capabilities import Capabilities
    from callboard.backends.completion import Completion, FinishReason, Step, TokenRecord
    from callboard.backends.default_stack import default_stack
    from callboard.backends.delta import Delta, Sink
    from callboard.backends.errors import (
        AuthenticationError,
        BackendError,
        BackendProtocolError,
        BackendTimeoutError,
        BadRequestError,
        CapabilityError,
        ConnectionFailedError,
        ContentFilterError,
        ContextLengthError,
        NotFoundError,
        OverloadedError,
        PermissionDeniedError,
        RateLimitError,
        RefusalError,
        StructuredOutputError,
        ToolError,
        TruncatedError,
    )
    from callboard.backends.function_backend import FunctionBackend
    from callboard.backends.local.backend import LocalBackend
    from callboard.backends.local.errors import EngineError, MissingExtraError
    from callboard.backends.messages import (
        AssistantMessage,
        ChatMessage,
        MessageLike,
        SystemMessage,
        ToolCall,
        ToolMessage,
        UserMessage,
    )
    from callboard.backends.middleware.base import Wrapper
    from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit
    from callboard.backends.middleware.deadline import Deadline
    from callboard.backends.middleware.logging import Logging
    from callboard.backends.middleware.metrics import Metrics
    from callboard.backends.middleware.retry import Retry
    from callboard.backends.middleware.structured_output import StructuredOutput
    from callboard.backends.middleware.timeout import Timeout
    from callboard.backends.middleware.tools import Tools
    from callboard.backends.middleware.tracing import Tracing
    from callboard.backends.middleware.usage_meter import UsageMeter
    from callboard.backends.openai_backend import OpenAIBackend
    from callboard.backends.parts import ImagePart, TextPart
    from callboard.backends.random_backend import RandomBackend
    from callboard.backends.request import Request, ToolChoice
    from callboard.backends.response_format import ResponseFormat
    from callboard.backends.sampling import SamplingParams
    from callboard.backends.scripted_backend import ScriptedBackend, ScriptExhaustedError
    from callboard.backends.stack import Stack, stack
    from callboard.backends.streaming import DeltaStream, stream
    from callboard.backends.tool import Tool, tool
    from callboard.backends.usage import Usage

__all__ = [
    "AssistantMessage",
    "AuthenticationError",
    "AzureBackend",
    "Backend",
    "BackendError",
    "BackendProtocolError",
    "BackendTimeoutError",
    "BadRequestError",
    "Capabilities",
    "CapabilityError",
    "ChatMessage",
    "Completion",
    "ConcurrencyLimit",
    "ConnectionFailedError",
    "ContentFilterError",
    "ContextLengthError",
    "Deadline",
    "Delta",
    "DeltaStream",
    "EngineError",
    "FinishReason",
    "FunctionBackend",
    "Generate",
    "ImagePart",
    "LocalBackend",
    "Logging",
    "MessageLike",
    "Metrics",
    "Middleware",
    "MissingExtraError",
    "NotFoundError",
    "OpenAIBackend",
    "OverloadedError",
    "PermissionDeniedError",
    "RandomBackend",
    "RateLimitError",
    "RefusalError",
    "Request",
    "ResponseFormat",
    "Retry",
    "SamplingParams",
    "ScriptExhaustedError",
    "ScriptedBackend",
    "Sink",
    "Stack",
    "Step",
    "StructuredOutput",
    "StructuredOutputError",
    "SystemMessage",
    "TextPart",
    "Timeout",
    "TokenRecord",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolError",
    "ToolMessage",
    "Tools",
    "Tracing",
    "TruncatedError",
    "Usage",
    "UsageMeter",
    "UserMessage",
    "Wrapper",
    "default_stack",
    "stack",
    "stream",
    "tool",
]

lazy_face(
    __name__,
    {
        "callboard.backends.azure_backend": ["AzureBackend"],
        "callboard.backends.backend": ["Backend", "Generate", "Middleware"],
        "callboard.backends.capabilities": ["Capabilities"],
        "callboard.backends.completion": ["Completion", "FinishReason", "Step", "TokenRecord"],
        "callboard.backends.default_stack": ["default_stack"],
        "callboard.backends.delta": ["Delta", "Sink"],
        "callboard.backends.errors": [
            "AuthenticationError",
            "BackendError",
            "BackendProtocolError",
            "BackendTimeoutError",
            "BadRequestError",
            "CapabilityError",
            "ConnectionFailedError",
            "ContentFilterError",
            "ContextLengthError",
            "NotFoundError",
            "OverloadedError",
            "PermissionDeniedError",
            "RateLimitError",
            "RefusalError",
            "StructuredOutputError",
            "ToolError",
            "TruncatedError",
        ],
        "callboard.backends.function_backend": ["FunctionBackend"],
        "callboard.backends.local.backend": ["LocalBackend"],
        "callboard.backends.local.errors": ["EngineError", "MissingExtraError"],
        "callboard.backends.messages": [
            "AssistantMessage",
            "ChatMessage",
            "MessageLike",
            "SystemMessage",
            "ToolCall",
            "ToolMessage",
            "UserMessage",
        ],
        "callboard.backends.middleware.base": ["Wrapper"],
        "callboard.backends.middleware.concurrency_limit": ["ConcurrencyLimit"],
        "callboard.backends.middleware.deadline": ["Deadline"],
        "callboard.backends.middleware.logging": ["Logging"],
        "callboard.backends.middleware.metrics": ["Metrics"],
        "callboard.backends.middleware.retry": ["Retry"],
        "callboard.backends.middleware.structured_output": ["StructuredOutput"],
        "callboard.backends.middleware.timeout": ["Timeout"],
        "callboard.backends.middleware.tools": ["Tools"],
        "callboard.backends.middleware.tracing": ["Tracing"],
        "callboard.backends.middleware.usage_meter": ["UsageMeter"],
        "callboard.backends.openai_backend": ["OpenAIBackend"],
        "callboard.backends.parts": ["ImagePart", "TextPart"],
        "callboard.backends.random_backend": ["RandomBackend"],
        "callboard.backends.request": ["Request", "ToolChoice"],
        "callboard.backends.response_format": ["ResponseFormat"],
        "callboard.backends.sampling": ["SamplingParams"],
        "callboard.backends.scripted_backend": ["ScriptExhaustedError", "ScriptedBackend"],
        "callboard.backends.stack": ["Stack", "stack"],
        "callboard.backends.streaming": ["DeltaStream", "stream"],
        "callboard.backends.tool": ["Tool", "tool"],
        "callboard.backends.usage": ["Usage"],
    },
)
