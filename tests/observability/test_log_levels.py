"""A changed level acts in every process, and ends by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from observability import log_levels
from observability.log_levels import Levels, Wanted, read_wanted
from observability.models import LogLevel

NAME = "tests.levels"


@pytest.fixture(autouse=True)
def own_level() -> Iterator[None]:
    root = logging.getLogger().level
    logging.getLogger(NAME).setLevel(logging.WARNING)
    yield
    logging.getLogger(NAME).setLevel(logging.NOTSET)
    logging.getLogger().setLevel(root)


def level_of(name: str | None = NAME) -> int:
    return logging.getLogger(name).level


def asked(minutes: int = 5, level: int = logging.DEBUG, logger: str = NAME) -> LogLevel:
    return LogLevel.objects.create(
        logger=logger,
        level=level,
        until=timezone.now() + timedelta(minutes=minutes),
        reason="an incident",
        by="jo",
    )


def test_a_stored_level_is_applied_and_ends_by_itself(db: None) -> None:
    levels = Levels()
    row = asked()

    levels.poll()
    assert level_of() == logging.DEBUG

    levels.apply(read_wanted(), now=row.until)
    assert level_of() == logging.WARNING


def test_it_ends_while_the_database_is_away(db: None) -> None:
    now = timezone.now()
    answers = [[Wanted(NAME, logging.DEBUG, now + timedelta(seconds=60))]]

    def read() -> list[Wanted]:
        if answers:
            return answers.pop()
        raise OperationalError("away")

    levels = Levels(read)
    levels.poll()
    levels._asked -= log_levels.POLL_SECONDS
    levels.poll()
    assert level_of() == logging.DEBUG

    levels.apply(levels._wanted, now=now + timedelta(seconds=61))
    assert level_of() == logging.WARNING


def test_a_row_that_is_deleted_ends_it_at_the_next_poll(db: None) -> None:
    levels = Levels()
    asked()
    levels.poll()

    LogLevel.objects.all().delete()
    levels._asked -= log_levels.POLL_SECONDS
    levels.poll()

    assert level_of() == logging.WARNING


def test_the_newest_row_of_a_logger_wins_and_the_older_comes_back(db: None) -> None:
    levels = Levels()
    asked(minutes=10, level=logging.ERROR)
    newer = asked(minutes=5, level=logging.DEBUG)

    levels.poll()
    assert level_of() == logging.DEBUG

    wanted = read_wanted()
    levels.apply(wanted, now=newer.until)
    assert level_of() == logging.ERROR


def test_the_root_logger_is_named_root(db: None) -> None:
    before = level_of(None)
    levels = Levels()
    row = asked(logger="root")

    levels.poll()
    assert level_of(None) == logging.DEBUG

    levels.apply(read_wanted(), now=row.until)
    assert level_of(None) == before


def test_processes_ask_often_enough_for_ten_seconds(db: None) -> None:
    calls: list[int] = []

    def read() -> list[Wanted]:
        calls.append(1)
        return []

    levels = Levels(read)
    levels.poll()
    levels.poll()

    assert len(calls) == 1
    # One second between two rounds of the thread, and the time between two questions.
    assert log_levels.POLL_SECONDS + 1 < 10
