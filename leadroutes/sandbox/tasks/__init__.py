"""What the sandbox's processes run. Only they load these modules."""
