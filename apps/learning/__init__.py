"""Estimators that forecast many daily series at once; they know numbers and days, and neither Django nor the lake."""
