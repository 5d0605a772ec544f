"""Text of received files: headers, single values, and rows with their line."""
