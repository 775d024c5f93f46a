"""Stand-ins for Pulumi's provider plugins `kubernetes` and `random`, and the modules that both of them use."""
