"""Conditions of rules: what they are, how they are read, and how they are judged on columns."""
