"""Estimators that tell from many daily series at once on which days something unusual began."""
