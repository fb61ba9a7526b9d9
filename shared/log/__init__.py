"""The partitioned, durable, replayable log: one port, SQLite and Kafka behind it."""
