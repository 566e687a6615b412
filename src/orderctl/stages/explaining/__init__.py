"""The parts of an explanation: rules judged, gifts told, prices written; `stages/explain.py` puts them together."""
