"""What comes next in text: from public counts, texts by others, and one's own."""
