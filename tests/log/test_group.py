from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import UnavailableError
from ledger.log.encoded import EncodedEntries
from ledger.log.storage.group import MAX_GROUP_BYTES, GroupCommit, Request
from ledger.log.tiles import decode_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence


class Blocked:
    """A commit that waits until the test lets it go on, and says which groups it was given."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.began = threading.Semaphore(0)
        self.goes_on = threading.Semaphore(0)

    def __call__(self, group: Sequence[Request]) -> None:
        self.began.release()
        assert self.goes_on.acquire(timeout=30)
        for request in group:
            request.first = sum(len(entries) for entries in self.groups)
        self.groups.append(
            [decode_bundle(request.entries[0].payload, request.entries[0].count)[0] for request in group]
        )


class Interrupted(threading.Event):
    """A wait that Ctrl-C ends once it is woken."""

    def wait(self, timeout: float | None = None) -> bool:
        super().wait(timeout)
        raise KeyboardInterrupt


def request(entry: bytes, *more: bytes) -> Request:
    return Request([EncodedEntries.of([entry, *more])])


def start(groups: GroupCommit, *requests: Request) -> list[threading.Thread]:
    def submit(one: Request) -> None:
        try:
            groups.submit(one)
        except KeyboardInterrupt:
            return

    threads = [threading.Thread(target=submit, args=(one,), daemon=True) for one in requests]
    for place, thread in enumerate(threads, len(groups._queue) + 1):
        thread.start()
        wait_until(groups, place)
    return threads


def wait_until(groups: GroupCommit, waiting: int) -> None:
    while len(groups._queue) < waiting:
        threading.Event().wait(0.001)


def test_callers_that_wait_together_are_committed_together() -> None:
    commit = Blocked()
    groups = GroupCommit(commit)
    leader = threading.Thread(target=groups.submit, args=(request(b"one"),))
    leader.start()
    assert commit.began.acquire(timeout=30)
    others = start(groups, request(b"two"), request(b"three"), request(b"four"))
    commit.goes_on.release(2)
    for thread in [leader, *others]:
        thread.join(30)
    assert commit.groups == [[b"one"], [b"two", b"three", b"four"]]


def test_group_is_bounded_in_bytes() -> None:
    commit = Blocked()
    groups = GroupCommit(commit)
    leader = threading.Thread(target=groups.submit, args=(request(b"one"),))
    leader.start()
    assert commit.began.acquire(timeout=30)
    large = [bytes(1 << 15)] * (MAX_GROUP_BYTES >> 16)
    others = start(groups, request(b"two", *large), request(b"three", *large))
    commit.goes_on.release(3)
    for thread in [leader, *others]:
        thread.join(30)
    assert commit.groups == [[b"one"], [b"two"], [b"three"]]


def test_interrupted_caller_passes_on_the_lead() -> None:
    commit = Blocked()
    groups = GroupCommit(commit)
    leader = threading.Thread(target=groups.submit, args=(request(b"one"),))
    leader.start()
    assert commit.began.acquire(timeout=30)
    interrupted = request(b"two")
    interrupted.wake = Interrupted()
    others = start(groups, interrupted, request(b"three"))
    commit.goes_on.release(2)
    for thread in [leader, *others]:
        thread.join(30)
    assert not any(thread.is_alive() for thread in [leader, *others])
    assert commit.groups == [[b"one"], [b"three"]]


def test_closing_waits_for_what_was_taken_and_refuses_what_comes() -> None:
    commit = Blocked()
    groups = GroupCommit(commit)
    leader = threading.Thread(target=groups.submit, args=(request(b"one"),))
    leader.start()
    assert commit.began.acquire(timeout=30)
    closer = threading.Thread(target=groups.close, args=("closed",))
    closer.start()
    commit.goes_on.release()
    closer.join(30)
    leader.join(30)
    assert commit.groups == [[b"one"]]
    with pytest.raises(UnavailableError, match="closed"):
        groups.submit(request(b"two"))


def test_failed_commit_refuses_its_group_and_all_that_waits() -> None:
    commit = Blocked()

    def fails(group: Sequence[Request]) -> None:
        commit(group)
        raise OSError("disk gone")

    groups = GroupCommit(fails)
    refused: list[str] = []

    def submit(entry: bytes) -> None:
        with pytest.raises(UnavailableError) as caught:
            groups.submit(request(entry))
        refused.append(caught.value.reason)

    threads = [threading.Thread(target=submit, args=(entry,)) for entry in (b"one", b"two", b"three")]
    threads[0].start()
    assert commit.began.acquire(timeout=30)
    for waiting, thread in enumerate(threads[1:], 1):
        thread.start()
        wait_until(groups, waiting)
    commit.goes_on.release()
    for thread in threads:
        thread.join(30)
    assert refused == ["the write failed: disk gone"] * 3
