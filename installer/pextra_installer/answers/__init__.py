"""Answer files: YAML or TOML in, a plan or every problem with its line out, and back."""
