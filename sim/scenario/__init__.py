"""Scenarios: stories about desks and people in YAML, told to the real firmware and the real host.

`read` turns a file into a `Scenario`, `play` tells it on an engine, `report` writes down what came
of it. The engine (`engine.Engine`) is all that a story needs of the world: a clock, desks, a host,
a broker. docs/simulator.md is the page for people who write scenarios.
"""
