"""The flow and command ``evaluate``: a report, its tables, a line in the log, artifacts; and the groups it looks at."""

from __future__ import annotations

import json

import pytest
from PIL import ImageOps

from data.catalog.market.listings import save_labels
from data.catalog.market.loads import runs_between
from models.estimator.rule import RULE_ID
from models.serving.learning.evaluate_model import evaluate_model, figures_markdown
from models.serving.learning.example_groups import SLICES, example_groups
from models.serving.learning.train_model import gather
from models.serving.pictures.match_pictures import match
from tests.data.catalog.rows import day, labels, moment
from tests.flows.filled import as_file, ask, fill_and_compare, photo, posted

TABLES = {"overall", "periods", "slices", "calibration", "capacities", "money", "curve"}


def asking(price: float, currency: str = "EUR") -> dict[str, object]:
    return {"price": price, "currency": currency}


@pytest.fixture
def context(tmp_path):
    """Ann's three photos are taken by ben (as they are) and cid (mirrored); four others show their own."""
    own = [photo(number) for number in range(7)]
    found = fill_and_compare(
        tmp_path / "home",
        *(
            posted(f"own-{n}", f"seller-{n}", n, as_file(own[n])) | {"price": 10.0 * n, "currency": "EUR"}
            for n in range(7)
        ),
        posted("same", "ben", 20, as_file(own[0])) | asking(40.0),
        posted("turned", "cid", 21, as_file(ImageOps.mirror(own[1]))) | asking(70.0, "CHF"),
    )
    decisions = [("same", "fraud"), ("turned", "fraud"), ("own-0", "legit"), ("own-3", "legit"), ("own-4", "legit")]
    with found.catalog.write() as connection:
        rows = [{"listing_id": name, "label": label, "labelled_at": day(40)} for name, label in decisions]
        save_labels(connection, labels(*rows))
    match(found, gather(found, since=None, until=moment(600), rows=100).market.listings["listing_key"].tolist())
    return found


def test_the_rule_is_judged_with_tables_and_a_report_that_stands_alone(context, tmp_path):
    summary = evaluate_model(context, model_id=None, since=None, until=moment(600), out=tmp_path / "out")
    assert (summary["model_id"], summary["labelled"], summary["frauds"]) == (RULE_ID, 5, 2)
    assert {file.stem for file in (tmp_path / "out").glob("*.csv")} == TABLES
    page = (tmp_path / "out" / "report.html").read_text()
    assert "of the 40 EUR that known frauds asked for" in page
    assert "no decision is known on any that was drawn at random" in page
    assert "Did it keep its promise?" not in page
    assert "| rule-1 | average precision |" in figures_markdown(tmp_path / "out")


def test_groups_tell_what_was_done_to_the_surest_copied_photo(context):
    gathered = gather(context, since=None, until=moment(600), rows=100)
    found = example_groups(context, gathered.examples, gathered.market)
    assert found.columns.tolist() == list(SLICES)
    names = gathered.examples["listing_key"].map(gathered.market.listings.set_index("listing_key")["listing_id"])
    edits = dict(zip(names, found["surest_copied_photo"], strict=True))
    assert (edits["same"], edits["turned"], edits["own-0"]) == ("same file", "mirror", "no copied photo")
    assert set(found["seller"]) == {"new"}


@pytest.mark.slow
def test_the_command_runs_a_flow_that_leaves_its_line_and_its_main_table(context, prefect_server, tmp_path, capsys):
    home = tmp_path / "home"
    assert ask(home, "evaluate", "--until", "2027-12-31", "--out", tmp_path / "out", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["report"] == str(tmp_path / "out" / "report.html")
    with context.catalog.read() as connection:
        runs = runs_between(connection, moment(0), moment(100_000))
    assert [run["model_id"] for run in runs if run["run_id"] == summary["run_id"]] == [RULE_ID]
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        kept = {artifact.key: artifact.data for artifact in client.read_artifacts()}
    assert {"evaluate-summary", "evaluate-report", "evaluate-figures"} <= set(kept)
    assert (tmp_path / "out" / "report.html").resolve().as_uri() in kept["evaluate-figures"]
    assert "| rule-1 | average precision |" in kept["evaluate-figures"]
