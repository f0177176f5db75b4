"""Facts with their keys, and the order in which a batch is stored."""

from collections import defaultdict

from host_bridge.store.records import DeadLetter, Incoming, Key, Stream

LIVE = 500
"""Facts of a batch that are stored in the order of their arrival. More come at once from a backlog
only, and are stored in the order of their keys: so those of a unit lie together in every index,
and a page of it is looked up and changed once for all of them. Of 4,000 that saves a quarter."""

Keyed = tuple[Key, Incoming]


def with_keys(items: list[Incoming]) -> list[Keyed]:
    """The facts in the order in which to store them.

    Each with its key: as `item.key`, but a stream is made once and not for each of its facts.
    """
    streams: dict[tuple[object, ...], Stream] = {}
    keyed = []
    for item in items:
        fact = item.fact
        name = (item.site, fact.unit, fact.boot, item.lane)
        stream = streams.get(name)
        if stream is None:
            stream = streams[name] = Stream(*name)
        keyed.append((Key(stream, fact.seq), item))
    if len(keyed) > LIVE:
        # By whole numbers, twice: to compare keys would take longer than it saves. What has the
        # same key stays in the order of arrival.
        places = {id(stream): place for place, stream in enumerate(sorted(streams.values()))}
        keyed.sort(key=lambda each: each[0].seq)
        keyed.sort(key=lambda each: places[id(each[0].stream)])
    return keyed


def numbers_of(keyed: list[Keyed], letters: list[DeadLetter]) -> dict[Stream, dict[int, int]]:
    """The numbers that came in each stream, and when."""
    numbers: dict[Stream, dict[int, int]] = defaultdict(dict)
    for (stream, seq), item in keyed:
        numbers[stream].setdefault(seq, item.received_ms)
    for letter in letters:
        if letter.key:
            numbers[letter.key.stream].setdefault(letter.key.seq, letter.received_ms)
    return numbers
