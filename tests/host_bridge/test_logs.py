"""The log: one line per event, and nobody in it."""

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_bridge import logs
from host_bridge.store import Store
from tests.host_bridge import site
from tests.host_bridge.host_process import Host
from tests.host_bridge.listener import Listener, eventually
from tests.services import Mosquitto, free_port, wait_for_port

FACT = '{{"unit":"u1","boot":1,"seq":{seq},"up":{seq},"age":0,"type":"tag","tag":"{tag}"}}'


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_whole_run_logs_neither_names_nor_tags_and_each_event_in_one_line(
    tmp_path: Path, mosquitto: Mosquitto, form: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CHEQUER_LOG_FORMAT", form)
    url = f"sqlite:///{tmp_path}/chequer.db"
    store = Store.open(url)
    site.register(store)
    web = free_port()
    with Host(tmp_path, mosquitto.port, site.NAME, url=url) as host:
        with host.config.open("a") as config:
            config.write(
                f"[web]\nport = {web}\n[[site.rooms]]\nname = 'r'\n[[site.rooms.desks]]\n"
                "name = 'A'\nunit = 'u1'\nx = 0\ny = 0\n"
            )
        relay, serve = host.start("relay"), host.start("serve")
        wait_for_port(web, 30)
        # Two lanes of the relay; the director's ears, its voice and its updates.
        host.wait_for_log("connected to the broker", times=5)
        desk = Listener(mosquitto.port, f"chequer/v1/{site.NAME}/u1/down/+")
        facts = f"chequer/v1/{site.NAME}/u1/fact"
        for seq, tag in enumerate((site.HEADSET_OF_ANNA, site.HEADSET_OF_BEA, "d4" * 16), 1):
            desk.publish(facts, FACT.format(seq=seq, tag=tag).encode())
        # Not facts, the same number for another tag, and what no JSON is: all with a tag in it.
        desk.publish(facts, FACT.format(seq=1, tag=site.HEADSET_OF_BEA).encode())
        desk.publish(facts, b'{"unit":"u1","type":"' + site.HEADSET_OF_ANNA.encode() + b'"}')
        desk.publish(f"chequer/v1/{site.NAME}/u1/state", site.HEADSET_OF_ANNA.encode() + b"\n\x1b")
        host.wait_for_facts(3)
        eventually(lambda: len(desk.bodies("verdict")) >= 1)
        eventually(store.dead_letters)
        mosquitto.kill()
        host.wait_for_log("was lost")
        mosquitto.start()
        time.sleep(1.5)
        desk.close()
        assert (host.stop(relay), host.stop(serve)) == (0, 0)
        said = host.log.read_text()
    store.close()
    lines = said.splitlines()
    assert len(lines) > 8
    for private in ("Anna", "Sorgente", "Bea", site.HEADSET_OF_ANNA, site.HEADSET_OF_BEA, "d4" * 8):
        assert private.lower() not in said.lower(), private
    if form == "json":
        events = [json.loads(line) for line in lines]
        assert all({"time", "level", "logger", "message"} <= event.keys() for event in events)
    else:
        assert all(line[:4].isdecimal() for line in lines), lines


def test_a_line_break_a_terminal_code_or_a_hash_in_a_message_stays_in_one_masked_line(capsys):
    before = logging.getLogger().handlers[:]
    try:
        for form in ("text", "json"):
            logs.set_up(form)
            logging.getLogger("t").warning("one\ntwo \x1b[2J %s", "a1" * 16)
            said = capsys.readouterr().err
            assert said.count("\n") == 1 and "\x1b" not in said and "a1" * 8 not in said
    finally:
        logging.getLogger().handlers[:] = before


def test_a_defect_is_one_line_with_its_kind_and_place_but_not_its_words():
    program = (
        "from host_bridge import logs; import threading; logs.set_up('json')\n"
        "def f(): raise ValueError('Anna')\n"
        "t = threading.Thread(target=f); t.start(); t.join()\nf()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [event["error"] for event in events] == ["ValueError at <string>:2"] * 2
    assert "Anna" not in ended.stderr
