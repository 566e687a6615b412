"""Rules put to the test: their own examples, and what in them cannot be meant."""
