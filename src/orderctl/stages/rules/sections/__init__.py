"""One module for each section of the rules: what may be written there, checked and documented."""
