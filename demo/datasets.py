"""The recorded data of the demo; ``data/manifest.json`` has sources and licences."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

DATA = Path(__file__).resolve().parent / "data"
Cell: TypeAlias = str | int | float | None
Record: TypeAlias = Mapping[str, Cell]

_STATES = {"CA": "California"}


def _number(text: str) -> float | None:
    return float(text) if text else None


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def weather() -> tuple[Record, ...]:
    """Daily weather of Seattle, 2012 to 2015: °C, millimetres, metres a second."""
    return tuple(
        {
            "date": row["date"],
            "precipitation": _number(row["precipitation"]),
            "temp_max": _number(row["temp_max"]),
            "temp_min": _number(row["temp_min"]),
            "wind": _number(row["wind"]),
            "weather": row["weather"],
        }
        for row in _read("seattle-weather.csv")
    )


@cache
def earthquakes() -> tuple[Record, ...]:
    """Earthquakes of one week in 2018, newest first; depth in kilometres."""
    return tuple(
        {
            "id": row["id"],
            "time": row["time"],
            "magnitude": _number(row["magnitude"]),
            "place": row["place"],
            "region": region_of(row["place"]),
            "kind": row["kind"],
            "depth_km": _number(row["depth_km"]),
            "latitude": _number(row["latitude"]),
            "longitude": _number(row["longitude"]),
        }
        for row in _read("earthquakes.csv")
    )


def region_of(place: str) -> str:
    """Return what stands behind the last comma; ``…, CA`` is California."""
    last = place.rsplit(", ", 1)[-1]
    return _STATES.get(last, last)


@cache
def electricity() -> tuple[Record, ...]:
    """Net generation of Iowa by year and source, in thousand megawatt-hours."""
    return tuple(
        {
            "year": int(row["year"][:4]),
            "source": row["source"],
            "net_generation": _whole(row["net_generation"]),
        }
        for row in _read("iowa-electricity.csv")
    )


@cache
def penguins() -> tuple[Record, ...]:
    """Penguins of the Palmer Archipelago: millimetres and grams, with gaps."""
    return tuple(
        {
            "species": row["species"],
            "island": row["island"],
            "beak_length_mm": _number(row["beak_length_mm"]),
            "beak_depth_mm": _number(row["beak_depth_mm"]),
            "flipper_length_mm": _whole(row["flipper_length_mm"]),
            "body_mass_g": _whole(row["body_mass_g"]),
            "sex": row["sex"] or None,
        }
        for row in _read("penguins.csv")
    )
