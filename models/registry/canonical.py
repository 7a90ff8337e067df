"""The same estimator as the same bytes: skops files without memory addresses and clock times."""

from __future__ import annotations

import io
import re
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SCHEMA_FILE = "schema.json"
ADDRESS = re.compile(r'("__id__": |"file": ")(\d+)')


def canonical(content: bytes) -> bytes:
    """Return a skops file with its objects numbered as they occur and its members undated.

    skops names objects and the arrays beside them by their addresses in memory, which differ at every dump.
    Two dumps of equal estimators become equal here, so that a content address is one of the model and not of the run.
    """
    with ZipFile(io.BytesIO(content)) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    number: dict[str, str] = {}

    def renumbered(found: re.Match[str]) -> str:
        return found[1] + number.setdefault(found[2], str(len(number) + 1))

    schema = ADDRESS.sub(renumbered, members.pop(SCHEMA_FILE).decode())
    written = {SCHEMA_FILE: schema.encode()}
    for name, array in members.items():
        stem, _, ending = name.partition(".")
        written[f"{number[stem]}.{ending}"] = array
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name in sorted(written):
            archive.writestr(ZipInfo(name), written[name], compress_type=ZIP_DEFLATED)
    return target.getvalue()
