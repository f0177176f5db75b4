"""The director on PostgreSQL: what it rests on there is another marker and another order of ids."""

import msgspec

from host_bridge.director import Director
from host_bridge.settings import Store as StoreSettings
from host_bridge.store import Store
from tests.host_bridge import site
from tests.host_bridge.listener import Listener, eventually


def test_taps_reports_and_modes_reach_desks_across_an_outage(tmp_path, mosquitto, postgres):
    settings = msgspec.structs.replace(
        site.settings_for(tmp_path, mosquitto.port), store=StoreSettings(url=postgres.database())
    )
    store = Store.open(settings.store.url)
    site.register(store)
    desk = Listener(mosquitto.port, "chequer/v1/hq/+/down/+")
    director = Director(settings, store, shift=lambda _: 0)
    director.start()
    try:
        eventually(lambda: director.link.connected and director.trouble is None)
        site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA))
        eventually(lambda: [b["verdict"] for b in desk.bodies("u1/down/verdict")] == ["own"])
        postgres.kill()
        eventually(lambda: director.trouble is not None)
        postgres.start()
        eventually(lambda: director.trouble is None, 20)
        site.commit(store, site.press("u1", 1))
        site.commit(store, site.tap("u1", 2, site.HEADSET_OF_ANNA))
        eventually(lambda: len(desk.bodies("u1/down/verdict")) == 2)
        assert desk.bodies("u1/down/verdict")[1]["verdict"] == "withdrawn"
        (record,) = eventually(lambda: store.incidents.records(site.NAME))
        assert record.word == "withdrawn"
        store.modes.quiet(site.NAME, "u2", quiet=True)
        eventually(lambda: any(mode.get("quiet") for mode in desk.bodies("u2/down/mode")))
    finally:
        director.stop()
        desk.close()
        store.close()
