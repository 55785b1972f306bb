"""`python -m collector`."""

from collector.app import main

main()
