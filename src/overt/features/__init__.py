"""Features of typing, pointing, scrolling and navigation: Arrow events in, Arrow figures out."""
