"""Several analysts on one queue, against a plain model: nobody is given what somebody has, and nothing is lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from data.catalog.cases.case_events import UNDECIDED, history, ruling, version_of
from data.catalog.cases.cases import Filter, case_of, counters, next_open, page_of, save_cases
from data.catalog.cases.claims import claim, claim_on, release
from data.catalog.cases.transitions import Decision, decide, snooze, undo
from data.catalog.database.engine import open_catalog
from data.errors import CaseChanged, VerdictError
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import moment

CASES = 3
MINUTES = 15
WHO = st.sampled_from(["ada", "bob"])
MINUTE = 1 / 1440
# A smaller example would be looked for in a real database, for minutes; the steps of the first one can be read.
SIZE = settings(max_examples=20, stateful_step_count=25, phases=(Phase.explicit, Phase.generate))


@dataclass
class Remembered:
    """What the model knows of one case."""

    events: list[dict[str, object]] = field(default_factory=list)
    held_by: str | None = None
    held_until: float = 0.0
    snoozed_until: float | None = None
    decided: bool = False

    def holder(self, now):
        return self.held_by if self.held_until > now else None

    def is_open(self, now):
        return not self.decided and (self.snoozed_until is None or self.snoozed_until <= now)

    def standing(self):
        undone = {event["about"] for event in self.events if event["kind"] == "undo"}
        given = [event for event in self.events if event["kind"] == "verdict" and event["id"] not in undone]
        return given[-1] if given else None


class Queue(RuleBasedStateMachine):
    """The catalog and the model, told the same."""

    catalog = None
    numbers = itertools.count(1)

    @initialize()
    def fill(self):
        """A queue of its own, so that one database serves all examples."""
        self.seller = next(self.numbers)
        self.keys = [self.seller * 100 + number for number in range(CASES)]
        self.model = {key: Remembered() for key in self.keys}
        self.pages = {}
        self.now = 10.0
        with self.catalog.write() as connection:
            save_cases(connection, scored_cases(*self.keys, seller_key=self.seller))

    @property
    def at(self):
        return moment(self.now)

    @rule(who=WHO)
    def open_next(self, who):
        free = [
            k for k in self.keys if self.model[k].is_open(self.now) and self.model[k].holder(self.now) in (None, who)
        ]
        with self.catalog.write() as connection:
            key = next_open(connection, Filter(seller_key=self.seller), who, self.at)
            assert key == (free[0] if free else None)
            if key is not None:
                self._take(connection, key, who)

    @rule(who=WHO, number=st.integers(0, CASES - 1))
    def open_one(self, who, number):
        with self.catalog.write() as connection:
            self._take(connection, self.keys[number], who)

    def _take(self, connection, key, who):
        known = self.model[key]
        held = claim(connection, key, who, self.at, MINUTES)
        if known.holder(self.now) in (None, who):
            known.held_by, known.held_until = who, self.now + MINUTES * MINUTE
        assert held.actor == known.held_by
        self.pages[who] = key, version_of(connection, key)

    @precondition(lambda self: self.pages)
    @rule(who=WHO, verdict=st.sampled_from(["fraud", "legit", "unsure"]))
    def decide_on_the_page(self, who, verdict):
        if who not in self.pages:
            return
        key, seen = self.pages[who]
        known = self.model[key]
        given = Decision(listing_key=key, verdict=verdict, problem=None, note="", actor=who, seen_version=seen)
        decided_by_others = known.decided and known.standing()["who"] != who
        if seen != len(known.events) or decided_by_others:
            with pytest.raises(CaseChanged), self.catalog.write() as connection:
                decide(connection, given, self.at)
            return
        with self.catalog.write() as connection:
            recorded = decide(connection, given, self.at)
        known.events.append({"kind": "verdict", "id": recorded.verdict_id, "who": who, "verdict": verdict})
        known.decided, known.snoozed_until = True, None
        self._released(key, who)

    @rule(who=WHO, number=st.integers(0, CASES - 1), event=st.integers(0, 5))
    def take_back(self, who, number, event):
        key = self.keys[number]
        known = self.model[key]
        if event >= len(known.events):
            return
        about = known.events[event]
        if about["who"] != who or about is not known.standing():
            with pytest.raises(VerdictError), self.catalog.write() as connection:
                undo(connection, about["id"], who, self.at)
            return
        with self.catalog.write() as connection:
            recorded = undo(connection, about["id"], who, self.at)
        known.events.append({"kind": "undo", "id": recorded.verdict_id, "who": who, "about": about["id"]})
        known.decided, known.snoozed_until = known.standing() is not None, None

    @rule(who=WHO, number=st.integers(0, CASES - 1), days=st.integers(1, 3))
    def leave_alone(self, who, number, days):
        known = self.model[self.keys[number]]
        if known.decided:
            with pytest.raises(CaseChanged), self.catalog.write() as connection:
                snooze(connection, self.keys[number], moment(self.now + days), who, self.at)
            return
        with self.catalog.write() as connection:
            recorded = snooze(connection, self.keys[number], moment(self.now + days), who, self.at)
        known.events.append({"kind": "snooze", "id": recorded.verdict_id, "who": who})
        known.snoozed_until = self.now + days
        self._released(self.keys[number], who)

    @rule(who=WHO, number=st.integers(0, CASES - 1))
    def give_back(self, who, number):
        with self.catalog.write() as connection:
            release(connection, self.keys[number], who)
        self._released(self.keys[number], who)

    def _released(self, key, who):
        if self.model[key].held_by == who:
            self.model[key].held_by = None

    @rule(minutes=st.sampled_from([1, 14, 16, 1440, 3000]))
    def wait(self, minutes):
        self.now += minutes * MINUTE

    @invariant()
    def both_tell_the_same(self):
        if not hasattr(self, "keys"):
            return
        with self.catalog.read() as connection:
            waiting = page_of(connection, Filter(seller_key=self.seller), self.at, number=1, size=10).rows
            assert [row["listing_key"] for row in waiting] == [k for k in self.keys if self.model[k].is_open(self.now)]
            for key, known in self.model.items():
                past = history(connection, key)
                assert [one["verdict_id"] for one in past] == [event["id"] for event in known.events]
                holding = known.standing()
                assert ruling(past)["verdict"] == (holding["verdict"] if holding else UNDECIDED)
                held = claim_on(connection, key, self.at)
                assert (held.actor if held else None) == known.holder(self.now)
                assert (case_of(connection, key)["state"] == "decided") == known.decided


@pytest.mark.slow
def test_two_analysts_and_a_plain_model_agree(tmp_path):
    catalog = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    try:
        Queue.catalog = catalog
        run_state_machine_as_test(Queue, settings=SIZE)
        with catalog.read() as connection:
            assert sum(counters(connection, moment(10)).values()) > 0
    finally:
        catalog.close()
