"""The published costs in the words of other programs: the API of OpenCost."""
