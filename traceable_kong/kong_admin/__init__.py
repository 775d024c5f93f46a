"""Kong's Admin API: how it is reached, and the plugin as an entity in Kong's database."""
