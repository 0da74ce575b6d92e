"""The version of the lab, for all that shows it; CHANGELOG.md says what each version changed."""

VERSION = "1.1.0"
