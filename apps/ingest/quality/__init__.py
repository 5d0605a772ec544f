"""The quality of bills: named checks of what was read, and what a person does about each."""
