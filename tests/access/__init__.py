"""Who may see and do what, over every address there is."""
