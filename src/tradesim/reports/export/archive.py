"""Office files to the byte: what is written from the same results is the same file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PROPERTY = 255
"""Letters that a property of a document may have."""

TIME = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
MOMENT = (2000, 1, 1, 0, 0, 0)
"""Time that stands for the time of writing, as in the workbooks."""


def settle(path: Path) -> None:
    """Write an archive again with its parts as they are, but without the time of writing."""
    path.write_bytes(_settled(path.read_bytes()))


def _settled(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            entry = ZipInfo(name, MOMENT)
            entry.compress_type = ZIP_DEFLATED
            new.writestr(entry, _settled(part) if name.endswith(".xlsx")
                         else TIME.sub(rb"\g<1>2000-01-01T00:00:00Z", part)
                         if name == "docProps/core.xml" else part)
    return buffer.getvalue()
