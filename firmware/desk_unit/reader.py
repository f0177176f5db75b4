"""Presence of tags on the reader: one event a presentation, however often it is polled."""

from port import const

ABSENT_POLLS = const(5)
"""A tag has left when so many polls in a row did not see it: readers miss one now and then."""

_MOST = const(8)


class Presence:
    """Knows the tags that lie on the reader, by their hashes; never sees a UID."""

    def __init__(self) -> None:
        self._missed: dict[bytes, int] = {}

    def poll(self, tags) -> list:
        """Take one poll's tag hashes; returns those that were newly presented."""
        for tag in list(self._missed):
            if tag in tags:
                self._missed[tag] = 0
            elif self._missed[tag] + 1 >= ABSENT_POLLS:
                del self._missed[tag]
            else:
                self._missed[tag] += 1
        new = []
        for tag in tags:
            if tag not in self._missed and len(self._missed) < _MOST:
                self._missed[tag] = 0
                new.append(tag)
        return new
