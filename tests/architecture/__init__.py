"""What linters cannot see: the size of modules, the direction of keys, the completeness of pages."""
