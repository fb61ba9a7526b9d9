"""The least that can do the work that a part of Milepost is compared with; no promises kept beyond speed."""
