"""`python -m rewriter`."""

from rewriter.app import main

main()
