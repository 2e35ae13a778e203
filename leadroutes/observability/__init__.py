"""COUNTS AND LOGS. Metrics, logs, traces, the log lines of a lead. Decides nothing."""
