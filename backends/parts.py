"""Parts of a message that is more than plain text: pieces of text and images."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text in a message that also has other parts."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """An image, by address: an http(s) URL or a data URI. Build one with a classmethod."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None

    @classmethod
    def from_url(
        cls, url: str, *, detail: Literal["auto", "low", "high"] | None = None
    ) -> "ImagePart":
        """Refer to an image on the web, or take a data URI as it is.

        Raises:
            ValueError: If the address is neither http(s) nor a data URI.
        """
        if not url.startswith(("http://", "https://", "data:")):
            raise ValueError(
                f"an image URL starts with http://, https:// or data:, got {url[:40]!r}; "
                "for a file use ImagePart.from_path"
            )
        return cls(url=url, detail=detail)

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        media_type: str | None = None,
        *,
        detail: Literal["auto", "low", "high"] | None = None,
    ) -> "ImagePart":
        """Embed an image.

        Args:
            data: The encoded image (PNG, JPEG, GIF or WebP).
            media_type: For example `image/png`; read from the data's first bytes when None.
            detail: How closely the model is to look, where the server knows the option.

        Raises:
            ValueError: If the data is no image of a known kind and no media type is given.
        """
        kind = media_type or _media_type(data)
        encoded = base64.b64encode(data).decode("ascii")
        return cls(url=f"data:{kind};base64,{encoded}", detail=detail)

    @classmethod
    def from_path(
        cls, path: str | Path, *, detail: Literal["auto", "low", "high"] | None = None
    ) -> "ImagePart":
        """Embed the image in a file.

        Raises:
            OSError: If the file can't be read.
            ValueError: If it is no image of a known kind.
        """
        return cls.from_bytes(Path(path).read_bytes(), detail=detail)


_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def _media_type(data: bytes) -> str:
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise ValueError(
        f"these {len(data)} bytes are no PNG, JPEG, GIF or WebP image; pass media_type if they are "
        "an image of another kind"
    )


Part: TypeAlias = TextPart | ImagePart
