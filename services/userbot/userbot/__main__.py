"""`python -m userbot`."""

from userbot.app import main

main()
