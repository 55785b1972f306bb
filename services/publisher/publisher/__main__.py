"""`python -m publisher`."""

from publisher.app import main

main()
