"""Numbers and currencies as people write them: ``$5,000``, ``5.000,00 €``, ``1 234,50``, ``150,000km``."""

from __future__ import annotations

import re

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
