"""demo/api.py over a real socket, and the data beneath it."""

import asyncio
import hashlib
import json
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from demo.api import make_application
from demo.database import write_database
from demo.datasets import DATA, earthquakes, electricity, penguins, region_of, weather


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a demo API that runs on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(make_application(), shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield f"http://127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with closing(error):
            return error.code, error.read().decode()


def test_every_data_file_is_the_one_whose_licence_is_recorded() -> None:
    manifest = json.loads((DATA / "manifest.json").read_text(encoding="utf-8"))
    recorded = {entry["file"]: entry for entry in manifest["files"]}

    assert {path.name for path in DATA.glob("*.csv")} == set(recorded)
    for name, entry in recorded.items():
        content = (DATA / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], name
        assert entry["licence"]
        assert entry["source"]


def test_pages_say_how_many_rows_there_are(address: str) -> None:
    status, text = get(f"{address}/earthquakes?min_magnitude=5&limit=2&offset=1")

    body = json.loads(text)
    assert status == 200
    assert body["total"] > 2
    assert len(body["data"]) == 2
    assert all(quake["magnitude"] >= 5 for quake in body["data"])


def test_a_region_is_what_stands_behind_the_comma(address: str) -> None:
    _status, text = get(f"{address}/earthquakes?region=California&limit=5")

    assert {quake["region"] for quake in json.loads(text)["data"]} == {"California"}
    assert region_of("4km W of Castaic, CA") == "California"
    assert region_of("Gulf of Alaska") == "Gulf of Alaska"


def test_days_are_chosen_by_date_as_json_and_csv(address: str) -> None:
    days = "from=2012-01-01&to=2012-01-07"

    _status, text = get(f"{address}/weather/daily?{days}")
    _status, csv_text = get(f"{address}/weather/daily.csv?{days}")

    assert len(json.loads(text)["data"]) == 7
    assert len(csv_text.splitlines()) == 8


@pytest.mark.parametrize(("language", "word"), [("ko", "최고 기온"), ("en", "warmest")])
def test_the_report_speaks_the_readers_language(
    address: str, language: str, word: str
) -> None:
    _status, text = get(f"{address}/weather/report?language={language}&to=2012-12-31")

    assert word in text


def test_a_report_about_no_day_is_empty(address: str) -> None:
    assert get(f"{address}/weather/report?from=2099-01-01") == (200, "")


@pytest.mark.parametrize("path", ["electricity", "penguins", ""])
def test_every_address_answers_json(address: str, path: str) -> None:
    status, text = get(f"{address}/{path}")

    assert status == 200
    assert json.loads(text)


def test_the_switches_fail_delay_and_break(address: str) -> None:
    assert get(f"{address}/penguins?fail=503")[0] == 503
    assert get(f"{address}/status/418")[0] == 418
    assert get(f"{address}/penguins?delay_ms=1&limit=1")[0] == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(get(f"{address}/penguins?malformed=true")[1])


@pytest.mark.parametrize(
    "path",
    ["penguins?limit=many", "earthquakes?min_magnitude=big", "status/abc", "status/99"],
)
def test_a_bad_argument_is_named(address: str, path: str) -> None:
    status, text = get(f"{address}/{path}")

    assert status == 400
    assert "must be" in text or "is no status" in text


def test_the_database_holds_every_record(tmp_path: Path) -> None:
    path = tmp_path / "new" / "demo.sqlite3"

    write_database(path)
    write_database(path)

    expected = {
        "weather": len(weather()),
        "earthquakes": len(earthquakes()),
        "electricity": len(electricity()),
        "penguins": len(penguins()),
    }
    with closing(sqlite3.connect(path)) as connection:
        for table, count in expected.items():
            found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert found == (count,), table
