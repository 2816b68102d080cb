"""What is true of a function: its graph run again in exact arithmetic, or in longdouble, without its own rules."""
