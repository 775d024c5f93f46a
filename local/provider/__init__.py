"""Stand-ins for Pulumi's provider plugins `kubernetes` and `random`, and what both of them need."""
