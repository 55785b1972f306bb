"""`python -m imagegen`."""

from imagegen.app import main

main()
