import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from host_bridge.contract.facts import MAX_COUNT, Dropped, Place
from host_bridge.store import WorkerRow
from host_bridge.web.words import WORDS
from tests.host_bridge import site
from tests.host_bridge.listener import eventually
from tests.host_bridge.served import Served


def states(served: Served) -> dict[str, str]:
    (room,) = httpx.get(f"{served.url}/api/v1/rooms").json()["rooms"]
    return {desk["unit"]: desk["state"] for desk in room["desks"]}


def events(response: httpx.Response) -> Iterator[dict]:
    """Server-sent events as they come."""
    event: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            yield event
            event = {}


def test_rooms_show_each_desk_with_its_state_word_and_counts(served):
    served.online(*site.UNITS[:7])
    site.commit(served.store, site.seat("u1", 1, True), site.seat("u2", 1, True))
    eventually(lambda: states(served)["u2"] == "conflict")
    (room,) = httpx.get(f"{served.url}/api/v1/rooms").json()["rooms"]
    assert (room["name"], room["people"], room["cap"]) == ("Sala Nord", 2, 4)
    assert room["desks"][0] == {
        "name": "A1", "unit": "u1", "x": 0.0, "y": 0.0, "state": "taken", "word": "In use",
    }  # fmt: skip
    expected = dict.fromkeys(WORDS, 0)
    expected |= {"taken": 1, "conflict": 1, "free": 2, "blocked": 3, "offline": 1}
    assert room["counts"] == expected


