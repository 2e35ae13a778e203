"""TAKES IN. How a lead gets in: senders, formats, dedupe, the transaction of a batch, replay and dry run."""
