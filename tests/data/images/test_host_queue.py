"""Fairness between hosts, on a clock the tests move."""

from __future__ import annotations

import threading

from data.images.download.fetcher import HostQueue


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_hosts_take_turns():
    queue = HostQueue(per_host=10)
    for job in ("a1", "a2", "a3"):
        queue.put("a", job)
    queue.put("b", "b1")
    assert [queue.take() for _ in range(4)] == [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")]


def test_a_busy_host_waits_while_others_go_on():
    queue = HostQueue(per_host=1)
    for job in ("a1", "a2"):
        queue.put("a", job)
    queue.put("b", "b1")
    assert queue.take() == ("a", "a1")
    assert queue.take() == ("b", "b1")
    queue.done("a")
    assert queue.take() == ("a", "a2")


def test_the_rate_cap_spaces_the_jobs_of_one_host():
    clock = Clock()
    queue = HostQueue(per_host=10, per_host_s=4.0, clock=clock)
    for job in ("a1", "a2"):
        queue.put("a", job)
    queue.put("b", "b1")
    assert queue.take() == ("a", "a1")
    assert queue.take() == ("b", "b1")
    clock.now += 0.25
    assert queue.take() == ("a", "a2")


def test_a_host_that_is_held_waits_while_others_go_on():
    clock = Clock()
    queue = HostQueue(per_host=10, clock=clock)
    for job in ("a1", "a2"):
        queue.put("a", job)
    queue.put("b", "b1")
    queue.hold("a", 5.0)
    queue.hold("a", 1.0)
    assert queue.take() == ("b", "b1")
    clock.now += 5.0
    assert [queue.take() for _ in range(2)] == [("a", "a1"), ("a", "a2")]


def test_a_thread_that_waits_for_the_rate_cap_wakes_by_itself():
    queue = HostQueue(per_host=10, per_host_s=50.0)
    for job in ("a1", "a2", "a3"):
        queue.put("a", job)
    assert [queue.take() for _ in range(3)] == [("a", "a1"), ("a", "a2"), ("a", "a3")]


def test_jobs_that_nobody_has_taken_can_be_withdrawn():
    queue = HostQueue(per_host=10)
    for host, job in (("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1")):
        queue.put(host, job)
    assert queue.take() == ("a", "a1")
    queue.withdraw(["a1", "a3", "b1"])
    assert [queue.take() for _ in range(2)] == [("c", "c1"), ("a", "a2")]
    assert queue.close() == []


def test_closing_sends_waiting_threads_home_and_gives_back_what_is_left():
    queue = HostQueue(per_host=1)
    queue.put("a", "a1")
    queue.put("a", "a2")
    assert queue.take() == ("a", "a1")
    seen = []
    waiting = threading.Thread(target=lambda: seen.append(queue.take()))
    waiting.start()
    assert queue.close() == ["a2"]
    waiting.join(timeout=5)
    assert seen == [None]
    assert queue.take() is None
