"""Keeps what people are told; the REST API and the panel come here."""
