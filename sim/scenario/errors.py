"""What can be wrong with a scenario file, and what can come of a scenario."""

from pathlib import Path


class ScenarioFileError(Exception):
    """A file can't be used, and nothing was run.

    Attributes:
        file: which file.
        line: counted from 1; 0 when it is about the file as a whole.
        problem: what was found, and what was expected.
    """

    def __init__(self, file: Path, line: int, problem: str) -> None:
        where = f"{file}:{line}" if line else str(file)
        super().__init__(f"{where}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


class WordingError(Exception):
    """A sentence or one of its words is not understood. The message says what was expected."""


class StoryError(Exception):
    """An action could not be carried out, so the story can't go on. The message says why."""


class EngineError(Exception):
    """The world that the story needs did not come up, or fell down. The message says what."""
