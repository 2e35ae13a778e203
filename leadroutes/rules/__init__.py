"""The rule set as a document: files, versions. What they decide is in the domain."""
