"""Attacks on what would be released, and their reports. Never a product feature."""
