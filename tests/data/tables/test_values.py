"""From text to value: round trips, and an obvious slow reading beside the fast one."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import TableError
from data.tables.column_mapping import as_json
from data.tables.validation import read_urls
from data.tables.value_parsing import (
    IN_A_GAP,
    MAX_NUMBER,
    NO_ZONE,
    NOT_A_TIME,
    currency_in_price,
    parse_timestamps,
    parse_timezone,
    read_currency,
    read_number,
)

BERLIN = ZoneInfo("Europe/Berlin")
unhurried = settings(deadline=None)  # other work on the machine is no fault of the code


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$5,000", 5000), ("5,000", 5000), ("5.000 €", 5000), ("5 000", 5000), ("5'000", 5000), ("5\u202f000", 5000),
        ("5.000,00 €", 5000), ("5,000.00", 5000), ("1 234,50", 1234.5), ("1234,50", 1234.5), ("0,5", 0.5),
        ("12,34,567", 1_234_567), ("1.234.567", 1_234_567), ("150,000km", 150_000), ("99%", 99), ("5,- €", 5),
        ("20 per week", 20), ("19.125", 19.125), ("5.000", 5), ("1e3", 1000), ("-3", -3), ("−3 €", -3), ("$ -3", -3),
        ("Rs. 500", 500), ("$.50", 0.5), ("0,500", 0.5), ("0", 0), ("VB 500", 500), ("$11,111,111", 11_111_111),
        ("€ 1.234,5", 1234.5), ("CHF 1’234.50", 1234.5),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_mean_them(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["VB", "free", "-", "nan", "inf", "$"])
def test_a_price_without_a_digit_is_no_price(text: str) -> None:
    number = read_number(text)

    assert isinstance(number, float)
    assert math.isnan(number)


@pytest.mark.parametrize(
    "text",
    ["5k", "5 Mio. €", "1.5 million", "100-200", "4/5", "(5)", "1,23,4", "1 23 456", "1e999", "1e16", "٣", "m²",
     "1.2.3", "5 x 10", "9" * 5000, "a" * 5000 + "1"],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_not_read(text: str) -> None:
    assert isinstance(read_number(text), str)


@unhurried
@given(st.text(max_size=80))
def test_any_text_is_a_finite_number_or_none_or_a_reason(text: str) -> None:
    number = read_number(text)

    assert isinstance(number, str) or math.isnan(number) or abs(number) <= MAX_NUMBER


@unhurried
@given(st.floats(-MAX_NUMBER, MAX_NUMBER))
def test_what_a_machine_writes_is_read_back_exactly(number: float) -> None:
    assert read_number(repr(number)) == number


@unhurried
@given(st.integers(0, 10**11), st.sampled_from([",.", ".,", " ,", " .", "’.", "\u00a0,"]), st.booleans())
def test_what_a_person_writes_with_cents_is_read_back(cents: int, separators: str, sign_first: bool) -> None:
    thousands, decimal = separators
    whole, rest = divmod(cents, 100)
    written = f"{whole:,}".replace(",", thousands) + f"{decimal}{rest:02d}"

    assert read_number(f"€ {written}" if sign_first else f"{written} €") == pytest.approx(cents / 100)


def test_the_currency_is_the_sign_or_code_beside_the_number() -> None:
    written = ["$5,000", "5 €", "US$ 5", "R$5", "20 zł", "CHF 5", "5 EUR", "5 euro", "5", "VB", "try 5", "5 kr"]

    read = [currency_in_price(text) for text in written]

    assert read == ["USD", "EUR", "USD", "BRL", "PLN", "CHF", "EUR", "EUR", None, None, None, None]
    assert [read_currency(text) for text in ("eur", "€", " points ")] == ["EUR", "EUR", "POINTS"]


def moments(*texts: str | None, zone: ZoneInfo | None = None) -> tuple[list, list]:
    values, problems = parse_timestamps(pd.Series(texts, dtype="str"), zone)
    assert values.dtype == "datetime64[us, UTC]"
    return values.tolist(), problems.where(problems.notna(), "").tolist()


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1990, 1, 2), datetime(2100, 12, 30))


@unhurried
@given(st.lists(st.tuples(times, offsets, st.sampled_from("T ")), min_size=1, max_size=5))
def test_iso_times_with_a_zone_are_read_as_the_standard_library_reads_them(rows: list) -> None:
    zoned = [moment.replace(tzinfo=offset) for moment, offset, _ in rows]
    texts = [moment.isoformat(sep=sep) for moment, (_, _, sep) in zip(zoned, rows, strict=True)]

    values, problems = moments(*texts)

    assert values == [pd.Timestamp(moment.astimezone(UTC)) for moment in zoned]
    assert problems == [""] * len(rows)


@unhurried
@given(times, st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]))
def test_times_without_a_zone_are_read_on_the_clock_of_the_given_one(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    later = max(moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    exists = later.astimezone(zone).replace(tzinfo=None) == moment

    (value,), (problem,) = moments(moment.isoformat(), zone=zone)

    if exists:
        assert (value, problem) == (pd.Timestamp(later), "")
    else:
        assert value is pd.NaT
        assert problem == IN_A_GAP


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-01T12:30:00Z", "2026-03-01T12:30"),
        ("20260301T1230Z", "2026-03-01T12:30"),
        ("2026-03-01 12+01", "2026-03-01T11:00"),
        ("2026-03-01T12:30:00,5-0330", "2026-03-01T16:00:00.5"),
        ("2026-03-01t12:30:00.123456789z", "2026-03-01T12:30:00.123456"),
    ],
)
def test_other_ways_iso_8601_allows_are_read_too(text: str, utc: str) -> None:
    assert moments(text) == ([pd.Timestamp(utc, tz="UTC")], [""])


@pytest.mark.parametrize(
    "text",
    ["yesterday", "1772368200", "2026-13-01", "2026-02-30T00:00Z", "2026-03-01T24:01Z", "1989-12-31T23:00Z",
     "9999-01-01", "0001-01-01T00:00+14:00", "01.03.2026", "03/01/2026", "2026-03", "2026-03-01T12:30+25:00",
     "２０２６-03-01", "2026-03-01TZ"],
)  # fmt: skip
def test_what_is_no_time_of_our_days_is_a_problem(text: str) -> None:
    assert moments(text, zone=BERLIN)[1] == [NOT_A_TIME]


def test_clock_changes_give_the_later_reading_or_a_problem() -> None:
    values, problems = moments("2026-10-25 02:30", "2026-03-29 02:30", zone=BERLIN)

    assert values[0] == pd.Timestamp("2026-10-25T01:30Z")
    assert problems == ["", IN_A_GAP]
    assert moments("2016-10-16", zone=ZoneInfo("America/Sao_Paulo"))[0] == [pd.Timestamp("2016-10-16T03:00Z")]


def test_a_time_without_a_zone_is_a_problem_until_one_is_given() -> None:
    assert moments("2026-03-01", "2026-03-01T12:00Z", None)[1] == [NO_ZONE, "", ""]
    assert moments("2026-03-01", zone=BERLIN)[0] == [pd.Timestamp("2026-02-28T23:00Z")]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd"])
def test_a_zone_nobody_knows_is_the_callers_mistake(name: str) -> None:
    with pytest.raises(TableError):
        parse_timezone(name)


@unhurried
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9), max_size=9))
def test_addresses_come_back_once_each_in_their_order(urls: list[str]) -> None:
    expected = list(dict.fromkeys(url.strip() for url in urls if url.strip()))

    assert read_urls(json.dumps(urls)) == expected


@pytest.mark.parametrize(
    "text",
    ["[", '["a"', "[1]", '[["a"]]', '["\\ud800"]', "[" * 100_000, "a\0b", "|".join(map(str, range(101))), "x" * 2049],
)
def test_addresses_that_cannot_be_kept_are_a_reason(text: str) -> None:
    assert isinstance(read_urls(text), str)


texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5))


@unhurried
@given(st.lists(st.tuples(texts, texts, texts), max_size=5))
def test_attributes_are_the_json_one_would_write_row_by_row(rows: list) -> None:
    names = ['b"', "a", "ü"]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    kept = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
    expected = [json.dumps(row, sort_keys=True, ensure_ascii=False) if row else None for row in kept]

    found = as_json(pd.DataFrame(columns, dtype="str"))

    assert found.astype(object).where(found.notna(), None).tolist() == expected
