"""The checks of FOCUS 1.2 on a file: the official rule model as data, made into one query."""
