"""Data sets: importers of public formats, synthetic people, tokens, splits by person."""
