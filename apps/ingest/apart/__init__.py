"""Files of strangers, read in a process of its own with limits: a crafted one takes no worker and no page with it."""
