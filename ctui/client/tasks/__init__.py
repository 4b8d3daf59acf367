"""Tasks as a front end starts them; landing and updating of what they made."""
