"""Overt: record keyboard and pointer behaviour in the open, and let people leave the models."""
