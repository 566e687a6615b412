"""Chinese sentences, one module per part of the program; keys are the English templates."""
