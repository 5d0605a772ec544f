"""Capacity a day ahead: how much a series of demand will need, at a stated risk."""
