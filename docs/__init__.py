"""Documents, and the scripts that write their measured tables."""
