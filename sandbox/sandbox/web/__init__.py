"""The sandbox's JSON API and its pages."""
