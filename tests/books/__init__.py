"""Tests of the books: why cost changed, closed months, invoices tied to their charges."""
