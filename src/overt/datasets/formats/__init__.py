"""Importers, one module a published format: what its columns mean, and how they become events."""
