"""HTTP in: accepts touchpoints, refuses bad ones with a reason, appends the rest to the log."""
