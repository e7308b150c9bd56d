"""What importers share: strict reading of files, tables and JSON, and sessions from their rows."""
