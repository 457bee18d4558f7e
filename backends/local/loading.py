"""Loads a model and its tokenizer from a folder; nothing is ever downloaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callboard.backends.errors import BackendError, NotFoundError
from callboard.backends.local.extra import load_torch, load_transformers
from callboard.backends.local.model import CausalModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a model's folder holds."""

    model: CausalModel
    tokenizer: Any


def load_folder(path: Path, *, device: Any = None, dtype: Any = None) -> Loaded:
    """Load what `save_pretrained` wrote.

    Args:
        path: The folder.
        device: Where to put the model; None takes CUDA where there is one, else the CPU.
        dtype: A torch dtype or its name; None keeps the one it was saved in.

    Raises:
        NotFoundError: If there is no model in the folder.
        BackendError: If transformers can't read it.
        MissingExtraError: If torch or transformers is not installed.
    """
    if not (path / "config.json").is_file():
        raise NotFoundError(
            f"there is no model in {str(path)!r}: give a folder with a config.json, as "
            "save_pretrained writes it. Nothing is downloaded from here; to fetch a model: "
            "hf download NAME --local-dir FOLDER"
        )
    torch, transformers = load_torch(), load_transformers()
    try:
        model = _load_model(transformers, path, dtype or "auto")
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:
        raise BackendError(f"transformers can't load {str(path)!r}: {error}") from error
    model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return Loaded(model=model, tokenizer=tokenizer)


def to_dtype(dtype: Any) -> Any:
    """Return the torch dtype of this name, or the dtype itself.

    Raises:
        ValueError: If torch has none of this name.
    """
    torch = load_torch()
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype):
        raise ValueError(f"torch has no dtype {dtype!r}; try float32, bfloat16 or float16")  # noqa: TRY004 - a name is a value
    return found


def _load_model(transformers: Any, path: Path, dtype: Any) -> Any:
    version = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    word = "dtype" if version >= (4, 56) else "torch_dtype"
    load = transformers.AutoModelForCausalLM.from_pretrained
    return load(path, local_files_only=True, **{word: dtype})
