"""The server's endpoints, and what they do with those who mean harm."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from sim.workbench.app import LONGEST, create_app
from sim.workbench.bench import Bench
from sim.workbench.cards import deck, people
from sim.workbench.stream import MOST_PAGES, Stream

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench whose unit has no power."""
    return Bench(
        folder=tmp_path / "unit",
        broker=("127.0.0.1", 1),
        site="workbench",
        name="desk-a1",
        site_key=bytes(32),
        cards=deck(people()),
        host=None,
    )


class Client:
    """A browser without a stream: one request at a time."""

    def __init__(self, bench: Bench) -> None:
        self._transport = httpx.ASGITransport(create_app(bench), raise_app_exceptions=False)

    def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://127.0.0.1:8090"
            ) as client:
                return await client.request(method, path, **rest)

        return asyncio.run(ask())

    def get(self, path: str, **rest: Any) -> httpx.Response:
        return self.request("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        return self.request("POST", path, **rest)


@pytest.fixture
def client(bench: Bench) -> Client:
    return Client(bench)


def test_the_page_has_every_card_and_no_uid(client: Client, bench: Bench) -> None:
    page = client.get("/").text
    for card in bench.cards.values():
        assert f'data-card="{card.name}"' in page
        for uid in card.uids:
            assert uid.lower() not in page.lower()


def test_the_page_needs_no_inline_script_or_style(client: Client) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert not re.search(r"<[^>]* on[a-z]+=", answer.text)


@pytest.mark.parametrize("name", ["workbench.js", "desk.js", "trace.js", "send.js", "sound.js"])
def test_scripts_come_from_here_and_name_no_other_host(client: Client, name: str) -> None:
    script = client.get(f"/static/{name}")
    assert script.status_code == 200
    assert "://" not in script.text
    assert "innerHTML" not in script.text


def test_commands_are_those_of_the_control_port(client: Client) -> None:
    assert client.post("/api/commands", json={"show": {}}).json()["powered"] is False
    assert client.post("/api/commands", json={"radar": {"state": "still", "cm": 80}}).json() == {
        "ok": True
    }
    refused = client.post("/api/commands", json={"press": {}})
    assert refused.status_code == 400
    assert "no power" in refused.json()["error"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"dance":1}', b'{"watch":{}}', b"[" * 3000,
     b'{"fault":{"chip":"toaster","kind":"none"}}', b'{"tap":{"uid":"<script>"}}'],
)  # fmt: skip
def test_a_wrong_command_is_refused_in_words(client: Client, body: bytes) -> None:
    answer = client.post("/api/commands", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_without_end_is_refused(client: Client) -> None:
    answer = client.post("/api/commands", content=b" " * (LONGEST + 1), headers=JSON)
    assert answer.status_code == 400
    assert "at most" in answer.json()["error"]


def test_cards_are_known_by_name_only(client: Client, bench: Bench) -> None:
    assert client.post("/api/cards/headset/put", json={}).json() == {"ok": True}
    assert bench.desk()["cards"] == ["headset"]
    assert client.post("/api/cards/headset/take", json={}).json() == {"ok": True}
    assert bench.desk()["cards"] == []
    for path in ("04A1B2C3/tap", "headset/eat", "..%2f/tap", "headset"):
        assert client.post(f"/api/cards/{path}", json={}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8090"}, 403),
        ({"Host": "["}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_page_in_the_same_browser_can_do_nothing(
    client: Client, bench: Bench, headers: dict[str, str], status: int
) -> None:
    body = b'{"network":"lost"}'
    answer = client.post("/api/commands", content=body, headers={**JSON, **headers})
    assert answer.status_code == status
    assert bench.desk()["air"] is True
    assert "content-security-policy" in answer.headers


def test_another_name_for_this_machine_does_not_get_the_page(client: Client) -> None:
    assert client.get("/", headers={"Host": "rebound.example:8090"}).status_code == 403


def test_there_is_nothing_else(client: Client) -> None:
    for path in ("/docs", "/openapi.json", "/static/../app.py", "/static/%2e%2e/app.py", "/var"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "nothing was done" in answer.json()["error"]


def test_a_page_first_hears_everything_and_no_uid(bench: Bench) -> None:
    kinds = [kind for kind, _ in bench.present()]
    assert kinds == ["desk", "light", "display", "wire", "journal", "vitals", "console"]
    told = json.dumps(bench.present()).upper()
    assert not any(uid in told for card in bench.cards.values() for uid in card.uids)


def test_a_page_that_is_too_slow_gets_the_present_instead_of_a_backlog() -> None:
    async def work() -> None:
        now = [0]
        stream = Stream(lambda: [("present", now[0])])
        page = stream.listen()
        assert "data: 0" in await anext(page)
        for now[0] in range(1, 1001):
            stream.publish("step", now[0])
        assert "present\ndata: 1000" in await anext(page)
        stream.publish("step", 1001)
        assert "step\ndata: 1001" in await anext(page)
        await page.aclose()
        assert stream.pages == 0

    asyncio.run(work())


def test_more_pages_than_fit_are_refused(client: Client, bench: Bench) -> None:
    async def crowd() -> None:
        pages = [bench.stream.listen() for _ in range(MOST_PAGES)]
        for page in pages:
            await anext(page)
        assert bench.stream.pages == MOST_PAGES
        answer = await asyncio.to_thread(client.get, "/api/events")
        assert answer.status_code == 503
        for page in pages:
            await page.aclose()

    asyncio.run(crowd())
