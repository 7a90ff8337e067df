"""Times, numbers and currencies as tables write them: ISO 8601, ``$5,000``, ``5.000,00 €``, ``150,000km``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.errors import TableError

if TYPE_CHECKING:
    from datetime import tzinfo

CURRENCY_OF_SIGN = {
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD",
    "R$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW",
    "₴": "UAH", "₫": "VND", "₪": "ILS", "₱": "PHP", "฿": "THB", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF",
    "EUR": "EUR", "EURO": "EUR",
}  # fmt: skip
"""Signs by the code they most often stand for. ``kr`` is four currencies and stands for none."""
CURRENCY_CODES = frozenset({
    "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR",
    "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KES", "KRW", "KZT", "MAD", "MXN", "MYR", "NGN",
    "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB",
    "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
})  # fmt: skip
MAX_NUMBER = 1e15
"""Beyond it, doubles cannot tell cents apart."""
MAX_NUMBER_CHARS = 64
_SIGNS = "".join(sorted({letter for sign in CURRENCY_OF_SIGN for letter in sign if not letter.isalpha()}))
_WORDS = re.compile(rf"[^\W\d_]*[{re.escape(_SIGNS)}]|[^\W\d_]+")
_MACHINE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_AMOUNT = re.compile(
    r"(?P<before>(?:[^\d+\-.,(]|(?<=[^\W\d_])\.)*)"  # a dot only where it closes a word, as in Rs.
    r"(?P<sign>[+-]?)(?P<between>[^\d+\-.,(]*)"
    r"(?P<digits>[0-9.,'’\s]*[0-9])(?P<after>\D*)"
)
_NO_CENTS = re.compile(r"[.,]\s*[-–—]+")
_FIRST_WORD = re.compile(r"\W*([^\W\d_]+)")
_SHORT_FORMS = frozenset(
    {"k", "m", "t", "mn", "mio", "mill", "million", "millions", "mrd", "bn", "tsd", "tausend", "thousand"}
    | {"lakh", "lac", "cr", "crore"}
)
_BLANK_GROUPS = re.compile(r"[0-9]{1,3}(?:[\s'’][0-9]{3})+(?![\s'’0-9])")
_COMMA_GROUPS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}")
_DOT_GROUPS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+")
FIRST_YEAR, LAST_YEAR = 1990, 2100
NO_ZONE = "names no time zone: write it with one (…Z, …+02:00), or say which one is meant with --timezone"
IN_A_GAP = "never was: clocks were put forward over it in the time zone given with --timezone"
NOT_A_TIME = f"not an ISO 8601 time between {FIRST_YEAR} and {LAST_YEAR}, such as 2026-03-01T12:30:00Z"
_DATE = r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4})"
_CLOCK = r"[0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]{1,6})?[0-9]*)?)?"
_ZONE = r"[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
_TIMESTAMP = rf"^(?P<date>{_DATE})(?:[Tt ]+(?P<clock>{_CLOCK}) ?(?P<zone>{_ZONE})?)?$"


def read_number(text: str) -> float | str:
    """Read a number as a machine or a person writes it.

    A bare number with a dot (``5.000``) is a machine's: the dot is the decimal point. Anything else is a person's: a
    single comma or dot before exactly three closing digits separates thousands (``$5,000``, ``5.000 €``).

    Returns
    -------
    The number; NaN if the text holds no digit at all (``VB``, ``free``), which says that there is none; or one
    sentence saying why it cannot be read.

    Examples
    --------
    >>> [read_number(text) for text in ("$5,000", "5.000,00 €", "1 234,50", "150,000km", "VB")]
    [5000.0, 5000.0, 1234.5, 150000.0, nan]
    """
    text = text.strip().replace("−", "-")
    if len(text) > MAX_NUMBER_CHARS:
        return f"longer than {MAX_NUMBER_CHARS} characters"
    if not any(letter.isdigit() for letter in text):
        return float("nan")
    plain = text if _MACHINE.fullmatch(text) else _plain_number(text)
    if plain is None:
        return "not one number, or one that can be read in two ways"
    number = float(plain)
    return number if abs(number) <= MAX_NUMBER else f"beyond {MAX_NUMBER:.0e}"


def read_currency(text: str) -> str | None:
    """Return the code of the currency a column names: a known sign's, else the text itself in capitals."""
    named = text.strip().upper()
    return CURRENCY_OF_SIGN.get(named, named) or None


def currency_in_price(text: str) -> str | None:
    """Return the code of the currency that stands beside a price, ``None`` if there is none we know.

    Examples
    --------
    >>> [currency_in_price(text) for text in ("$5,000", "5.000,00 €", "CHF 20", "20")]
    ['USD', 'EUR', 'CHF', None]
    """
    words = _WORDS.findall(text)
    known = (word if word in CURRENCY_CODES else CURRENCY_OF_SIGN.get(word.upper()) for word in words)
    return next((code for code in known if code), None)


