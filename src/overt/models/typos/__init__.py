"""What was meant to be typed: candidates, error channel, context, and when to leave alone."""
