"""Measurements in: one request a source, and what came back as records."""