def parse_timezone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name such as ``Europe/Berlin`` or ``UTC``.

    Raises
    ------
    TableError
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        advice = "Give an IANA name such as Europe/Berlin, America/New_York or UTC."
        raise TableError("A table with --timezone", [f"{name!r} is no time zone"], advice) from error


def parse_timestamps(texts: pd.Series, timezone: tzinfo | None) -> tuple[pd.Series, pd.Series]:
    """Read ISO 8601 dates and times.

    A date alone is its first moment. A time that clocks showed twice (autumn) is the later of the two, so that nothing
    is taken as known before it was; one they never showed (spring) is a problem, but for a date alone.

    Parameters
    ----------
    texts
        ``str`` dtype, NA for unknown.
    timezone
        Of times that name none; ``None`` makes these a problem.

    Returns
    -------
    values : Series of ``datetime64[us, UTC]``
        NaT where unknown or not understood.
    problems : Series of ``str``
        NA where all is well.
    """
    codes, distinct = pd.factorize(texts)
    values, problems = _distinct_timestamps(pd.Series(distinct, dtype="str"), timezone)
    return _spread(values, codes, texts.index), _spread(problems, codes, texts.index)


def _plain_number(text: str) -> str | None:
    """Return a person's number in a machine's form, ``None`` if there is no single way to do so."""
    amount = _AMOUNT.fullmatch(_NO_CENTS.sub("", text))
    if amount is None or _is_short_form(amount["after"]):
        return None
    unspaced = _BLANK_GROUPS.sub(lambda group: re.sub(r"\D", "", group[0]), amount["digits"].strip())
    digits = _without_groups(unspaced)
    return amount["sign"] + digits if _PLAIN.fullmatch(digits) else None


def _is_short_form(after: str) -> bool:
    word = _FIRST_WORD.match(after)
    return word is not None and word[1].casefold() in _SHORT_FORMS


def _without_groups(digits: str) -> str:
    """Drop the separators of thousands and write the decimal one as a dot."""
    if "," in digits and "." in digits:
        decimal = max(",.", key=digits.rfind)
        whole, _, cents = digits.rpartition(decimal)
        return f"{_joined(whole)}.{cents}"
    joined = _joined(digits)
    return joined if joined != digits else digits.replace(",", ".", 1)


def _joined(digits: str) -> str:
    if _COMMA_GROUPS.fullmatch(digits):
        return digits.replace(",", "")
    return digits.replace(".", "") if _DOT_GROUPS.fullmatch(digits) else digits


def _spread(distinct: pd.Series, codes: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series(distinct.array.take(codes, allow_fill=True), index=index)


def _distinct_timestamps(texts: pd.Series, timezone: tzinfo | None) -> tuple[pd.Series, pd.Series]:
    parts = texts.str.strip().str.extract(_TIMESTAMP)
    zoned = parts["zone"].notna()
    wall = _wall_clock(parts)
    values = _utc(wall, parts["zone"].where(zoned, "Z"))
    problems = pd.Series(None, index=texts.index, dtype="str")
    if timezone is None:
        problems = problems.mask(wall.notna() & ~zoned, NO_ZONE)
    else:
        local = _localized(wall, timezone, parts["clock"].isna())
        values = values.where(zoned, local)
        problems = problems.mask(wall.notna() & ~zoned & local.isna(), IN_A_GAP)
    outside = ~values.dt.year.between(FIRST_YEAR, LAST_YEAR)
    problems = problems.mask(outside & problems.isna(), NOT_A_TIME)
    return values.mask(problems.notna()), problems


def _wall_clock(parts: pd.DataFrame) -> pd.Series:
    """Return what calendar and clock showed, without any zone."""
    date = parts["date"].str.replace("-", "")
    clock = parts["clock"].fillna("00").str.replace(":", "").str.replace(",", ".").str.slice(0, 13)
    padded = clock.where(clock.str.contains(".", regex=False), clock.str.pad(6, "right", "0") + ".0")
    return pd.to_datetime(date + padded, format="%Y%m%d%H%M%S.%f", errors="coerce").astype("datetime64[us]")


def _utc(wall: pd.Series, zone: pd.Series) -> pd.Series:
    digits = zone.str.replace(":", "").str.upper().str.replace("Z", "+0000").str.pad(5, "right", "0")
    minutes = digits.str.slice(1, 3).astype("float64") * 60 + digits.str.slice(3, 5).astype("float64")
    offset = pd.to_timedelta(minutes.where(digits.str.startswith("+"), -minutes), unit="min")
    return (wall - offset).dt.tz_localize("UTC").astype("datetime64[us, UTC]")


def _localized(wall: pd.Series, timezone: tzinfo, dates_alone: pd.Series) -> pd.Series:
    later = np.zeros(len(wall), dtype=bool)  # not daylight saving time: the second of the two
    strict = wall.dt.tz_localize(timezone, ambiguous=later, nonexistent="NaT")
    shifted = wall.dt.tz_localize(timezone, ambiguous=later, nonexistent="shift_forward")
    moments = strict.where(~dates_alone, shifted).dt.tz_convert("UTC")
    return pd.Series(moments, dtype="datetime64[us, UTC]")
