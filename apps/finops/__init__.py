"""Words and arithmetic of cost operations: no Django, no I/O, no clock."""
