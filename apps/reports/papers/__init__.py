"""What each report says, as a paper: blocks in the reader's language that are written as HTML, text, PDF and XLSX."""
