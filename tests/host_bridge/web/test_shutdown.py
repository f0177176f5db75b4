"""`chequer serve` ended in order while desks tap and pages follow."""

import threading
import time
from pathlib import Path

import httpx

from host_bridge.store import Store
from tests.host_bridge import site
from tests.host_bridge.host_process import Host
from tests.host_bridge.listener import Listener, eventually
from tests.services import Mosquitto, free_port, wait_for_port


def test_it_ends_with_zero_closes_streams_and_leaves_the_lease_to_the_next(
    tmp_path: Path, mosquitto: Mosquitto, store_url: str
):
    web, stop = free_port(), threading.Event()
    ended: list[str] = []
    with Host(tmp_path, mosquitto.port, site.NAME, url=store_url) as host:
        with host.config.open("a") as config:
            config.write(
                f"[web]\nport = {web}\n[[site.rooms]]\nname = 'r'\n[[site.rooms.desks]]\n"
                "name = 'A'\nunit = 'u1'\nx = 0\ny = 0\n"
            )
        store = Store.open(store_url)
        site.register(store)
        desk = Listener(mosquitto.port, f"chequer/v1/{site.NAME}/u1/down/verdict")
        serve = host.start("serve")
        wait_for_port(web, 30)
        url = f"http://127.0.0.1:{web}"
        eventually(lambda: httpx.get(f"{url}/readyz").status_code == 200, 30)

        def follow() -> None:
            with httpx.stream("GET", f"{url}/api/v1/events", timeout=30) as response:
                for _ in response.iter_lines():
                    pass
            ended.append("whole")

        def tap() -> None:
            seq = 0
            while not stop.wait(0.01):
                seq += 1
                site.commit(store, site.tap("u1", seq, site.HEADSET_OF_ANNA))

        pages = [threading.Thread(target=follow) for _ in range(5)]
        load = threading.Thread(target=tap)
        for thread in (*pages, load):
            thread.start()
        eventually(lambda: len(desk.heard) > 20, 30)
        assert host.stop(serve) == 0
        for page in pages:
            page.join(10)
        assert ended == ["whole"] * 5, "a stream was cut instead of closed"
        lease = store.leases.read(site.NAME)
        assert lease is not None and lease.holder == ""
        # The next one needs to wait for nobody.
        again = host.start("serve")
        said = len(desk.heard)
        began = time.monotonic()
        eventually(lambda: len(desk.heard) > said, 30)
        print(f"verdicts again {time.monotonic() - began:.1f} s after a start in order")
        stop.set()
        load.join(10)
        assert host.stop(again) == 0
        desk.close()
        store.close()
