"""Where things stand in a JSON text: the line of every field, or of the first mistake.

MicroPython's `json.loads` names no line, and lets missing commas and trailing text pass. This
checks a text strictly by RFC 8259 before it is decoded; it decodes nothing itself.

Characters are taken as slices: one that is taken by its index stays in MicroPython's table of
names for ever.
"""

from port import const

_DEPTH = const(4)
_WORDS = ("true", "false", "null")
_ESCAPES = '"\\/bfnrtu'


class Mistake(Exception):
    """The text is no JSON, has a field twice, or is nested too deeply: `line` and `what`."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__("line %d: %s" % (line, what))
        self.line = line
        self.what = what


def lines_of(text: str) -> dict:
    """Line numbers from 1 by path: {"": 1, "broker": 3, "broker.port": 4}; lists have no paths.

    Raises:
        Mistake: It is not JSON, or a field stands there twice, or it is nested more than 4 deep.
    """
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[str, int] = {}

    def run(self) -> dict:
        self._value("", 0)
        if self._next():
            self._wrong("something stands behind the end")
        return self._lines

    def _wrong(self, what: str) -> None:
        raise Mistake(self._line, what)

    def _next(self) -> str:
        """The next character that is no white space, not taken yet; empty at the end."""
        while self._at < len(self._text):
            c = self._text[self._at : self._at + 1]
            if c not in " \t\r\n":
                return c
            if c == "\n":
                self._line += 1
            self._at += 1
        return ""

    def _take(self, wanted: str) -> None:
        if self._next() != wanted:
            self._wrong("'%s' is missing" % wanted)
        self._at += 1

    def _value(self, path: str, depth: int) -> None:
        c = self._next()
        if path not in self._lines:
            self._lines[path] = self._line
        if depth > _DEPTH:
            self._wrong("nested too deeply")
        elif c == "{":
            self._object(path, depth)
        elif c == "[":
            self._array(path, depth)
        elif c == '"':
            self._string()
        elif c and c in "-0123456789":
            self._number()
        else:
            self._word()

    def _object(self, path: str, depth: int) -> None:
        self._at += 1
        if self._next() == "}":
            self._at += 1
            return
        while True:
            if self._next() != '"':
                self._wrong("a field's name in quotes is missing")
            name = self._string()
            inner = path + "." + name if path else name
            if inner in self._lines:
                self._wrong("a field of this name is on line %d already" % self._lines[inner])
            self._lines[inner] = self._line
            self._take(":")
            self._value(inner, depth + 1)
            if self._next() == "}":
                break
            self._take(",")
        self._at += 1

    def _array(self, path: str, depth: int) -> None:
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return
        while True:
            self._value(path, depth + 1)
            if self._next() == "]":
                break
            self._take(",")
        self._at += 1

    def _string(self) -> str:
        text = self._text
        self._at += 1
        start = self._at
        while self._at < len(text):
            c = text[self._at : self._at + 1]
            if c == '"':
                self._at += 1
                return text[start : self._at - 1]
            if c < " ":
                break
            self._at += self._escape() if c == "\\" else 1
        self._wrong("a text is not closed by a quote")
        return ""

    def _escape(self) -> int:
        """How many characters the escape has [RFC 8259, 7]."""
        text, at = self._text, self._at
        kind = text[at + 1 : at + 2]
        if not kind or kind not in _ESCAPES:
            self._wrong("a backslash stands before what can't be escaped")
        if kind != "u":
            return 2
        digits = text[at + 2 : at + 6]
        if len(digits) != 4 or not all(c in b"0123456789abcdefABCDEF" for c in digits.encode()):
            self._wrong("\\u is not followed by four hex digits")
        return 6

    def _number(self) -> None:
        if self._text[self._at : self._at + 1] == "-":
            self._at += 1
        if self._text[self._at : self._at + 1] == "0":
            self._at += 1
        else:
            self._digits()
        if self._text[self._at : self._at + 1] == ".":
            self._at += 1
            self._digits()
        if self._text[self._at : self._at + 1] in ("e", "E"):
            self._at += 1
            if self._text[self._at : self._at + 1] in ("+", "-"):
                self._at += 1
            self._digits()

    def _digits(self) -> None:
        start = self._at
        while self._at < len(self._text) and "0" <= self._text[self._at : self._at + 1] <= "9":
            self._at += 1
        if self._at == start:
            self._wrong("a number lacks digits")

    def _word(self) -> None:
        for word in _WORDS:
            if self._text[self._at : self._at + len(word)] == word:
                self._at += len(word)
                return
        self._wrong("a value is missing")
