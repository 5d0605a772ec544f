"""From charges and usage to cost per team."""
