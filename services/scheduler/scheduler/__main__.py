"""`python -m scheduler`."""

from scheduler.app import main

main()
