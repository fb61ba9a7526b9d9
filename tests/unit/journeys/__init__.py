"""Facts about the rooms of shared/journeys."""
