import re

import httpx

from tests.host_bridge import site
from tests.host_bridge.listener import eventually
from tests.host_bridge.served import Served


def every_answer(served: Served) -> dict[str, str]:
    """The text of every address that can be read, by its path."""
    paths = [*httpx.get(f"{served.url}/openapi.json").json()["paths"], "/", "/openapi.json"]
    static = re.findall(r'(?:src|href)="(/static/[^"]+)"', httpx.get(served.url).text)
    answers = {}
    for path in {*paths, *static}:
        if path.endswith("/events"):
            with httpx.stream("GET", served.url + path, timeout=10) as response:
                lines = response.iter_lines()
                # To the first beat: everything that the stream has to say by itself.
                heard = []
                while "event: beat" not in heard:
                    heard.append(next(lines))
                answers[path] = "\n".join(heard)
        else:
            answers[path] = httpx.get(served.url + path).text
    return answers


def test_no_answer_holds_a_tag_a_name_or_a_persons_number(served, tmp_path):
    served.online(*site.UNITS)
    # As high a number as no count here reaches, so that finding it would mean something.
    lines = ["tag,kind,holder", *(f"{n:032x},headset,Persona {n}" for n in range(900))]
    (tmp_path / "register.csv").write_text("\n".join(lines))
    served.store.registry.import_csv(site.NAME, tmp_path / "register.csv")
    carla = "d4" * 16
    served.store.registry.issue(site.NAME, carla, "headset", "Carla Segreta")
    person = served.store.registry.record(site.NAME, carla).person
    assert person > 900
    site.commit(
        served.store,
        site.tap("u1", 1, carla),
        site.tap("u3", 1, site.HEADSET_OF_ANNA),
        site.tap("u3", 2, site.HEADSET_OF_ANNA),
        site.tap("u6", 1, "e5" * 16),
        dead=1,
    )
    eventually(lambda: served.director.figures.verdicts == 4)
    secrets = [
        carla,
        site.HEADSET_OF_ANNA,
        site.CLEANER,
        "e5" * 16,
        "Carla",
        "Segreta",
        "Persona",
        *site.ANNA.split(),
        *site.BEA.split(),
    ]
    answers = every_answer(served)
    assert len(answers) >= 9
    for path, text in answers.items():
        for secret in secrets:
            assert secret.lower() not in text.lower(), f"{path} tells {secret}"
        assert not re.search(rf"\b{person}\b", text), f"{path} tells a person's number"
        assert not re.search(r"\b[0-9a-f]{32}\b", text), f"{path} holds something like a tag"


def test_nothing_is_different_desk_by_desk_after_presses(served):
    """Presses at a desk may move the sums of the site, and nothing else."""
    served.online(*site.UNITS)

    def desk_by_desk() -> dict[str, object]:
        ledger = httpx.get(f"{served.url}/api/v1/ledger").json()
        metrics = httpx.get(f"{served.url}/metrics").text
        return {
            "rooms": httpx.get(f"{served.url}/api/v1/rooms").json(),
            "gaps": ledger["gaps"],
            "metrics": [line for line in metrics.splitlines() if re.search(r"u\d|A\d", line)],
            "plan": re.findall(r"<g class=\"desk\".*?</g>", httpx.get(served.url).text, re.DOTALL),
        }

    eventually(lambda: "free" in str(desk_by_desk()["rooms"]))
    before = desk_by_desk()
    site.commit(served.store, *(site.press("u3", seq) for seq in range(1, 6)))
    eventually(lambda: served.director.figures.facts == 5)
    assert desk_by_desk() == before
