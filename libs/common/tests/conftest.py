"""What all tests of the library have in common."""

from hypothesis import settings

# No limit to the time of one example: on a busy machine any of them may take long, and pytest-timeout bounds the test.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")
