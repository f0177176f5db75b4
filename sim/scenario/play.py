"""Tells a story: step after step, with everything that is checked beside it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from sim.scenario.engine import Engine
from sim.scenario.errors import EngineError, StoryError, WordingError
from sim.scenario.expectations import DESK, STANDING_RULES, Seen
from sim.scenario.measure import Number, Span
from sim.scenario.phrase import Names, Sentence, understand
from sim.scenario.record import Failure, Record
from sim.scenario.stage import Stage
from sim.scenario.story import (
    At,
    Do,
    Expect,
    InTurn,
    Meanwhile,
    OneOf,
    Repeat,
    Rule,
    Scenario,
    Step,
    Together,
)
from sim.scenario.world_life import live
from sim.vm import VmError

LOOK_S = 0.1
"""How often something awaited is looked for in the database or on the page."""

GLANCE_S = 0.01
"""How often it is looked for at the desk: what is shown there may last for moments only."""

RULE_S, RARE_RULE_S = 0.2, 10.0
"""How often `always` and `never` are looked at; rarely in stories of days, in virtual time."""

SETTLE_S = 10.0
"""How long the standing rules have to come true at the end: a relay may still be committing."""


class _NotMetError(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.expected)
        self.failure = failure


class Player:
    """Tells one scenario on an engine that is up.

    Args:
        scenario: the story.
        engine: the world.
        record: where happenings are taken down.
    """

    def __init__(self, scenario: Scenario, engine: Engine, record: Record) -> None:
        self._scenario = scenario
        self._clock = engine.clock
        self._record = record
        self._stage = Stage(scenario, engine, record)
        self._turns: Counter[int] = Counter()
        self._beside: asyncio.TaskGroup | None = None
        self._rules: list[asyncio.Task[None]] = []
        self._rule_s = RARE_RULE_S if scenario.needs == "virtual time" else RULE_S
        self._telling = 0  # stories that are told beside the main one

    async def play(self) -> list[Failure]:
        """Tell it to the end, or to the first failure; the failures.

        Raises:
            EngineError: the world fell down.
        """
        failures = []
        try:
            async with asyncio.TaskGroup() as self._beside:
                if self._scenario.world:
                    self._telling += 1
                    self._spawn(self._live())
                await self._steps(self._scenario.steps)
                self._stop_rules_when_alone()
        except* _NotMetError as group:
            failures = [error.failure for error in _leaves(group)]
        except* EngineError as group:
            raise next(_leaves(group)) from None
        for text in STANDING_RULES:
            sentence = understand(text, Names([], [], [], self._scenario.cards))
            seen = await self._true_within(sentence, 0, SETTLE_S)
            if not seen.holds:
                self._record.add("failed", text)
                failures.append(Failure(0, f"at the end of every story: {text}", seen.what))
        return failures

    def _stop_rules_when_alone(self) -> None:
        """The story's own line is at its end; rules end when `meanwhile` has ended too."""
        assert self._beside is not None
        self._beside.create_task(self._end_rules())

    async def _end_rules(self) -> None:
        while self._telling:
            await self._clock.sleep(LOOK_S)
        for rule in self._rules:
            rule.cancel()

    async def _steps(self, steps: list[Step]) -> None:
        for step in steps:
            await self._step(step)

    async def _step(self, step: Step) -> None:  # noqa: C901 (one line for each kind of step)
        match step:
            case Do():
                await self._do(step)
            case Expect():
                await self._expect(step)
            case Rule():
                self._rules.append(self._spawn(self._rule(step)))
            case At():
                await self._clock.sleep(step.time.choose(self._dice(step.line)) - self._clock.now())
                await self._steps(step.steps)
            case Repeat():
                await self._repeat(step)
            case Together():
                async with asyncio.TaskGroup() as group:
                    for each in step.steps:
                        group.create_task(self._step(each))
            case Meanwhile():
                self._telling += 1
                self._spawn(self._meanwhile(step))
            case OneOf():
                await self._step(self._dice(step.line).choice(step.steps))
            case InTurn():
                await self._steps(step.steps)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._beside is not None
        return self._beside.create_task(work)

    async def _meanwhile(self, step: Meanwhile) -> None:
        try:
            await self._steps(step.steps)
        finally:
            self._telling -= 1

    async def _live(self) -> None:
        try:
            await live(self._stage)
        finally:
            self._telling -= 1

    async def _repeat(self, step: Repeat) -> None:
        dice = self._dice(step.line)
        began = self._clock.now()
        for _ in range(step.times.choose(dice)):
            await self._steps(step.steps)
            if step.every:
                began += step.every.choose(dice)
                await self._clock.sleep(began - self._clock.now())

    async def _do(self, step: Do) -> None:
        sentence = step.sentence
        try:
            await sentence.phrase.run(self._stage, **_chosen(sentence, self._dice(step.line)))
        except (StoryError, WordingError, VmError) as error:
            if not step.if_possible:
                raise self._failed(step, sentence.text, str(error)) from error
            self._record.add("note", f"left out, as it can't be: {error}", self._place(sentence))

    async def _expect(self, step: Expect) -> None:
        dice, text = self._dice(step.line), step.sentence.text
        if step.lasting:
            seconds = step.lasting.choose(dice)
            seen = await self._false_within(step.sentence, step.line, seconds)
            text = f"for {seconds:g}s: {text}"
        else:
            seconds = step.within.choose(dice) if step.within else 0.0
            seen = await self._true_within(step.sentence, step.line, seconds)
            text = f"within {seconds:g}s: {text}" if step.within else text
        if not seen.holds:
            raise self._failed(step, text, seen.what)
        self._record.add("met", text, self._place(step.sentence), line=step.line)

    async def _rule(self, step: Rule) -> None:
        word = "never" if step.never else "always"
        while True:
            seen = await self._look(step.sentence, step.line)
            if seen.holds == step.never:
                raise self._failed(step, f"{word}: {step.sentence.text}", seen.what)
            await self._clock.sleep(self._rule_s)

    async def _true_within(self, sentence: Sentence, line: int, seconds: float) -> Seen:
        return await self._until(sentence, line, seconds, lambda seen: seen.holds)

    async def _false_within(self, sentence: Sentence, line: int, seconds: float) -> Seen:
        return await self._until(sentence, line, seconds, lambda seen: not seen.holds)

    async def _until(
        self, sentence: Sentence, line: int, seconds: float, over: Callable[[Seen], bool]
    ) -> Seen:
        deadline = self._clock.now() + seconds
        while True:
            seen = await self._look(sentence, line)
            if over(seen) or self._clock.now() >= deadline:
                return seen
            await self._clock.sleep(GLANCE_S if sentence.phrase.group == DESK else LOOK_S)

    async def _look(self, sentence: Sentence, line: int) -> Seen:
        try:
            gaps = _chosen(sentence, self._stage.draw(line, 0))
            seen: Seen = await sentence.phrase.run(self._stage, **gaps)
        except StoryError as error:
            return Seen(False, str(error))
        return seen

    def _failed(self, step: Do | Expect | Rule, expected: str, seen: str) -> _NotMetError:
        self._record.add("failed", expected, self._place(step.sentence), line=step.line)
        return _NotMetError(Failure(step.line, expected, seen))

    def _place(self, sentence: Sentence) -> str | None:
        desk = sentence.gaps.get("desk")
        return self._stage.desk(desk) if desk else None

    def _dice(self, line: int) -> random.Random:
        """Fresh dice for each telling of a line."""
        self._turns[line] += 1
        return self._stage.draw(line, self._turns[line])


def _chosen(sentence: Sentence, dice: random.Random) -> dict[str, Any]:
    """The gaps of a sentence, with a value for each range."""
    return {
        name: gap.choose(dice) if isinstance(gap, Span | Number) else gap
        for name, gap in sentence.gaps.items()
    }


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[Any]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
