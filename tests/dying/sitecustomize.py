"""Imported by every Python process whose PYTHONPATH names this directory, before anything else."""

import os

if "POSTROOM_DYING" in os.environ:
    from common.testing.dying import install

    install()
