"""Plotly figures from frames; no Django."""
