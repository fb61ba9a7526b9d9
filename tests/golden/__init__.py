"""One case per decision of the semantics page."""