def test_the_stream_begins_with_everything_and_tells_a_change_within_a_second(served):
    served.online("u1")
    with httpx.stream("GET", f"{served.url}/api/v1/events", timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        seen = events(response)
        assert [next(seen).get("retry"), next(seen)["event"]] == ["2000", "floor"]
        start = time.monotonic()
        site.commit(served.store, site.seat("u1", 1, True))
        for event in seen:
            if event["event"] == "floor":
                (room,) = json.loads(event["data"])
                break
        assert time.monotonic() - start < 1.0
        assert [(desk["name"], desk["word"]) for desk in room["desks"]] == [("A1", "In use")]
        assert room["people"] == 1
        last = event["id"]
    site.commit(served.store, site.seat("u1", 2, False))
    eventually(lambda: states(served)["u1"] == "free")
    again = httpx.stream(
        "GET", f"{served.url}/api/v1/events", headers={"Last-Event-ID": last}, timeout=10
    )
    with again as response:
        seen = events(response)
        next(seen)
        missed = next(event for event in seen if event["event"] == "floor")
        (room,) = json.loads(missed["data"])
        assert [(desk["name"], desk["state"]) for desk in room["desks"]] == [("A1", "free")]


def test_the_ledger_adds_up_and_gaps_do_not_tell_which_button_was_pressed(served):
    site.commit(served.store, site.seat("u1", 3, True), site.press("u1", 2), dead=1)
    site.commit(served.store, site.seat("u1", 3, True))
    row = WorkerRow(
        worker="w1", in_flight=5, queue_depth=0, last_commit_ms=None, reconnects=0,
        updated_ms=site.now_ms(),
    )  # fmt: skip
    served.store.heartbeat(row)
    ledger = httpx.get(f"{served.url}/api/v1/ledger").json()
    figures = {
        "received": 4, "stored": 2, "duplicates": 1, "dead_letters": 1, "in_flight": 5,
        "unaccounted": 0,
    }  # fmt: skip
    assert ledger["sum"] == figures
    assert ledger["workers"] == [{**figures, "worker": "w1"}]
    (gap,) = ledger["gaps"]
    assert (gap["unit"], gap["missing"], ledger["missing"]) == ("u1", 3, 3)
    assert set(gap) == {"unit", "missing", "dropped", "standing", "since", "age_seconds"}
    assert 0 <= gap["age_seconds"] < 60


def test_what_a_full_unit_says_it_dropped_is_told_apart_from_what_is_missing(served):
    first, last = Place(boot=1, seq=2), Place(boot=1, seq=4)
    report = Dropped(
        unit="u1", boot=1, seq=7, up=9, lane="ordinary", count=3, first=first, last=last
    )
    site.commit(served.store, site.seat("u1", 1, True), report)
    assert (gap := httpx.get(f"{served.url}/api/v1/ledger").json()["gaps"][0])["missing"] == 5
    assert gap["dropped"] == 3
    metrics = httpx.get(f"{served.url}/metrics").text
    assert 'chequer_gap_facts{unit="u1"} 5.0' in metrics
    assert 'chequer_dropped_facts{unit="u1"} 3.0' in metrics
    assert "from 1 unit, 3 dropped by full units" in eventually(
        lambda: page if "dropped by" in (page := httpx.get(served.url).text) else ""
    )


def test_gaps_of_another_site_are_not_shown(served):
    site.commit(served.store, site.seat("u1", MAX_COUNT, True), site="other")
    assert httpx.get(f"{served.url}/api/v1/ledger").json()["gaps"] == []


def test_readiness_names_a_dead_broker_and_recovers(served, mosquitto):
    assert httpx.get(f"{served.url}/readyz").status_code == 200
    mosquitto.kill()
    answer = eventually(
        lambda: (r := httpx.get(f"{served.url}/readyz")).status_code == 503 and r.json()
    )
    parts = {part["part"]: part for part in answer["parts"]}
    assert not answer["ready"]
    assert [name for name, part in parts.items() if not part["ok"]] == ["broker"]
    assert "Start the broker" in parts["broker"]["what"]
    assert httpx.get(f"{served.url}/healthz").json() == {"alive": True}
    mosquitto.start()
    eventually(lambda: httpx.get(f"{served.url}/readyz").status_code == 200, 20)


def test_readiness_names_a_database_that_cannot_be_read(served, tmp_path: Path):
    for file in tmp_path.glob("chequer.db*"):
        file.unlink()
    served.store._engine.dispose()

    def database_fails() -> dict[str, Any] | None:
        answer = httpx.get(f"{served.url}/readyz")
        failed = [part["part"] for part in answer.json()["parts"] if not part["ok"]]
        return answer.json() if answer.status_code == 503 and "database" in failed else None

    answer = eventually(database_fails)
    assert str(tmp_path) not in json.dumps(answer)
    ledger = httpx.get(f"{served.url}/api/v1/ledger")
    assert ledger.status_code == 503
    assert set(ledger.json()) == {"what", "kept", "do"}
    assert "chequer_database_up 0.0" in httpx.get(f"{served.url}/metrics").text


def test_metrics_give_rooms_and_delivery_and_the_time_to_a_verdict(served):
    site.commit(served.store, site.tap("u1", 1, site.HEADSET_OF_ANNA), dead=2)
    eventually(lambda: served.director.figures.verdicts == 1)
    lines = httpx.get(f"{served.url}/metrics").text.splitlines()
    assert 'chequer_facts_dead_letters_total{worker="w1"} 2.0' in lines
    assert 'chequer_desks{room="Sala Nord",state="offline"} 8.0' in lines
    assert 'chequer_verdict_seconds_bucket{le="+Inf"} 1.0' in lines
    assert 'chequer_verdict_seconds_bucket{le="0.2"} 1.0' in lines


@pytest.mark.parametrize("path", ["/", "/api/v1/rooms", "/readyz", "/static/floor.js", "/nowhere"])
def test_every_answer_carries_the_security_headers(served, path):
    headers = httpx.get(served.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_the_page_needs_nothing_from_elsewhere_and_has_no_inline_script_or_style(served):
    page = httpx.get(served.url).text
    style, script = (httpx.get(f"{served.url}/static/floor.{x}").text for x in ("css", "js"))
    for text in (page, style, script):
        assert "http:" not in text
        assert "https:" not in text
    assert "style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") == 1
    assert " on" not in page.split("<body>")[1].replace(" on the", "").replace(" one", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/api/v1/rooms", "/api/v1/events"])
def test_nothing_can_be_written(served, method, path):
    answer = httpx.request(method, served.url + path)
    assert answer.status_code == 405
    assert set(answer.json()) == {"what", "kept", "do"}


@pytest.mark.parametrize("path", ["/nowhere", "/static/../app.py", "/docs", "/api/v1/people"])
def test_an_unknown_address_is_explained(served, path):
    answer = httpx.get(served.url + path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"what", "kept", "do"}


def test_the_description_of_the_interface_names_types_for_every_answer(served):
    paths = httpx.get(f"{served.url}/openapi.json").json()["paths"]
    assert {"/api/v1/rooms", "/api/v1/ledger", "/api/v1/events", "/healthz", "/readyz"} <= set(
        paths
    )
    for path in ("/api/v1/rooms", "/api/v1/ledger", "/healthz", "/readyz"):
        schema = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert "$ref" in schema
    assert all(set(operations) == {"get"} for operations in paths.values())


def test_the_server_ends_although_a_page_is_listening(served):
    ready = threading.Event()

    def listen() -> None:
        with httpx.stream("GET", f"{served.url}/api/v1/events", timeout=20) as response:
            for _ in response.iter_lines():
                ready.set()

    page = threading.Thread(target=listen, daemon=True)
    page.start()
    assert ready.wait(5)
    start = time.monotonic()
    served.stop()
    page.join(5)
    assert not page.is_alive()
    assert time.monotonic() - start < 3
