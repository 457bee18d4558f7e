"""Splits a byte stream into server-sent events, wherever the network cut it.

The format is that of the HTML standard, section 9.2 (server-sent events): lines end in LF, CR or
CRLF, an empty line ends an event, lines of `data` are joined by LF, a colon starts a comment, a
byte order mark may come first. Only `data` is kept: chat completions use nothing else.

Everything is done on bytes, so that a character cut in two needs no care; and a line is put
together once, when its end has come, so that one of many pieces costs no more than a short one.
"""

from callboard.backends.errors import BackendProtocolError

EVENT_LIMIT = 32 * 1024 * 1024
"""Bytes of one event, or of one line that does not end."""

_BOM = b"\xef\xbb\xbf"


class EventStream:
    """The state of one stream: `feed` it bytes, and it returns the data of finished events.

    Args:
        limit: Bytes that one event may have.
    """

    def __init__(self, *, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._after_cr = False
        self._first = True

    def feed(self, piece: bytes) -> list[bytes]:
        """Take what the network brought; return the data of the events that it completed.

        Raises:
            BackendProtocolError: If an event is larger than the limit.
        """
        if self._after_cr and piece:
            # The line feed of a CRLF that was cut in two.
            self._after_cr = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        if b"\n" not in piece and b"\r" not in piece:
            self._keep(piece)
            return []
        self._pieces.append(piece)
        return self._read(b"".join(self._pieces))

    def end(self) -> list[bytes]:
        """Return the data of the last event, where the server forgot the empty line after it."""
        return self._read(b"".join(self._pieces) + b"\n\n")

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        self._check(self._size)

    def _read(self, buffer: bytes) -> list[bytes]:
        lines = buffer.splitlines()
        self._after_cr = buffer.endswith(b"\r")
        rest = b"" if buffer.endswith((b"\n", b"\r")) else lines.pop()
        self._pieces, self._size = ([rest], len(rest)) if rest else ([], 0)
        self._check(self._size)
        if self._first and lines:
            self._first = False
            lines[0] = lines[0].removeprefix(_BOM)
        return [data for line in lines if (data := self._line(line)) is not None]

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            return self._dispatch() if self._data else None
        if line.startswith(b"data:"):
            # One space after the colon belongs to the format, further ones to the data.
            data = line[6:] if line[5:6] == b" " else line[5:]
            self._data.append(data)
            self._data_size += len(data)
            self._check(self._data_size)
        elif line == b"data":
            self._data.append(b"")
        return None

    def _dispatch(self) -> bytes:
        data = b"\n".join(self._data) if len(self._data) > 1 else self._data[0]
        self._data, self._data_size = [], 0
        return data

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise BackendProtocolError(
                f"an event of the stream is larger than {self._limit} bytes; whatever the server "
                "sends, it is no stream of chat completions",
                retryable=False,
            )
