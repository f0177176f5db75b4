"""Run the tests of one module on the MicroPython VM: `run_on_vm.py tests.firmware.unit.test_x`.

Prints a line for every test and a closing line; the exit code is 0 when all passed. A test is a
function whose name begins with test_; one that is `async` runs in an event loop of its own.
"""

import asyncio
import sys
import time


def run(test):
    """Call a test, and await what it returns if it is a coroutine."""
    result = test()
    if hasattr(result, "send"):
        asyncio.new_event_loop()
        asyncio.run(result)


def main(name):
    """Run all tests of a module; how many failed?"""
    module = sys.modules[name] if name in sys.modules else __import__(name, None, None, ("*",))
    tests = sorted(word for word in dir(module) if word.startswith("test_"))
    failed = 0
    for test in tests:
        began = time.ticks_ms()
        try:
            run(getattr(module, test))
        except Exception as error:  # noqa: BLE001 - a test may fail in any way
            failed += 1
            print("FAIL", test)
            sys.print_exception(error)
        else:
            print("ok  ", test, time.ticks_diff(time.ticks_ms(), began), "ms")
    print(f"{name}: {len(tests) - failed} passed, {failed} failed")
    return failed if tests else 1


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
