"""JSON that a run left, read strictly: the record it should be, or every problem with its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tradesim.common.errors import InputError, Problem
from tradesim.common.files import content
from tradesim.inputs.strict_yaml import Document

MAX_BYTES = 200_000_000


class Record(BaseModel):
    """What a program wrote: no conversions, no NaN; keys of later versions are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=BaseModel)


def read_json(path: Path, kind: type[Kind], hint: str) -> Kind:
    """Read a file that holds one record.

    Raises
    ------
    InputError
        With every problem of the file; `hint` says what to do about it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES // 1_000_000} MB")
        data = json.loads(content(path).decode(), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([Problem(str(path), "", f"cannot be read ({reason})", hint)]) from error
    return as_record(data, kind, str(path), hint)


def as_record(data: Any, kind: type[Kind], file: str, hint: str) -> Kind:
    """Make a record of data that were read from a file; see `read_json`."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InputError([
            Problem(file, problem.key, problem.message, hint)
            for problem in Document(data, {}, file).problems(error, "")]) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
