"""The planners themselves: numbers in, a plan out. No Django, no lake, no clock; seeds and time limits are told."""
