"""Charges and allocated cost leave as FOCUS 1.2, with the columns 1.3 added for split cost."""
