"""What a check found: its outcome, and the story that explains it."""
