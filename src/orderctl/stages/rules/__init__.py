"""`rules.yaml`: its sections, the tables it names, and the book that holds both."""
