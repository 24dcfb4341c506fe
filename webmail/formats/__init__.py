"""How languages write moments, where it is not as Django has it."""
