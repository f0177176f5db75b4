"""`python -m host_bridge` is the same as `chequer`."""

from host_bridge.cli import main

main()
