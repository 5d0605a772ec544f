"""The providers of bills, one small package each: how their files are found, and how a row becomes a FOCUS charge."""
