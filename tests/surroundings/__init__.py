"""What stands around a submission, and costs no point: streams, variables, plugins, libraries."""
