"""Features of typing and revision: Arrow tables of events in, Arrow tables of figures out."""
