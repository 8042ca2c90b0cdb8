"""The demo's own SQLite database, read by its SQL operations."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from demo.datasets import Record, earthquakes, electricity, penguins, weather

_TABLES = """
CREATE TABLE weather (
    date TEXT PRIMARY KEY, precipitation REAL, temp_max REAL, temp_min REAL,
    wind REAL, weather TEXT NOT NULL
);
CREATE TABLE earthquakes (
    id TEXT PRIMARY KEY, time TEXT NOT NULL, magnitude REAL, place TEXT NOT NULL,
    region TEXT NOT NULL, kind TEXT NOT NULL, depth_km REAL, latitude REAL,
    longitude REAL
);
CREATE INDEX earthquakes_region ON earthquakes (region, magnitude);
CREATE TABLE electricity (
    year INTEGER NOT NULL, source TEXT NOT NULL, net_generation INTEGER,
    PRIMARY KEY (year, source)
);
CREATE TABLE penguins (
    species TEXT NOT NULL, island TEXT NOT NULL, beak_length_mm REAL,
    beak_depth_mm REAL, flipper_length_mm INTEGER, body_mass_g INTEGER, sex TEXT
);
"""


def write_database(path: Path) -> None:
    """Write the database anew beside `path`, then put it in its place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as connection, connection:
        connection.executescript(_TABLES)
        _fill(connection, "weather", weather())
        _fill(connection, "earthquakes", earthquakes())
        _fill(connection, "electricity", electricity())
        _fill(connection, "penguins", penguins())
    fresh.replace(path)


def _fill(
    connection: sqlite3.Connection, table: str, records: Sequence[Record]
) -> None:
    names = tuple(records[0])
    marks = ", ".join("?" for _name in names)
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
        [tuple(record[name] for name in names) for record in records],
    )
