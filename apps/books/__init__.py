"""The books: what changed between publications, months that are closed, and invoices tied to their charges."""
