"""The timeline of births, deaths and live handles."""
