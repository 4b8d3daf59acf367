"""The screen: one Textual application over the driver's client."""
