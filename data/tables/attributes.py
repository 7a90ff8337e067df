"""Columns we have no name for, kept as one JSON object a row."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SEPARATOR = ", "


def as_json(frame: pd.DataFrame) -> pd.Series:
    """Return each row as a JSON object with sorted keys and without unknown values.

    Parameters
    ----------
    frame
        Columns of ``str`` dtype.

    Returns
    -------
    Series of ``str``, NA where a row has no value at all.

    Examples
    --------
    >>> as_json(pd.DataFrame({"b": ["x", None], "a": ["1", None]}, dtype="str")).tolist()
    ['{"a": "1", "b": "x"}', nan]
    """
    anchor = pa.array([""] * len(frame), pa.large_string())  # Arrow drops rows in which every member is null
    members = [_members(frame[name]) for name in sorted(frame.columns)]
    joined = pc.binary_join_element_wise(
        anchor, *members, pa.scalar(SEPARATOR, pa.large_string()), null_handling="skip"
    )
    inner = pd.Series(joined.to_pandas().array, index=frame.index, dtype="str").str.removeprefix(SEPARATOR)
    return "{" + inner.mask(inner == "", None) + "}"


def _members(column: pd.Series) -> pa.Array:
    """``"name": "value"`` for each row; values are encoded once for each distinct one."""
    codes, distinct = pd.factorize(column)
    key = json.dumps(str(column.name), ensure_ascii=False)
    encoded = pa.array([f"{key}: {json.dumps(value, ensure_ascii=False)}" for value in distinct], pa.large_string())
    return encoded.take(pa.array(codes, mask=np.asarray(codes) < 0))
